package lineage

import (
	"context"
	"fmt"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Use is a place in an instance of a chain where a run counts.
type Use struct {
	Key    chain.Key
	Node   string
	Stage  chain.Stage
	Judged *Judgement // what was found about the handoff, in stages watch and rehearse; nil if nothing yet
}

// Judgement is a receipt about a run that somebody else started.
type Judgement struct {
	Place
	Receipt chain.Receipt
}

// UseReader is what [Uses] reads. A store.Store is one.
type UseReader interface {
	// Definitions gives the current versions.
	Definitions(ctx context.Context) ([]chain.Definition, error)
	// Instances gives instances, latest opened first.
	Instances(ctx context.Context, f store.InstanceFilter) ([]chain.Instance, error)
	// About gives at most limit entries of a subject above seq, in order.
	About(ctx context.Context, subject string, seq int64, limit int) ([]store.Entry, error)
}

// usesLooked is how many instances of each chain are looked at, back from the run's last activity.
const usesLooked = 40

// Uses finds the instances in which a run counts, of chains in service that name its job. It looks at
// the latest instances that were open when the run was last heard of, not at all of history: a run
// that counts in an older one is not found.
func Uses(ctx context.Context, r UseReader, run *job.Run) ([]Use, error) {
	defs, err := r.Definitions(ctx)
	if err != nil {
		return nil, fmt.Errorf("uses of %s: %w", run.Key, err)
	}
	var out []Use
	for i := range defs {
		if !names(&defs[i], run.Key.Ref()) {
			continue
		}
		found, err := usesIn(ctx, r, &defs[i], run)
		if err != nil {
			return nil, fmt.Errorf("uses of %s: %w", run.Key, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

func names(def *chain.Definition, ref job.Ref) bool {
	for i := range def.Nodes {
		if def.Nodes[i].Job == ref {
			return true
		}
	}
	return false
}

func usesIn(ctx context.Context, r UseReader, def *chain.Definition, run *job.Run) ([]Use, error) {
	// A run may open the instance that it counts in: that is opened just after the run was seen.
	seen := run.Latest.Sighting.Seen.Add(time.Minute)
	instances, err := r.Instances(ctx, store.InstanceFilter{Chain: def.Chain, Before: seen, Limit: usesLooked})
	if err != nil {
		return nil, err
	}
	var out []Use
	for i := range instances {
		in := &instances[i]
		for j := range in.Nodes {
			n := &in.Nodes[j]
			if n.Run == nil || n.Run.Key != run.Key {
				continue
			}
			u := Use{Key: in.Key, Node: n.Name}
			if d, ok := def.Node(n.Name); ok {
				u.Stage = d.Stage
			}
			if u.Judged, err = judgement(ctx, r, in.Key, n.Name); err != nil {
				return nil, err
			}
			out = append(out, u)
		}
	}
	return out, nil
}

// judgement finds the last receipt about how a watched node was handed over.
func judgement(ctx context.Context, r UseReader, k chain.Key, node string) (*Judgement, error) {
	var last *Judgement
	var seq int64
	for {
		entries, err := r.About(ctx, store.InstanceSubject(k), seq, pageSize)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			seq = e.Seq
			var rec chain.Receipt
			if e.Kind != chain.KindReceipt || e.Open(chain.KindReceipt, &rec) != nil || rec.Node != node {
				continue
			}
			if rec.Verdict == chain.InOrder || rec.Verdict == chain.Overlapped {
				last = &Judgement{Place: placeOf(e), Receipt: rec}
			}
		}
		if len(entries) < pageSize {
			return last, nil
		}
	}
}
