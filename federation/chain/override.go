package chain

import (
	"time"

	"signalbox/adapters/job"
)

// command carries out what a person asked for, or refuses it with a reason. Both leave a receipt.
func (d *draft) command(c Command) {
	l := d.live(c.Instance)
	if l == nil {
		d.receipt(Receipt{Instance: c.Instance, Node: c.Node, Verdict: Refused, Reason: "the instance is not open"})
		return
	}
	i, ok := l.plan.index[c.Node]
	if !ok {
		d.receipt(Receipt{Instance: c.Instance, Node: c.Node, Verdict: Refused, Reason: "the chain has no such job", Version: l.Version})
		return
	}
	p := place{c.Instance, i}
	_, inputs := d.verdict(p)
	if no := d.refusal(p, c.Verb); no != "" {
		d.receipt(d.nodeReceipt(p, Refused, inputs, string(c.Verb)+" refused: "+no))
		return
	}
	d.override(p, c.Verb)
	if c.Verb == Force {
		d.release(p, inputs, "forced by "+c.Actor+": "+c.Reason)
		return
	}
	d.receipt(d.nodeReceipt(p, Overridden, inputs, string(c.Verb)+" by "+c.Actor+": "+c.Reason))
}

func (d *draft) override(p place, v Verb) {
	n := d.edit(p)
	switch v {
	case Hold:
		n.Held = true
	case Unhold:
		n.Held = false
	case Skip, MarkOK:
		d.withdraw(n, string(v))
		n.Settled, n.SettledAt = SettledSkipped, d.now
		if v == MarkOK {
			n.Settled = SettledOK
		}
	case Rerun:
		n.restart()
	case Force:
		if n.over() {
			n.restart()
		}
		n.Held = false
	}
}

// restart makes a node as it was at the beginning, for another attempt.
func (n *NodeState) restart() { *n = NodeState{Name: n.Name, Attempt: n.Attempt + 1} }

// untouched tells whether nothing has happened to the node yet.
func (n *NodeState) untouched() bool { return n.Run == nil && n.Settled == "" && n.Send == "" }

// over tells whether nothing more will come of the node by itself, or nobody can say whether it will: then
// a person may decide.
func (n *NodeState) over() bool {
	if n.Run != nil {
		return n.Settled != "" || n.Run.Terminal() || n.Run.State() == job.Unknown
	}
	return n.Settled != "" || n.Send == SendRefused || n.Send == SendInDoubt
}

// withdraw takes back a start that was decided and surely not sent yet.
func (d *draft) withdraw(n *NodeState, why string) {
	if n.Send == SendPending {
		n.Send, n.SendNote = SendRefused, "withdrawn: "+why
		d.out.Moves = append(d.out.Moves, Move{Token: n.Token, From: SendPending, To: SendRefused, Note: n.SendNote})
	}
}

// refusal says why a verb cannot be carried out now, or nothing.
func (d *draft) refusal(p place, v Verb) string {
	n := d.node(p)
	switch v {
	case Unhold:
		if !n.Held {
			return "it is not held"
		}
		return ""
	case Skip, MarkOK:
		return n.settleRefusal()
	case Hold, Rerun, Force:
		if d.live(p.key).plan.def.Nodes[p.index].Stage != Drive {
			return "its stage is not drive: do it at its source, which starts it"
		}
		return d.startRefusal(p, v)
	}
	return "the verb is not known"
}

// settleRefusal says why a person cannot declare how the node ended, or nothing.
func (n *NodeState) settleRefusal() string {
	switch {
	case n.Run == nil && n.Send == SendConfirmed && n.Settled == "": // accepted, and never seen: only a person can tell
	case !n.over() && !n.untouched() && n.Send != SendPending:
		return "its run is under way: cancel it first"
	case n.Settled != "" && n.Settled != SettledGaveUp:
		return "it is settled already"
	}
	return ""
}

// startRefusal says why a person cannot have a say in the node's start, or nothing.
func (d *draft) startRefusal(p place, v Verb) string {
	n := d.node(p)
	switch {
	case v == Rerun:
		return d.rerunRefusal(p)
	case n.untouched():
	case v == Hold:
		return "it was released or settled already"
	case !n.over():
		return "it was released already and is not over"
	}
	return ""
}

// rerunRefusal says why a node cannot be run again, or nothing. A rerun that would be given up at once
// is refused, so that nobody waits for it.
func (d *draft) rerunRefusal(p place) string {
	if !d.node(p).over() {
		return "its run is not over"
	}
	if d.live(p.key).windows[p.index].passed(d.now) {
		return "its window has passed: force it"
	}
	if v, _ := d.verdict(p); v == Never {
		return "what it waits for cannot come any more: force it"
	}
	return ""
}

// KeepOpenDefault is how long an instance that is not settled stays open, if its definition does not
// say.
const KeepOpenDefault = 72 * time.Hour
