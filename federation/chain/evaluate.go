package chain

import (
	"fmt"
	"slices"
	"time"

	"signalbox/adapters/job"
)

// evaluate decides about one node from how everything stands now. Evaluating again changes nothing.
func (d *draft) evaluate(p place) {
	l := d.live(p.key)
	if l == nil {
		return
	}
	n := d.node(p)
	node := &l.plan.def.Nodes[p.index]
	if node.Stage != Drive && !n.Judged && n.Run != nil && len(node.After) > 0 {
		d.judge(p)
	}
	if !n.undecided(node.Stage) {
		return
	}
	value, inputs := d.verdict(p)
	if n.Settled == SettledNotNeeded {
		if value == Never {
			return
		}
		n := d.edit(p) // a rerun upstream may still bring what it waits for
		n.Settled, n.SettledAt = "", time.Time{}
	}
	d.conclude(p, value, inputs)
}

// conclude decides about an undecided node, given what its dependencies are worth.
func (d *draft) conclude(p place, value Value, inputs []Input) {
	l := d.live(p.key)
	n, stage, w := d.node(p), l.plan.def.Nodes[p.index].Stage, l.windows[p.index]
	late := w.passed(d.now)
	switch {
	case n.Send == SendPending:
		if late && n.Released.Before(w.giveUp) { // its source could not be reached until now
			d.withdraw(d.edit(p), "its window passed before it could be sent")
			d.giveUp(p, SettledGaveUp, GaveUp, inputs, "not sent by "+w.giveUp.Format(time.RFC3339))
		}
	case n.Run != nil && (late || value == Never): // rehearsed, and its native clock was faster
	case value == Never:
		d.giveUp(p, SettledNotNeeded, NotNeeded, inputs, "what it waits for cannot come any more")
	case late:
		d.tooLate(p, inputs)
	case value != Met || n.Held || d.now.Before(w.notBefore):
	case stage == Drive:
		d.release(p, inputs, releaseReason(inputs))
	case stage == Rehearse:
		d.edit(p).Released = d.now
		d.receipt(d.nodeReceipt(p, Rehearsed, inputs, "would be released: "+releaseReason(inputs)))
	}
}

// tooLate gives up a node whose window passed. What a native clock should have started is given up only in
// sight of its source: silence is not absence.
func (d *draft) tooLate(p place, inputs []Input) {
	l := d.live(p.key)
	node, by := &l.plan.def.Nodes[p.index], l.windows[p.index].giveUp.Format(time.RFC3339)
	if node.Stage == Drive {
		d.giveUp(p, SettledGaveUp, GaveUp, inputs, "not released by "+by)
		return
	}
	if _, unseen := d.s.unseen(node.Job.Source, d.now); !unseen {
		d.giveUp(p, SettledGaveUp, GaveUp, inputs, "not seen to begin by "+by)
	}
}

// undecided tells whether anything is left to decide about a node. In rehearsal a run does not decide: a
// native clock started it, and what would have been decided is to be compared with that.
func (n *NodeState) undecided(stage Stage) bool {
	if n.Settled != "" && n.Settled != SettledNotNeeded {
		return false
	}
	if stage == Rehearse {
		return n.Released.IsZero()
	}
	return n.Run == nil && (n.Send == "" || n.Send == SendPending)
}

func (w span) passed(now time.Time) bool { return !w.giveUp.IsZero() && !now.Before(w.giveUp) }

func releaseReason(inputs []Input) string {
	if len(inputs) == 0 {
		return "it waits for nothing"
	}
	return "all it depends on is met"
}

func (d *draft) release(p place, inputs []Input, reason string) {
	n := d.edit(p)
	n.Token = d.token(p, n.Attempt)
	n.Released, n.Send = d.now, SendPending
	i := d.receipt(d.nodeReceipt(p, Released, inputs, reason))
	d.out.Intents = append(d.out.Intents, Intent{
		Token: n.Token, Key: p.key, Node: n.Name, Attempt: n.Attempt, Receipt: i,
		Job: d.live(p.key).plan.def.Nodes[p.index].Job,
	})
}

