package config

import (
	"slices"
	"strings"

	"signalbox/federation/chain"
)

// checkChains finds what does not fit together, in each chain and between them, after everything was
// read: most mistakes show between two places. Without known sources (they could not be read) it does
// not judge them.
func (l *loader) checkChains(sourcesKnown bool) {
	first := map[string]*chainDraft{}
	for _, c := range l.chains {
		if earlier, ok := first[c.name]; ok && c.name != "" {
			l.found.fault(c.settings.at("chain"), "give one of them another name", "the chain name %s is taken already (%s)",
				quote(c.name), earlier.settings.at("chain").short(c.file))
		} else {
			first[c.name] = c
		}
		c.applyStages(l.found)
		c.check(l.found)
		if sourcesKnown {
			l.checkSources(c)
		}
	}
	l.checkMasters()
}

// applyStages gives every node its stage.
func (c *chainDraft) applyStages(found *findings) {
	for _, s := range c.stages {
		n := c.node(s.node)
		switch {
		case n == nil && len(c.nodes) > 0:
			found.fault(s.at, meant(closest(s.node, append(c.names(), stageDefault))),
				"stage: the chain has no node %s", quote(s.node))
		case n == nil:
		case n.settings.given("stage"):
			found.fault(s.at, "keep one of them", "the stage of %s is given twice: it stands at the node in line %d too",
				s.node, n.settings.at("stage").Line)
		default:
			n.stage, n.stageAt = s.stage, s.at
		}
	}
	for _, n := range c.nodes {
		if n.stage == "" {
			n.stage = c.stage
			if c.settings.given("stage") && !n.settings.given("stage") {
				n.stageAt = c.settings.at("stage")
			}
		}
	}
}

// check finds what is wrong within one chain.
func (c *chainDraft) check(found *findings) {
	for _, n := range c.nodes {
		c.checkAfter(n, found)
		c.checkTimes(n, found)
	}
	for _, k := range c.cycles() {
		found.fault(k.at, "take one of these dependencies out",
			"cycle: %s; each waits for the one before it", strings.Join(k.path, " → "))
	}
	c.checkRepeat(found)
}

// checkAfter finds dependencies that cannot be.
func (c *chainDraft) checkAfter(n *nodeDraft, found *findings) {
	first := map[string]Place{}
	for _, a := range n.after {
		if earlier, ok := first[a.node]; ok {
			found.fault(a.at, "keep one of them",
				"after: %s depends on %s twice; the first is in line %d, column %d",
				n.name, a.node, earlier.Line, earlier.Column)
			continue
		}
		first[a.node] = a.at
		switch {
		case a.node == n.name:
			found.fault(a.at, "take it out", "after: %s depends on itself", n.name)
		case c.node(a.node) != nil:
		case strings.Contains(a.node, "/"):
			found.fault(a.at, "give the job a node of its own in jobs, and name that node",
				"after: %s is a job; nodes of this chain are wanted", quote(a.node))
		default:
			found.fault(a.at, meant(closest(a.node, c.names())), "after: the chain has no node %s", quote(a.node))
		}
	}
}

// checkTimes finds a window that is never open.
func (c *chainDraft) checkTimes(n *nodeDraft, found *findings) {
	if n.giveUpAfter > c.keepOpen && c.keepOpen > 0 {
		found.warn(n.settings.at("give_up_after"), "",
			"give_up_after (%s) has no effect: the instance is closed after %s (keep_open)",
			brief(n.giveUpAfter), brief(c.keepOpen))
	}
	if n.giveUpAt == "" || c.dayCut == "" {
		return
	}
	end := c.sinceCut(n.giveUpAt)
	switch {
	case end == 0:
		found.fault(n.settings.at("give_up_at"), "",
			"give_up_at: %s is the beginning of the business date (day_cut): %s could never be released",
			n.giveUpAt, n.name)
	case n.notBefore != "" && c.sinceCut(n.notBefore) >= end:
		found.fault(n.settings.at("not_before"), "",
			"not_before %s does not come before give_up_at %s in a business date that begins at %s: %s could never be released",
			n.notBefore, n.giveUpAt, c.dayCut, n.name)
	}
}

