package pages

import (
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// Which states need a person, and which only look as if they did.
func TestTrouble(t *testing.T) {
	t.Parallel()
	run := func(s job.State, over bool, reason job.Reason) *job.Run {
		return &job.Run{Latest: job.Observation{State: s, Over: over, Reason: reason, Attempt: 1}}
	}
	cases := []struct {
		name string
		node chain.NodeState
		want string // begins so; empty = nobody is needed
	}{
		{"waiting", chain.NodeState{}, ""},
		{"held by a person", chain.NodeState{Held: true}, ""},
		{"sent", chain.NodeState{Send: chain.SendSent}, ""},
		{"in doubt", chain.NodeState{Send: chain.SendInDoubt, SendNote: "line broke."}, "The answer to the start was lost, so nobody knows whether it started: line broke."},
		{"in doubt, then seen", chain.NodeState{Send: chain.SendInDoubt, Run: run(job.Running, false, "")}, ""},
		{"refused", chain.NodeState{Send: chain.SendRefused}, "The source refused to start it."},
		{"running", chain.NodeState{Run: run(job.Running, false, "")}, ""},
		{"out of sight", chain.NodeState{Run: run(job.Unknown, false, job.NotSeen)}, ""},
		{"unknown end", chain.NodeState{Run: run(job.Unknown, true, job.OutcomeUnknown)}, "It ended, and nobody can say how."},
		{"failed", chain.NodeState{Run: run(job.Failed, false, "")}, "It failed."},
		{"cancelled", chain.NodeState{Run: run(job.Cancelled, false, job.ByOperator)}, "It was cancelled: by operator."},
		{"warned", chain.NodeState{Run: run(job.Warned, false, "")}, ""},
		{"needs an operator", chain.NodeState{Run: run(job.Held, false, job.NeedsOperator)}, "The source waits for an operator."},
		{"held at the source", chain.NodeState{Run: run(job.Held, false, job.UserHold)}, ""},
		{"failed, then marked OK", chain.NodeState{Run: run(job.Failed, false, ""), Settled: chain.SettledOK}, ""},
		{"failed, then skipped", chain.NodeState{Run: run(job.Failed, false, ""), Settled: chain.SettledSkipped}, ""},
		{"not needed", chain.NodeState{Settled: chain.SettledNotNeeded}, ""},
		{"given up", chain.NodeState{Settled: chain.SettledGaveUp}, "Its window passed"},
	}
	for _, c := range cases {
		if got := trouble(&c.node); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What stands still because of a node: all that waits for its success, directly or not.
func TestStops(t *testing.T) {
	t.Parallel()
	after := func(node string, on chain.On) chain.Dependency { return chain.Dependency{Node: node, On: on} }
	def := &chain.Definition{Nodes: []chain.Node{
		{Name: "z-last", After: []chain.Dependency{after("c", chain.OnSuccess)}},
		{Name: "a"},
		{Name: "b", After: []chain.Dependency{after("a", chain.OnSuccess)}},
		{Name: "c", After: []chain.Dependency{after("b", chain.OnSuccess)}},
		{Name: "mail", After: []chain.Dependency{after("a", chain.OnFailure)}},
		{Name: "tidy", After: []chain.Dependency{after("a", chain.OnAny)}},
		{Name: "early", After: []chain.Dependency{after("a", chain.OnSuccess)}},
	}}
	in := &chain.Instance{}
	for _, n := range def.Nodes {
		in.Nodes = append(in.Nodes, chain.NodeState{Name: n.Name})
	}
	in.Nodes[6].Run = &job.Run{} // it ran all the same
	if got := stops(in, def, "a"); got != "b, c, z-last" {
		t.Errorf("a stops %q", got)
	}
	if got := stops(in, nil, "a"); got != "" {
		t.Errorf("without a definition: %q", got)
	}
}

// What matters more stands higher.
func TestByWeight(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	one := func(shape, stops string, minutes int) attention {
		return attention{Chip: chip{Shape: shape}, Stops: stops, Since: when{at: now.Add(time.Duration(minutes) * time.Minute)}}
	}
	order := []attention{one("failed", "x", 0), one("unknown", "y", 9), one("failed", "", 5), one("failed", "", 1), one("unknown", "", 9)}
	for i := range order {
		for j := range order {
			if got := byWeight(order[i], order[j]); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%d before %d: %d", i, j, got)
			}
		}
	}
}

// Only verbs that can make a difference are offered.
func TestVerbs(t *testing.T) {
	t.Parallel()
	run := func(s job.State, over bool) *job.Run {
		return &job.Run{Latest: job.Observation{State: s, Over: over, Attempt: 1}}
	}
	for _, c := range []struct {
		name         string
		node         chain.NodeState
		drive, watch string
	}{
		{"waiting", chain.NodeState{}, "hold force mark_ok skip", "mark_ok skip"},
		{"held", chain.NodeState{Held: true}, "unhold force mark_ok skip", "unhold mark_ok skip"},
		{"pending", chain.NodeState{Send: chain.SendPending}, "mark_ok skip", "mark_ok skip"},
		{"sent", chain.NodeState{Send: chain.SendSent}, "", ""},
		{"running", chain.NodeState{Run: run(job.Running, false), Send: chain.SendConfirmed}, "", ""},
		{"succeeded", chain.NodeState{Run: run(job.Succeeded, false)}, "rerun", ""},
		{"failed", chain.NodeState{Run: run(job.Failed, false)}, "rerun force mark_ok skip", "mark_ok skip"},
		{"out of sight", chain.NodeState{Run: run(job.Unknown, false)}, "rerun force mark_ok skip", "mark_ok skip"},
		{"in doubt", chain.NodeState{Send: chain.SendInDoubt}, "rerun force mark_ok skip", "mark_ok skip"},
		{"marked OK", chain.NodeState{Settled: chain.SettledOK}, "rerun force", ""},
		{"given up", chain.NodeState{Settled: chain.SettledGaveUp}, "rerun force mark_ok skip", "mark_ok skip"},
	} {
		for stage, want := range map[chain.Stage]string{chain.Drive: c.drive, chain.Watch: c.watch, chain.Rehearse: c.watch} {
			var got []string
			for _, v := range verbsFor(&c.node, stage) {
				got = append(got, string(v.Verb))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s in stage %s offers %q, want %q", c.name, stage, got, want)
			}
		}
	}
}
