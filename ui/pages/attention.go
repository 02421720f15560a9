package pages

import (
	"cmp"
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
func (p *Pages) needs(in *chain.Instance, def *chain.Definition) []attention {
	var out []attention
	for i := range in.Nodes {
		n := &in.Nodes[i]
		what := trouble(n)
		if what == "" {
			continue
		}
		out = append(out, attention{
			Chip: chip{Shape: string(n.State()), Word: shortTrouble(n)}, Where: instanceName(in.Key) + " · " + n.Name,
			URL: instanceURL(in.Key) + "#node-" + n.Name, What: what, Stops: stops(in, def, n.Name), Since: p.when(since(n)),
			Fix: remedy(n, stageOf(def, n.Name)),
		})
	}
	return out
}

// trouble says what is wrong with a node that only a person can set right; empty = nothing.
func trouble(n *chain.NodeState) string {
	switch {
	case n.Settled == chain.SettledGaveUp:
		return "Its window passed: it was given up."
	case n.Settled != "":
		return ""
	case n.Run != nil:
		return runTrouble(n.Run)
	case n.Send == chain.SendInDoubt:
		return "The answer to the start was lost, so nobody knows whether it started" + because(n.SendNote)
	case n.Send == chain.SendRefused:
		return "The source refused to start it" + because(n.SendNote)
	}
	return ""
}

// runTrouble says what is wrong with a run that only a person can set right; empty = nothing.
func runTrouble(r *job.Run) string {
	o := &r.Latest
	switch {
	case r.State() == job.Cancelled:
		return "It was cancelled" + because(runNote(o)) + because(o.Detail)
	case r.State().Bad() && o.End.Kind != "":
		return "It ended with " + words(o.End.Kind) + " " + o.End.Code + because(o.Detail)
	case r.State().Bad():
		return "It " + string(r.State()) + because(runNote(o)) + because(o.Detail)
	case r.State() == job.Unknown && r.Terminal():
		return "It ended, and nobody can say how" + because(o.Detail)
	case r.State() == job.Held && o.Reason == job.NeedsOperator:
		return "The source waits for an operator" + because(o.Detail)
	}
	return ""
}

// because adds what is known about the cause.
func because(s string) string {
	if s == "" {
		return "."
	}
	return ": " + strings.TrimSuffix(s, ".") + "."
}

// remedy says what a person can do about a node in trouble.
func remedy(n *chain.NodeState, stage chain.Stage) string {
	again := "Rerun it"
	if stage != chain.Drive {
		again = "Run it again at its source"
	}
	switch {
	case n.Run == nil && n.Send == chain.SendInDoubt:
		return "Look at the source. " + again + " if it did not start; mark it OK or skip it if it did or need not."
	case n.Run != nil && n.Run.State() == job.Unknown:
		return "Find out how it ended. " + again + ", mark it OK, or skip it."
	case n.Run != nil && n.Run.State() == job.Held:
		return "Answer at the source."
	}
	return again + ", mark it OK, or skip it."
}

// shortTrouble names the trouble in a word or two.
func shortTrouble(n *chain.NodeState) string {
	switch {
	case n.Settled == "" && n.Run == nil && n.Send == chain.SendInDoubt:
		return "in doubt"
	case n.Settled == "" && n.Run == nil && n.Send == chain.SendRefused:
		return "refused"
	}
	return string(n.State())
}

// stageOf gives the stage of a node; empty without its definition.
func stageOf(def *chain.Definition, node string) chain.Stage {
	if def == nil {
		return ""
	}
	if d, ok := def.Node(node); ok {
		return d.Stage
	}
	return ""
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
				What: "It is not polled any more" + because(s.Error), Since: p.when(s.Since), Fix: s.Fix,
			})
		}
	}
	return out
}

// byWeight puts first what stops others, then what is worse, then what is latest.
func byWeight(a, b attention) int {
	return cmp.Or(
		cmp.Compare(min(1, len(b.Stops)), min(1, len(a.Stops))),
		cmp.Compare(rank(job.State(b.Chip.Shape)), rank(job.State(a.Chip.Shape))),
		b.Since.at.Compare(a.Since.at),
	)
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
