package chain

import (
	"fmt"
	"strings"
	"time"

	"signalbox/adapters/job"
)

// Explanation says why a node stands where it stands, computed from the present state by the very
// evaluation that [Decide] uses.
type Explanation struct {
	GiveUpAt  time.Time `json:"give_up_at,omitzero"` // not released from then on, UTC
	Inputs    []Input   `json:"inputs,omitempty"`
	Node      string    `json:"node"`
	NotBefore time.Time `json:"not_before,omitzero"` // not released earlier, UTC
	Reason    string    `json:"reason"`              // one sentence for people
	State     job.State `json:"state"`
	Value     Value     `json:"value"` // of the dependencies together
}

// Explain says for each node of an open instance why it stands where it stands. An unknown instance
// gives nothing.
func Explain(s *State, k Key, now time.Time) []Explanation {
	l, ok := s.live[k]
	if !ok {
		return nil
	}
	d := newDraft(s, now, Cause{Clock: true})
	out := make([]Explanation, len(l.plan.def.Nodes))
	for i := range out {
		p := place{k, i}
		v, inputs := d.verdict(p)
		w := l.windows[i]
		out[i] = Explanation{
			Node: l.plan.def.Nodes[i].Name, State: d.node(p).State(), Value: v, Inputs: inputs,
			NotBefore: w.notBefore, GiveUpAt: w.giveUp, Reason: d.why(p, v, inputs),
		}
	}
	return out
}

// why puts the state of a node into one sentence.
func (d *draft) why(p place, v Value, inputs []Input) string {
	n, l := d.node(p), d.live(p.key)
	node := &l.plan.def.Nodes[p.index]
	if s := d.whyOver(n); s != "" {
		return s
	}
	switch {
	case n.Run != nil:
		return d.whyRun(n.Run)
	case n.Send == SendInDoubt:
		return "the answer to the start was lost and the source cannot say whether it happened: a person must decide (rerun, mark OK or skip)"
	case n.Send == SendRefused:
		return "the source refused to start it: " + n.SendNote
	case n.Send == SendPending:
		return "released, about to be sent to " + node.Job.Source + d.blindNote(node.Job.Source)
	case n.Send != "":
		return "released, the source has not reported it running yet" + d.blindNote(node.Job.Source)
	case n.Held:
		return "held by a person"
	}
	return d.whyWaiting(p, v, inputs)
}

func (d *draft) whyOver(n *NodeState) string {
	switch n.Settled {
	case SettledSkipped:
		return "skipped by a person"
	case SettledOK:
		return "marked OK by a person"
	case SettledNotNeeded:
		return "not needed: what it waits for cannot come any more"
	case SettledGaveUp:
		return "given up: its window passed"
	}
	return ""
}

func (d *draft) whyRun(r *job.Run) string {
	s := "run " + r.Key.Native + " " + string(r.State())
	if r.Latest.Reason != job.None {
		s += " (" + strings.ReplaceAll(string(r.Latest.Reason), "_", " ") + ")"
	}
	if e := r.Latest.End.String(); e != "" && !r.State().Good() {
		s += ", " + e
	}
	if !r.Terminal() {
		s += d.blindNote(r.Key.Source)
	}
	return s
}

func (d *draft) whyWaiting(p place, v Value, inputs []Input) string {
	l := d.live(p.key)
	node := &l.plan.def.Nodes[p.index]
	w := l.windows[p.index]
	var waits []string
	for _, in := range inputs {
		if in.Value != Met {
			waits = append(waits, inputText(in))
		}
	}
	switch {
	case node.Stage == Rehearse && !d.node(p).Released.IsZero():
		return "would have been released " + d.node(p).Released.Format(time.RFC3339) + "; its native schedule starts it"
	case node.Stage == Watch && len(waits) == 0:
		return "its native schedule starts it; nothing seen yet" + d.blindNote(node.Job.Source)
	case len(waits) > 0:
		return "waits for " + strings.Join(waits, "; ")
	case v == Met && d.now.Before(w.notBefore):
		return "waits until " + w.notBefore.Format(time.RFC3339)
	}
	return "ready"
}

func inputText(in Input) string {
	s := in.Node + " (on " + string(in.On) + "): "
	switch {
	case in.Settled != "":
		return s + strings.ReplaceAll(string(in.Settled), "_", " ")
	case in.Value == Unclear:
		return s + "its outcome is unknown, which never releases"
	case in.State == "":
		return s + "no run yet"
	case in.Value == NotMet && endsFor(in.State, in.On):
		return s + string(in.State) + ", but its source lets nobody go"
	}
	return s + string(in.State)
}

// endsFor tells whether a state by itself would meet a dependency.
func endsFor(s job.State, on On) bool {
	return (on == OnSuccess && s.Good()) || (on == OnFailure && s.Bad()) || (on == OnAny && s.Terminal())
}

func (d *draft) blindNote(source string) string {
	c, ok := d.s.sight[source]
	if !ok || !c.Blind {
		return ""
	}
	return fmt.Sprintf("; %s is out of sight since %s: %s", source, c.Since.UTC().Format(time.RFC3339), c.Error)
}
