package chain

import "time"

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
	if c.Verb == Force {
		d.edit(p)
		d.release(p, inputs, "forced by "+c.Actor+": "+c.Reason)
		return
	}
	d.override(p, c.Verb)
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
		*n = NodeState{Name: n.Name, Attempt: n.Attempt + 1}
	case Force:
	}
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
	driven := d.live(p.key).plan.def.Nodes[p.index].Stage == Drive
	over := n.Settled != "" || (n.Run != nil && n.Run.Terminal()) || n.Send == SendRefused || n.Send == SendInDoubt
	untouched := n.Run == nil && n.Settled == "" && n.Send == ""
	underWay := !over && !untouched && n.Send != SendPending
	switch v {
	case Hold:
		if !untouched {
			return "it was released or settled already"
		}
	case Unhold:
		if !n.Held {
			return "it is not held"
		}
	case Skip, MarkOK:
		if underWay {
			return "its run is under way: cancel it first"
		}
		if n.Settled != "" && n.Settled != SettledGaveUp {
			return "it is settled already"
		}
	case Rerun:
		return rerunRefusal(driven, over)
	case Force:
		if !driven {
			return "its stage is not drive: its native schedule starts it"
		}
		if !untouched {
			return "it was released or settled already"
		}
	default:
		return "the verb is not known"
	}
	return ""
}

func rerunRefusal(driven, over bool) string {
	switch {
	case !driven:
		return "its stage is not drive: rerun it at its source"
	case !over:
		return "its run is not over"
	}
	return ""
}

// KeepOpenDefault is how long an instance that is not settled stays open, if its definition does not
// say.
const KeepOpenDefault = 72 * time.Hour
