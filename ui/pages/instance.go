package pages

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui/fault"
)

// receiptsShown is how many receipts of an instance the page shows; the API pages through the rest.
const receiptsShown = 500

// explainLimit bounds how long a page waits for the engine, which may not have begun yet.
const explainLimit = 3 * time.Second

type instanceView struct {
	Name     string
	Chain    string
	ChainURL string
	Service  string
	Key      string
	Date     string
	Cycle    string
	Zone     string
	Version  job.Hash
	NoDef    bool // the definition is not stored
	Opened   when
	Closed   when
	Chip     chip
	Says     string
	Needs    []attention
	Nodes    []nodeRow
	Graph    graph
	Receipts []receiptRow
	More     bool // there are more receipts
}

// nodeRow is a node of an instance.
type nodeRow struct {
	Name      string
	Job       string
	JobURL    string
	Stage     chain.Stage
	Chip      chip
	Since     when
	Attempt   int
	Why       string
	Inputs    []inputRow
	Run       string
	RunURL    string
	NotBefore when
	GiveUpAt  when
	Passed    bool // the give-up time has passed
	Released  when
	Act       action
}

// inputRow is one dependency as it stands or stood.
type inputRow struct {
	Node     string
	On       chain.On
	Value    string
	Chip     chip
	HasState bool
	RunURL   string
	Run      string
	Evidence job.Hash
	EvURL    string
	Seen     when
	Offset   string
}

// action is the form of one node.
type action struct {
	URL   string
	Verbs []verbChoice
}

type verbChoice struct {
	Verb  chain.Verb
	Label string
	About string
	Sharp bool // it may start a job or let others go
}

// receiptRow is a receipt in a list.
type receiptRow struct {
	Seq     int64
	At      when
	Node    string
	Verdict string
	Reason  string
	Hash    job.Hash
	URL     string
}

func (p *Pages) instance(c echo.Context, f *frame) (any, error) {
	k, err := instanceParam(c)
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	in, err := p.store.Instance(ctx, k)
	if err != nil {
		return nil, err
	}
	defs := definitions{p: p}
	def, err := defs.of(ctx, in.Version)
	if err != nil {
		return nil, err
	}
	blind := blindOf(p.engine.Sources())
	v := instanceView{
		Name: instanceName(k), Chain: k.Chain, ChainURL: chainURL(k.Chain), Key: k.String(), Date: k.BusinessDate, Cycle: k.Cycle,
		Version: in.Version, NoDef: def == nil, Opened: p.when(in.Opened), Closed: p.when(in.Closed), Chip: overall(&in),
		Says: standing(&in), Needs: p.needs(&in, def),
	}
	if def != nil {
		v.Service, v.Zone = def.Service, def.Timezone
	}
	v.Nodes = p.nodeRows(ctx, &in, def, blind)
	v.Graph = graphOf(def, v.Nodes)
	if v.Receipts, v.More, err = p.receiptRows(ctx, k); err != nil {
		return nil, err
	}
	f.Title, f.Section, f.Refresh = v.Name, "chains", 30
	f.Live = []string{"instance:" + k.String(), "source"}
	f.Announce = v.Says
	if in.Closed.IsZero() {
		f.Flash = flashVerb(c, in.Nodes)
	}
	return v, nil
}

func instanceParam(c echo.Context) (chain.Key, error) {
	s, err := segment(c, "key")
	if err != nil {
		return chain.Key{}, err
	}
	k, err := chain.ParseKey(s)
	if err != nil {
		return k, fault.Bad("%v", err)
	}
	return k, nil
}

func (p *Pages) nodeRows(ctx context.Context, in *chain.Instance, def *chain.Definition, blind map[string]federation.SourceStatus) []nodeRow {
	why, untold := map[string]chain.Explanation{}, ""
	if in.Closed.IsZero() {
		ctx, cancel := context.WithTimeout(ctx, explainLimit)
		defer cancel()
		all, err := p.engine.Explain(ctx, in.Key)
		if err != nil { // what is stored can still be shown
			p.logFault("why the nodes of "+in.Key.String()+" wait", err)
			untold = "cannot be told now: " + fault.Of(err).Detail
		}
		for _, e := range all {
			why[e.Node] = e
		}
	}
	var out []nodeRow
	for i := range in.Nodes {
		row := p.nodeRow(&in.Nodes[i], def, blind)
		e := why[row.Name]
		row.Why, row.NotBefore, row.GiveUpAt = cmp.Or(e.Reason, untold), p.when(e.NotBefore), p.when(e.GiveUpAt)
		row.Passed = row.GiveUpAt.Known() && !p.now().Before(e.GiveUpAt)
		row.Inputs = p.inputRows(e.Inputs)
		if in.Closed.IsZero() {
			row.Act = action{URL: instanceURL(in.Key) + "/nodes", Verbs: verbsFor(&in.Nodes[i], row.Stage)}
		}
		out = append(out, row)
	}
	return out
}

func (p *Pages) nodeRow(n *chain.NodeState, def *chain.Definition, blind map[string]federation.SourceStatus) nodeRow {
	row := nodeRow{Name: n.Name, Chip: p.nodeChip(n, blind), Attempt: n.Attempt, Released: p.when(n.Released), Since: p.when(since(n))}
	if n.Run != nil {
		row.Run, row.RunURL = n.Run.Key.Native, runURL(n.Run.Key)
	}
	if def == nil {
		return row
	}
	if d, ok := def.Node(n.Name); ok {
		row.Job, row.Stage = d.Job.String(), d.Stage
		row.JobURL = runsURL(d.Job)
	}
	return row
}

func (p *Pages) inputRows(in []chain.Input) []inputRow {
	var out []inputRow
	for _, i := range in {
		row := inputRow{
			Node: i.Node, On: i.On, Value: words(i.Value), HasState: i.State != "" || i.Settled != "", Seen: p.when(i.Seen),
			Chip: chip{Shape: string(i.State), Word: string(i.State)}, Evidence: i.Evidence,
		}
		if i.Settled != "" {
			row.Chip.Note = words(i.Settled)
		}
		if !i.Run.IsZero() {
			row.Run, row.RunURL = i.Run.Native, runURL(i.Run)
		}
		if !i.Evidence.IsZero() {
			row.EvURL = recordURL(i.Evidence)
		}
		if i.OffsetMS != nil {
			row.Offset = offsetText(millis(*i.OffsetMS))
		}
		out = append(out, row)
	}
	return out
}

// receiptRows reads the receipts of an instance, latest first.
func (p *Pages) receiptRows(ctx context.Context, k chain.Key) (rows []receiptRow, more bool, err error) {
	var seq int64
	for len(rows) < receiptsShown {
		entries, err := p.store.About(ctx, store.InstanceSubject(k), seq, receiptsShown)
		if err != nil {
			return nil, false, err
		}
		for _, e := range entries {
			seq = e.Seq
			if e.Kind == chain.KindReceipt {
				rows = append(rows, p.receiptRow(e))
			}
		}
		if len(entries) < receiptsShown {
			slices.Reverse(rows)
			return rows, false, nil
		}
	}
	slices.Reverse(rows)
	return rows, true, nil
}

func (p *Pages) receiptRow(e store.Entry) receiptRow {
	row := receiptRow{Seq: e.Seq, At: p.when(e.At), Hash: e.Hash, URL: receiptURL(e.Hash)}
	var r chain.Receipt
	if err := e.Open(chain.KindReceipt, &r); err != nil {
		row.Verdict, row.Reason = "unreadable", err.Error()
		return row
	}
	row.Node, row.Verdict, row.Reason = r.Node, words(r.Verdict), r.Reason
	return row
}
