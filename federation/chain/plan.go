package chain

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"signalbox/adapters/job"
)

// plan is a definition made ready for deciding.
type plan struct {
	def        Definition
	version    job.Hash
	days       days
	index      map[string]int
	successors [][]int
	clocks     []window // minutes, per node
}

type window struct{ notBefore, giveUp int } // minutes since midnight; -1 = none

// compile makes a plan. It refuses what [Definition.Check] refuses.
func compile(def Definition, version job.Hash) (*plan, error) {
	if err := def.Check(); err != nil {
		return nil, err
	}
	loc, err := time.LoadLocation(def.Timezone)
	if err != nil {
		return nil, fmt.Errorf("chain %s: timezone %q: %w", def.Chain, def.Timezone, err)
	}
	cut, err := ParseClock(def.DayCut)
	if err != nil {
		return nil, fmt.Errorf("chain %s: day cut: %w", def.Chain, err)
	}
	p := &plan{def: def, version: version, days: days{loc: loc, cut: cut}, index: make(map[string]int, len(def.Nodes))}
	for i := range def.Nodes {
		p.index[def.Nodes[i].Name] = i
	}
	p.successors = make([][]int, len(def.Nodes))
	p.clocks = make([]window, len(def.Nodes))
	for i := range def.Nodes {
		for _, dep := range def.Nodes[i].After {
			up := p.index[dep.Node]
			p.successors[up] = append(p.successors[up], i)
		}
		p.clocks[i] = window{minutesOf(def.Nodes[i].NotBefore), minutesOf(def.Nodes[i].GiveUpAt)}
	}
	return p, nil
}

func minutesOf(clock string) int {
	if m, err := ParseClock(clock); err == nil {
		return m
	}
	return -1
}

// span is a node's window in one instance.
type span struct{ notBefore, giveUp time.Time }

// windows resolves all nodes' windows for an instance.
func (p *plan) windows(in *Instance) []span {
	out := make([]span, len(p.def.Nodes))
	for i := range p.def.Nodes {
		if m := p.clocks[i].notBefore; m >= 0 {
			out[i].notBefore = p.days.within(in.Key.BusinessDate, m)
		}
		if m := p.clocks[i].giveUp; m >= 0 {
			out[i].giveUp = p.days.within(in.Key.BusinessDate, m)
		}
		if s := p.def.Nodes[i].GiveUpAfter; s > 0 {
			if t := in.Opened.Add(s.Duration()); out[i].giveUp.IsZero() || t.Before(out[i].giveUp) {
				out[i].giveUp = t
			}
		}
	}
	return out
}

const (
	secondsADay         = 24 * 60 * 60
	longest     Seconds = 1000 * secondsADay // beyond any use; far from what overflows
)

// Check reports what is wrong with a definition by itself: names, dependencies, cycles, times. All
// faults are reported together.
func (d *Definition) Check() error {
	var errs []error
	bad := func(format string, a ...any) {
		errs = append(errs, fmt.Errorf("chain %s: %w", d.Chain, fmt.Errorf(format, a...)))
	}
	if d.Chain == "" || strings.Contains(d.Chain, ":") {
		bad("name %q: want one without a colon", d.Chain)
	}
	if len(d.Nodes) == 0 {
		bad("it has no jobs")
	}
	if d.KeepOpen <= 0 || d.KeepOpen > longest {
		bad("keep_open must be positive, and at most %d days", longest/secondsADay)
	}
	seen := make(map[string]bool, len(d.Nodes))
	for i := range d.Nodes {
		if seen[d.Nodes[i].Name] {
			bad("job %s is there twice", d.Nodes[i].Name)
		}
		seen[d.Nodes[i].Name] = true
	}
	for i := range d.Nodes {
		d.Nodes[i].check(seen, bad)
	}
	if head, ok := d.Node(d.Repeat); d.Repeat != "" && (!ok || len(head.After) > 0 || head.Stage == Drive) {
		bad("repeat: %q must be a job of the chain that waits for nothing and is not driven", d.Repeat)
	}
	if cycle := d.cycle(); cycle != nil {
		bad("jobs wait for each other: %v", cycle)
	}
	return errors.Join(errs...)
}

func (n *Node) check(names map[string]bool, bad func(string, ...any)) {
	if n.Name == "" || n.Job.Source == "" || n.Job.Job == "" {
		bad("job %q: name, source and job are required", n.Name)
	}
	switch n.Stage {
	case Watch, Rehearse, Drive:
	default:
		bad("job %s: stage %q is not known", n.Name, n.Stage)
	}
	if n.GiveUpAfter < 0 || n.GiveUpAfter > longest {
		bad("job %s: give_up_after must not be negative, and at most %d days", n.Name, longest/secondsADay)
	}
	ups := make(map[string]bool, len(n.After))
	for _, dep := range n.After {
		if !names[dep.Node] {
			bad("job %s: waits for %q, which is not in the chain", n.Name, dep.Node)
		}
		if ups[dep.Node] {
			bad("job %s: waits for %s twice", n.Name, dep.Node)
		}
		ups[dep.Node] = true
		switch dep.On {
		case OnSuccess, OnFailure, OnAny:
		default:
			bad("job %s: on %q is not known", n.Name, dep.On)
		}
	}
	for _, clock := range []string{n.NotBefore, n.GiveUpAt} {
		if _, err := ParseClock(clock); clock != "" && err != nil {
			bad("job %s: %v", n.Name, err)
		}
	}
}

// cycle gives the names along a cycle, first and last the same, or nil.
func (d *Definition) cycle() []string {
	const (
		onPath = 1
		done   = 2
	)
	mark := make(map[string]int, len(d.Nodes))
	var path []string
	var walk func(name string) []string
	walk = func(name string) []string {
		switch mark[name] {
		case done:
			return nil
		case onPath:
			return append(path, name)
		}
		mark[name] = onPath
		path = append(path, name)
		if n, ok := d.Node(name); ok {
			for _, dep := range n.After {
				if c := walk(dep.Node); c != nil {
					return c
				}
			}
		}
		path = path[:len(path)-1]
		mark[name] = done
		return nil
	}
	for i := range d.Nodes {
		if c := walk(d.Nodes[i].Name); c != nil {
			for c[0] != c[len(c)-1] {
				c = c[1:]
			}
			return c
		}
	}
	return nil
}
