package chain

import (
	"time"

	"signalbox/adapters/job"
)

// match finds the node that a natively started run belongs to, opening an instance if the run is the
// head of a repeating chain.
//
// The rule: the same business date, derived from when the run was planned or began, by the clock of
// its source corrected for its offset, with the chain's day cut. Among several runs of one date the one
// that began last stands. In a repeating chain the head's beginning names the instance, and another
// watched job's run belongs to the latest open instance whose head began before it.
func (d *draft) match(w watcher, r *job.Run) (place, bool) {
	begun := corrected(r.Begun(), r)
	if begun.IsZero() {
		return place{}, false
	}
	switch {
	case w.plan.def.Repeat == "":
		return d.matchDate(w, r, begun)
	case w.plan.def.Nodes[w.index].Name == w.plan.def.Repeat:
		return d.matchHead(w, r, begun)
	}
	return d.matchCycle(w, begun)
}

func (d *draft) matchDate(w watcher, r *job.Run, begun time.Time) (place, bool) {
	date := w.plan.days.date(begun)
	if r.Latest.BusinessDate != "" {
		date = r.Latest.BusinessDate
	}
	p := place{Key{Chain: w.plan.def.Chain, BusinessDate: date}, w.index}
	l := d.live(p.key)
	if l == nil || l.Version != w.plan.version {
		return place{}, false
	}
	n := d.node(p)
	if n.Run != nil && !corrected(n.Run.Begun(), n.Run).Before(begun) {
		return place{}, false
	}
	return p, n.Settled == ""
}

func (d *draft) matchHead(w watcher, r *job.Run, begun time.Time) (place, bool) {
	k := Key{Chain: w.plan.def.Chain, BusinessDate: w.plan.days.date(begun), Cycle: r.Begun().At.UTC().Format(cycleFormat)}
	p := place{k, w.index}
	if l := d.live(k); l != nil {
		return p, l.Version == w.plan.version && d.node(p).Run == nil
	}
	f, ok := d.s.inForce[k.Chain]
	if !ok || f.version != w.plan.version || d.s.closed[k] || begun.Before(f.activated) || d.now.Sub(begun) > CatchUp {
		return place{}, false
	}
	d.openInstance(w.plan, k, "run "+r.Key.Native+" of "+r.Key.Ref().String()+" began")
	return p, true
}

func (d *draft) matchCycle(w watcher, begun time.Time) (place, bool) {
	keys := d.s.cycles[w.plan.def.Chain]
	for i := len(keys) - 1; i >= 0; i-- {
		l := d.live(keys[i])
		if l.Version != w.plan.version {
			continue
		}
		head := d.node(place{keys[i], w.plan.index[w.plan.def.Repeat]})
		if head.Run == nil || corrected(head.Run.Begun(), head.Run).After(begun) {
			continue
		}
		p := place{keys[i], w.index}
		n := d.node(p)
		return p, n.Run == nil && n.Settled == ""
	}
	return place{}, false
}

// corrected takes a source's clock offset out of a moment. An offset that was not measured counts as
// none; the observation says which it was.
func corrected(m job.Moment, r *job.Run) time.Time {
	if m.IsZero() {
		return time.Time{}
	}
	if ms := r.Latest.Sighting.OffsetMS; ms != nil {
		return m.At.Add(-time.Duration(*ms) * time.Millisecond)
	}
	return m.At
}
