package pages

import (
	"fmt"
	"strings"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
)

// attention is one thing that will not go on without a person.
type attention struct {
	Chip  chip
	Where string // what it is about
	URL   string
	What  string // one sentence
	Stops string // what cannot go on because of it
	Since when
	Fix   string
}

// needs finds what needs a person in an open instance.
func (p *Pages) needs(in *chain.Instance, def *chain.Definition, blind map[string]federation.SourceStatus) []attention {
	var out []attention
	for i := range in.Nodes {
		n := &in.Nodes[i]
		what := trouble(n)
		if what == "" {
			continue
		}
		out = append(out, attention{
			Chip: p.nodeChip(n, blind), Where: instanceName(in.Key) + " · " + n.Name, URL: instanceURL(in.Key) + "#node-" + n.Name,
			What: what, Stops: stops(in, def, n.Name), Since: p.when(since(n)),
		})
	}
	return out
}

// trouble says what is wrong with a node that only a person can set right; empty = nothing.
func trouble(n *chain.NodeState) string {
	switch {
	case n.Settled == chain.SettledGaveUp:
		return "its window passed: it was given up"
	case n.Settled != "":
		return ""
	case n.Send == chain.SendInDoubt && n.Run == nil:
		return "the answer to the start was lost: did it start? " + n.SendNote
	case n.Send == chain.SendRefused && n.Run == nil:
		return "the source refused to start it: " + n.SendNote
	case n.Run == nil:
		return ""
	}
	r := n.Run
	note := runNote(&r.Latest)
	if note != "" {
		note = ": " + note
	}
	switch {
	case r.State().Bad():
		return "it " + pastText(r.State()) + note
	case r.State() == job.Unknown && r.Terminal():
		return "it ended and nobody can say how" + detail(r)
	case r.State() == job.Held && r.Latest.Reason == job.NeedsOperator:
		return "the source waits for an operator" + detail(r)
	}
	return ""
}

func pastText(s job.State) string {
	if s == job.Cancelled {
		return "was cancelled"
	}
	return string(s)
}

func detail(r *job.Run) string {
	if r.Latest.Detail == "" {
		return ""
	}
	return ": " + r.Latest.Detail
}

// stops names the nodes that wait for a node and are not over, directly or not.
func stops(in *chain.Instance, def *chain.Definition, node string) string {
	if def == nil {
		return ""
	}
	stuck := map[string]bool{node: true}
	var names []string
	for grew := true; grew; {
		grew = false
		for i := range def.Nodes {
			d := &def.Nodes[i]
			if !stuck[d.Name] && waitsFor(d, stuck) && isOpen(in, d.Name) {
				stuck[d.Name], grew = true, true
				names = append(names, d.Name)
			}
		}
	}
	return strings.Join(names, ", ")
}

// waitsFor tells whether a node depends on the success of one of the others.
func waitsFor(n *chain.Node, stuck map[string]bool) bool {
	for _, a := range n.After {
		if stuck[a.Node] && a.On == chain.OnSuccess {
			return true
		}
	}
	return false
}

func isOpen(in *chain.Instance, node string) bool {
	for i := range in.Nodes {
		n := &in.Nodes[i]
		if n.Name == node {
			return n.Settled == "" && n.Send == "" && n.Run == nil
		}
	}
	return false
}

// sourceNeeds finds what needs a person at the sources: those that are not retried by themselves.
// Those out of sight are shown with the sources; they may come back alone.
func (p *Pages) sourceNeeds(all []federation.SourceStatus) []attention {
	var out []attention
	for i := range all {
		s := &all[i]
		if s.Stopped {
			out = append(out, attention{
				Chip: p.sourceChip(s), Where: "source " + s.Name, URL: sourceURL(s.Name),
				What: "it is not polled any more: " + s.Error, Since: p.when(s.Since), Fix: s.Fix,
			})
		}
	}
	return out
}

func needsText(n int) string {
	switch n {
	case 0:
		return "Nothing needs a person."
	case 1:
		return "1 thing needs a person."
	}
	return fmt.Sprintf("%d things need a person.", n)
}
