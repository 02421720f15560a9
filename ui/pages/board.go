package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui/paging"
)

// boardOpen and boardClosed bound what the board shows; the rest is behind a link.
const (
	boardOpen   = 100
	boardClosed = 8
)

type boardView struct {
	Needs     []attention
	Open      []instanceRow
	MoreOpen  bool
	Closed    []instanceRow
	Sources   []sourceRow
	NoSources bool
	NoChains  bool
}

// instanceRow is an instance in a list.
type instanceRow struct {
	Name    string
	Service string
	URL     string
	Chip    chip // worst state that needs a person, else what it does now
	Nodes   []nodeMark
	Says    string // one sentence: how it stands
	Opened  when
	Closed  when
}

// nodeMark is a node as a shape in a row.
type nodeMark struct {
	Name string
	Chip chip
}

func (p *Pages) board(c echo.Context, f *frame) (any, error) {
	ctx := c.Request().Context()
	all := p.engine.Sources()
	blind := blindOf(all)
	v := boardView{Sources: p.sourceRows(all), NoSources: len(all) == 0}
	open, more, err := paging.Instances(ctx, p.store, store.InstanceFilter{Open: true, Limit: boardOpen})
	if err != nil {
		return nil, err
	}
	v.MoreOpen = more
	defs := definitions{p: p}
	for i := range open {
		def, err := defs.of(ctx, open[i].Version)
		if err != nil {
			return nil, err
		}
		v.Needs = append(v.Needs, p.needs(&open[i], def)...)
		v.Open = append(v.Open, p.instanceRow(&open[i], def, blind))
	}
	slices.SortStableFunc(v.Needs, byWeight)
	v.Needs = append(v.Needs, p.sourceNeeds(all)...)
	if v.Closed, err = p.recentlyClosed(ctx, &defs, blind); err != nil {
		return nil, err
	}
	current, err := p.store.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	v.NoChains = len(current) == 0
	f.Title, f.Section, f.Live, f.Refresh = "Board", "board", []string{"instance", "source", "chain"}, 5
	f.Announce = needsText(len(v.Needs))
	return v, nil
}

// recentlyClosed gives the latest instances that have closed, of the latest that were opened.
func (p *Pages) recentlyClosed(ctx context.Context, defs *definitions, blind map[string]federation.SourceStatus) ([]instanceRow, error) {
	latest, _, err := paging.Instances(ctx, p.store, store.InstanceFilter{Limit: boardOpen})
	if err != nil {
		return nil, err
	}
	var out []instanceRow
	for i := range latest {
		if latest[i].Closed.IsZero() || len(out) == boardClosed {
			continue
		}
		def, err := defs.of(ctx, latest[i].Version)
		if err != nil {
			return nil, err
		}
		out = append(out, p.instanceRow(&latest[i], def, blind))
	}
	return out, nil
}

func (p *Pages) instanceRow(in *chain.Instance, def *chain.Definition, blind map[string]federation.SourceStatus) instanceRow {
	row := instanceRow{
		Name: instanceName(in.Key), URL: instanceURL(in.Key), Opened: p.when(in.Opened), Closed: p.when(in.Closed), Says: standing(in),
	}
	if def != nil {
		row.Service = def.Service
	}
	for i := range in.Nodes {
		row.Nodes = append(row.Nodes, nodeMark{Name: in.Nodes[i].Name, Chip: p.nodeChip(&in.Nodes[i], blind)})
	}
	row.Chip = overall(in)
	return row
}

// overall puts an instance into one shape: what needs a person first, then what moves.
func overall(in *chain.Instance) chip {
	worst := job.Succeeded
	for i := range in.Nodes {
		n := &in.Nodes[i]
		s := n.State()
		if (s == job.Unknown || s.Bad()) && trouble(n) == "" {
			s = job.Skipped // settled by a person
		}
		if rank(s) > rank(worst) {
			worst = s
		}
	}
	return chip{Shape: string(worst), Word: string(worst)}
}

// rank orders states by how much they matter to somebody who looks at the whole.
func rank(s job.State) int {
	switch s {
	case job.Failed, job.Missed, job.Cancelled:
		return 7
	case job.Unknown:
		return 6
	case job.Held:
		return 5
	case job.Running:
		return 4
	case job.Queued:
		return 3
	case job.Waiting, job.Expected:
		return 2
	case job.Warned:
		return 1
	case job.Succeeded, job.Skipped:
	}
	return 0
}

// standing says how an instance stands: "3 of 6 over · running: load · waiting: marts, post".
func standing(in *chain.Instance) string {
	by := map[job.State][]string{}
	over := 0
	for i := range in.Nodes {
		s := in.Nodes[i].State()
		by[s] = append(by[s], in.Nodes[i].Name)
		if isOver(&in.Nodes[i]) {
			over++
		}
	}
	parts := []string{fmt.Sprintf("%d of %d over", over, len(in.Nodes))}
	for _, s := range []job.State{job.Failed, job.Missed, job.Cancelled, job.Unknown, job.Running, job.Queued, job.Held, job.Waiting, job.Expected, job.Warned} {
		if len(by[s]) > 0 {
			parts = append(parts, string(s)+": "+strings.Join(by[s], ", "))
		}
	}
	return strings.Join(parts, " · ")
}

func isOver(n *chain.NodeState) bool {
	return n.Settled != "" || (n.Run != nil && n.Run.Terminal())
}
