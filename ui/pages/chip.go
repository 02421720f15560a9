package pages

import (
	"strings"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
)

// chip is a state as pages show it: a shape and a word, and what must stand beside it.
type chip struct {
	Shape string // names a symbol: a state, or seen, blind, stopped, never
	Word  string
	Note  string // "outcome unknown", "exit 3", "start in doubt"
	Stale when   // set if its source is out of sight since then
}

// runChip shows a run's state. blind gives since when sources are out of sight.
func (p *Pages) runChip(r *job.Run, blind map[string]federation.SourceStatus) chip {
	c := chip{Shape: string(r.State()), Word: string(r.State()), Note: runNote(&r.Latest)}
	if s, ok := blind[r.Key.Source]; ok && !r.Terminal() {
		c.Stale = p.when(s.Since)
	}
	return c
}

// runNote says in few words what the state alone does not.
func runNote(o *job.Observation) string {
	var parts []string
	if o.Reason != job.None {
		parts = append(parts, words(o.Reason))
	}
	if o.End.Kind != "" && !o.State.Good() {
		parts = append(parts, words(o.End.Kind)+" "+o.End.Code)
	}
	return strings.Join(parts, ", ")
}

// nodeChip shows a node's state: its run's, or what was decided.
func (p *Pages) nodeChip(n *chain.NodeState, blind map[string]federation.SourceStatus) chip {
	if n.Settled == "" && n.Run != nil {
		return p.runChip(n.Run, blind)
	}
	c := chip{Shape: string(n.State()), Word: string(n.State())}
	switch {
	case n.Settled != "":
		c.Note = words(n.Settled)
	case n.Send == chain.SendInDoubt:
		c.Note = "start in doubt"
	case n.Send == chain.SendRefused:
		c.Note = "start refused"
	case n.Send != "":
		c.Note = "start " + words(n.Send)
	}
	return c
}

// sourceChip shows whether a source can be seen.
func (p *Pages) sourceChip(s *federation.SourceStatus) chip {
	switch {
	case s.Stopped:
		return chip{Shape: "stopped", Word: "stopped"}
	case s.Blind:
		return chip{Shape: "blind", Word: "blind"}
	case s.LastSeen.IsZero():
		return chip{Shape: "never", Word: "not seen yet"}
	}
	return chip{Shape: "seen", Word: "seen"}
}

// words turns a term of programs into one of people.
func words[T ~string](s T) string { return strings.ReplaceAll(string(s), "_", " ") }
