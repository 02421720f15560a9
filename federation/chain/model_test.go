package chain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"signalbox/adapters/job"
)

// This file is a second, tiny account of what a chain must do. It shares nothing with Decide: it knows what
// happens to each job from the beginning, and works out what must come of it.

// fate is what happens to a job once it is started.
type fate struct {
	end      job.State // empty: it never ends
	lost     bool      // its end is seen, its outcome is not
	vanished bool      // it is lost from sight while it runs
	never    bool      // no run ever shows up
	releases *bool
}

// world is a chain, the fates of its jobs, and one moment at which everything is seen.
type world struct {
	def   Definition
	fates []fate
	now   time.Time
	early []bool // by node: not_before has not come
	late  []bool // by node: give_up_at has passed
}

var (
	worldNow  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	worldKey  = Key{Chain: "w", BusinessDate: "2026-11-22"}
	worldEnds = []job.State{
		job.Succeeded, job.Succeeded, job.Succeeded, job.Succeeded, job.Warned, job.Failed, job.Failed, job.Cancelled, job.Skipped,
	}
)

func randomWorld(r *rand.Rand) *world {
	n := 1 + r.IntN(8)
	w := &world{
		def: Definition{Chain: "w", DayCut: "00:00", KeepOpen: 72 * 3600, Timezone: "UTC"},
		now: worldNow, fates: make([]fate, n), early: make([]bool, n), late: make([]bool, n),
	}
	for i := range n {
		w.def.Nodes = append(w.def.Nodes, w.randomNode(r, i))
		w.fates[i] = randomFate(r)
	}
	for i := range n { // what is not needed or has missed its slot is not started by its own clock either
		if w.def.Nodes[i].Stage != Drive && (w.late[i] || w.outcomes()[i].value == "never") {
			w.fates[i].never = true
		}
	}
	return w
}

func (w *world) randomNode(r *rand.Rand, i int) Node {
	node := Node{
		Name: fmt.Sprintf("n%d", i), Job: job.Ref{Source: fmt.Sprintf("h%d", i%3), Job: fmt.Sprintf("j%d", i)},
		Stage: []Stage{Watch, Rehearse, Drive, Drive, Drive}[r.IntN(5)],
	}
	for up := range i {
		if r.IntN(i+1) < 2 {
			on := []On{OnSuccess, OnSuccess, OnSuccess, OnFailure, OnAny}[r.IntN(5)]
			node.After = append(node.After, Dependency{Node: w.def.Nodes[up].Name, On: on})
		}
	}
	switch r.IntN(12) {
	case 0:
		node.NotBefore, w.early[i] = "13:00", true
	case 1:
		node.NotBefore = "12:00" // now
	case 2:
		node.GiveUpAt = "13:00"
	case 3:
		if i > 0 { // or the chain would begin with nothing
			node.GiveUpAt, w.late[i] = "12:00", true
		}
	}
	return node
}

func randomFate(r *rand.Rand) fate {
	f := fate{end: worldEnds[r.IntN(len(worldEnds))]}
	switch r.IntN(14) {
	case 0:
		f.never = true
	case 1:
		f.end = ""
	case 2:
		f.lost = true
	case 3:
		f.vanished = true
	case 4, 5:
		b := r.IntN(2) == 0
		f.releases = &b
	}
	return f
}

// outcome is what must come of a node in the end.
type outcome struct {
	value   string // of its dependencies: met, not met, unknown, never
	decided string // released, rehearsed, gave up, not needed, or nothing
	ran     bool
}

// outcomes works out, from the first node to the last, what must come of each.
func (w *world) outcomes() []outcome {
	out := make([]outcome, len(w.def.Nodes))
	for i, node := range w.def.Nodes {
		o := outcome{value: "met"}
		rank := []string{"met", "not met", "unknown", "never"}
		for _, dep := range node.After {
			up := slices.IndexFunc(w.def.Nodes, func(n Node) bool { return n.Name == dep.Node })
			if v := w.means(up, &out[up], dep.On); slices.Index(rank, v) > slices.Index(rank, o.value) {
				o.value = v
			}
		}
		native := node.Stage != Drive
		o.ran = native && !w.fates[i].never
		switch {
		case w.late[i]: // when the instance opened, before anything was seen
			o.decided = "gave up"
		case o.value == "never" && !o.ran:
			o.decided = "not needed"
		case o.value != "met" || w.early[i]:
		case node.Stage == Drive:
			o.decided, o.ran = "released", !w.fates[i].never
		case node.Stage == Rehearse:
			o.decided = "rehearsed"
		}
		out[i] = o
	}
	return out
}

// means says what an upstream node, as it ends up, means for a dependency.
func (w *world) means(i int, o *outcome, on On) string {
	f := w.fates[i]
	if !o.ran {
		switch o.decided {
		case "not needed":
			return "never"
		case "gave up":
			if on != OnSuccess {
				return "met"
			}
		}
		return "not met"
	}
	good := f.end == job.Succeeded || f.end == job.Warned || (f.end == job.Skipped && f.releases != nil)
	switch {
	case f.vanished:
		return "unknown"
	case f.end == "" || (f.releases != nil && !*f.releases):
		return "not met"
	case f.lost && on != OnAny:
		return "unknown"
	case on == OnAny:
		return "met"
	case good == (on == OnSuccess) && (good || f.end != job.Skipped):
		return "met"
	case on == OnFailure:
		return "never"
	}
	return "not met"
}

// history is what a source tells about a node's run, in its order.
func (w *world) history(i int, token string) []job.Observation {
	f, node := w.fates[i], w.def.Nodes[i]
	if f.never {
		return nil
	}
	began := worldNow.Add(time.Duration(i-600) * time.Minute)
	base := job.Observation{
		Run:     job.RunKey{Source: node.Job.Source, Job: node.Job.Job, Native: fmt.Sprintf("r%d", i)},
		Attempt: 1, Started: job.At(began), Sighting: job.Sighting{Seen: worldNow}, Token: token,
	}
	if token != "" {
		base.Cause = job.CauseBridge
	}
	at := func(n int, change func(o *job.Observation)) job.Observation {
		o := base
		o.At = job.At(began.Add(time.Duration(n) * time.Second))
		change(&o)
		return o
	}
	all := []job.Observation{
		at(0, func(o *job.Observation) { o.State = job.Queued }),
		at(1, func(o *job.Observation) { o.State = job.Running }),
	}
	switch {
	case f.vanished:
		all = append(all, at(2, func(o *job.Observation) { o.State, o.Reason = job.Unknown, job.NotSeen }))
	case f.end == "":
	case f.lost:
		all = append(all, at(2, func(o *job.Observation) {
			o.State, o.Over, o.Reason, o.Releases = job.Unknown, true, job.OutcomeUnknown, f.releases
			o.Ended = job.At(began.Add(20 * time.Minute))
		}))
	default:
		all = append(all, at(2, func(o *job.Observation) {
			o.State, o.Releases, o.Ended = f.end, f.releases, job.At(began.Add(20*time.Minute))
		}))
	}
	return all
}
