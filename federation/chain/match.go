package chain

import (
	"cmp"
	"slices"
	"time"

	"signalbox/adapters/job"
)

// match finds the node that a natively started run belongs to, opening an instance if the run is the
// head of a repeating chain.
//
// The rule: the same business date, derived from when the run was planned or began (see [dated]), with
// the chain's day cut. Among several runs of one date the one that began last stands. In a repeating
// chain each run of the head opens an instance, and another watched job's run belongs to the latest open
// instance whose head began before it.
func (d *draft) match(w watcher, r *job.Run) (place, bool) {
	begun := corrected(r.Begun(), r)
	if begun.IsZero() {
		return place{}, false
	}
	switch {
	case w.plan.def.Repeat == "":
		return d.matchDate(w, r)
	case w.plan.def.Nodes[w.index].Name == w.plan.def.Repeat:
		return d.matchHead(w, r, begun)
	}
	return d.matchCycle(w, begun)
}

func (d *draft) matchDate(w watcher, r *job.Run) (place, bool) {
	date := w.plan.days.date(dated(r))
	if r.Latest.BusinessDate != "" {
		date = r.Latest.BusinessDate
	}
	p := place{Key{Chain: w.plan.def.Chain, BusinessDate: date}, w.index}
	l := d.live(p.key)
	if l == nil || l.Version != w.plan.version {
		return place{}, false
	}
	n := d.node(p)
	return p, supersedes(r, n.Run) && n.open()
}

func (d *draft) matchHead(w watcher, r *job.Run, begun time.Time) (place, bool) {
	k := Key{Chain: w.plan.def.Chain, BusinessDate: w.plan.days.date(dated(r)), Cycle: cycleOf(r)}
	p := place{k, w.index}
	if l := d.live(k); l != nil {
		return p, l.Version == w.plan.version && d.node(p).open()
	}
	f, ok := d.s.inForce[k.Chain]
	if !ok || f.version != w.plan.version || d.s.heads[k.head()] || begun.Before(f.activated) || d.now.Sub(begun) > CatchUp {
		return place{}, false
	}
	d.openInstance(w.plan, k, "run "+r.Key.Native+" of "+r.Key.Ref().String()+" began")
	return p, true
}

func (d *draft) matchCycle(w watcher, begun time.Time) (place, bool) {
	for _, k := range slices.Backward(d.s.cycles[w.plan.def.Chain]) {
		l := d.live(k)
		if l.Version != w.plan.version {
			continue
		}
		head := d.node(place{k, w.plan.index[w.plan.def.Repeat]})
		if head.Run == nil || corrected(head.Run.Begun(), head.Run).After(begun) {
			continue
		}
		p := place{k, w.index}
		n := d.node(p)
		return p, n.Run == nil && n.open()
	}
	return place{}, false
}

// open tells whether a run that shows up may take the node: a person has not settled it. What the clock
// settled (given up, not needed) gives way to a run that is there after all.
func (n *NodeState) open() bool { return n.Settled != SettledSkipped && n.Settled != SettledOK }

// supersedes tells whether a run stands before the one that a node has: it began later. The key decides
// between two that began together, so that the order in which they are seen does not.
func supersedes(r, other *job.Run) bool {
	if other == nil {
		return true
	}
	a, b := corrected(r.Begun(), r), corrected(other.Begun(), other)
	return cmp.Or(a.Compare(b), cmp.Compare(r.Key.String(), other.Key.String())) > 0
}

// smallOffset is how far a clock that is kept right may be off, with the error of measuring it.
const smallOffset = 5 * time.Second

// dated gives the moment that decides about a run's business date. A planned time is what the schedule's
// author wrote: it is taken as it stands, however wrong the source's clock is. A start is corrected for
// the clock's offset, unless that is so small that it could only do harm: a job that its source starts
// at midnight must not fall into the day before because of a few milliseconds.
func dated(r *job.Run) time.Time {
	if !r.Planned.IsZero() {
		return r.Planned.At
	}
	if t := corrected(r.Started, r); r.Started.At.Sub(t).Abs() > smallOffset {
		return t
	}
	return r.Started.At
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