// sinceCut gives the minutes from the beginning of the business date to a time of day that was checked.
func (c *chainDraft) sinceCut(text string) int {
	const day = 24 * 60
	cut, _ := minutes(c.dayCut)
	at, _ := minutes(text)
	return (at - cut + day) % day
}

// checkRepeat finds a head node that could not open instances: its runs come from its own clock alone.
func (c *chainDraft) checkRepeat(found *findings) {
	if c.repeat == "" || len(c.nodes) == 0 {
		return
	}
	at := c.settings.at("repeat")
	n := c.node(c.repeat)
	if n == nil {
		found.fault(at, meant(closest(c.repeat, c.names())), "repeat: the chain has no node %s", quote(c.repeat))
		return
	}
	if n.stage == chain.Drive {
		found.fault(at, "set stage watch or rehearse for it",
			"repeat: %s is in stage drive (%s), but its own clock must start it",
			n.name, n.stageAt.short(c.file))
	}
	if len(n.after) > 0 {
		found.fault(n.settings.at("after"), "take it out",
			"after: every run of %s opens an instance (repeat), so it cannot wait for others", n.name)
	}
}

// cycle is a way from a node back to itself.
type cycle struct {
	path []string // in the order of the runs; the first stands at the end again
	at   Place    // of the dependency that closes it
}

// cycles finds a cycle for each dependency that closes one; without those dependencies there is none.
// Nodes that depend on themselves are reported elsewhere.
func (c *chainDraft) cycles() []cycle {
	var out []cycle
	var stack []string // from a node to what it waits for
	done := map[string]bool{}
	found := map[[2]string]bool{} // a dependency that is given twice closes one cycle
	var visit func(n *nodeDraft)
	visit = func(n *nodeDraft) {
		stack = append(stack, n.name)
		for _, a := range n.after {
			upstream, edge := c.node(a.node), [2]string{n.name, a.node}
			switch i := slices.Index(stack, a.node); {
			case upstream == nil || upstream == n || done[a.node] || found[edge]:
			case i >= 0:
				path := append(slices.Clone(stack[i:]), a.node)
				slices.Reverse(path)
				found[edge] = true
				out = append(out, cycle{path: path, at: a.at})
			default:
				visit(upstream)
			}
		}
		stack = stack[:len(stack)-1]
		done[n.name] = true
	}
	for _, n := range c.nodes {
		if !done[n.name] {
			visit(n)
		}
	}
	return out
}

// checkSources finds jobs at sources that are not configured or may not be changed.
func (l *loader) checkSources(c *chainDraft) {
	var names []string
	for _, s := range l.sources {
		if checkName(s.Name) == nil {
			names = append(names, s.Name)
		}
	}
	for _, n := range c.nodes {
		if n.job.Source == "" {
			continue
		}
		s := l.source(n.job.Source)
		switch {
		case s == nil:
			hint := meant(closest(n.job.Source, names))
			if hint == "" && len(names) > 0 && len(names) <= 12 {
				hint = "configured are " + strings.Join(names, ", ")
			}
			l.found.fault(n.settings.at("job"), hint, "job: there is no source %s", quote(n.job.Source))
		case s.Options.ReadOnly && n.stage == chain.Drive:
			l.found.fault(n.stageAt, "",
				"stage: %s cannot be driven: its source %s is read_only (%s)", n.name, s.Name, s.Place.short(c.file))
		}
	}
}

// checkMasters refuses two nodes that would both start the same job.
func (l *loader) checkMasters() {
	type master struct {
		chain *chainDraft
		node  *nodeDraft
	}
	first := map[string]master{}
	for _, c := range l.chains {
		for _, n := range c.nodes {
			if n.stage != chain.Drive || n.job.Source == "" {
				continue
			}
			other, ok := first[n.job.String()]
			if !ok {
				first[n.job.String()] = master{c, n}
				continue
			}
			l.found.fault(n.at, "only one of them may be in stage drive",
				"two masters for one job: %s is driven here by %s/%s and by %s/%s (%s)",
				n.job, c.name, n.name, other.chain.name, other.node.name, other.node.at.short(c.file))
		}
	}
}