func (d *draft) giveUp(p place, how Settled, v Verdict, inputs []Input, reason string) {
	n := d.edit(p)
	n.Settled, n.SettledAt = how, d.now
	d.receipt(d.nodeReceipt(p, v, inputs, reason))
}

// verdict evaluates a node's dependencies: all must be met. A never outweighs an unknown, which
// outweighs a not yet.
func (d *draft) verdict(p place) (Value, []Input) {
	node := &d.live(p.key).plan.def.Nodes[p.index]
	if len(node.After) == 0 {
		return Met, nil
	}
	all, inputs := Met, make([]Input, len(node.After))
	for i, dep := range node.After {
		inputs[i] = d.input(p.key, dep)
		if weight(inputs[i].Value) > weight(all) {
			all = inputs[i].Value
		}
	}
	return all, inputs
}

func weight(v Value) int { return slices.Index([]Value{Met, NotMet, Unclear, Never}, v) }

func (d *draft) input(k Key, dep Dependency) Input {
	up := d.node(place{k, d.live(k).plan.index[dep.Node]})
	in := Input{Node: dep.Node, On: dep.On, Settled: up.Settled, Value: valueOf(up, dep.On)}
	if r := up.Run; r != nil && up.Settled == "" {
		in.Run, in.Attempt, in.State = r.Key, r.Latest.Attempt, r.State()
		in.Evidence, in.Seen, in.OffsetMS = r.Evidence, r.Latest.Sighting.Seen, r.Latest.Sighting.OffsetMS
	}
	return in
}

// valueOf says what an upstream node means for a dependency on one of its ends: the truth table.
func valueOf(up *NodeState, on On) Value {
	switch up.Settled {
	case SettledSkipped, SettledOK:
		return pick(on, Met, Never)
	case SettledNotNeeded:
		return Never
	case SettledGaveUp:
		return pick(on, NotMet, Met)
	}
	if up.Run == nil {
		if up.Send == SendInDoubt {
			return Unclear
		}
		return NotMet
	}
	return runValue(up.Run, on)
}

func runValue(r *job.Run, on On) Value {
	state := r.State()
	releases := r.Latest.Releases
	switch {
	case state == job.Unknown && !r.Terminal():
		return Unclear
	case !r.Terminal():
		return NotMet
	case releases != nil && !*releases:
		return NotMet // its source says: let nobody go
	case state == job.Unknown:
		return pick(on, Unclear, Unclear) // it has ended: all that "any" asks
	case state.Good():
		return pick(on, Met, Never)
	case state == job.Skipped:
		if releases != nil {
			return pick(on, Met, Never)
		}
		return pick(on, NotMet, Never)
	}
	return pick(on, NotMet, Met) // a bad end; a rerun may still bring success
}

// pick chooses what an end means. Whatever it was, it is what "any" asks for.
func pick(on On, success, failure Value) Value {
	switch on {
	case OnSuccess:
		return success
	case OnFailure:
		return failure
	case OnAny:
		return Met
	}
	return Unclear
}

// judge says of a run that a native clock started whether it began after what it depends on had
// ended. It waits until both ends of each handoff are known, and speaks once.
func (d *draft) judge(p place) {
	n, l := d.node(p), d.live(p.key)
	began := corrected(n.Run.Started, n.Run)
	if began.IsZero() {
		return
	}
	var gap time.Duration
	last := ""
	for _, dep := range l.plan.def.Nodes[p.index].After {
		up := d.node(place{p.key, l.plan.index[dep.Node]})
		if up.Run == nil || !up.Run.Terminal() || up.Run.Latest.Ended.IsZero() {
			return
		}
		if g := began.Sub(corrected(up.Run.Latest.Ended, up.Run)); last == "" || g < gap {
			gap, last = g, dep.Node
		}
	}
	_, inputs := d.verdict(p)
	v, reason := InOrder, fmt.Sprintf("began %s after %s had ended", gap.Round(time.Second), last)
	if gap < 0 {
		v, reason = Overlapped, fmt.Sprintf("began %s before %s had ended", (-gap).Round(time.Second), last)
	}
	d.edit(p).Judged = true
	d.receipt(d.nodeReceipt(p, v, inputs, reason))
}
