package chain

import (
	"fmt"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// BenchmarkObservation measures Decide and Apply for one observation: the end of a run that releases so many
// successors, while so many other instances are open. The cost must follow the former, not the latter.
func BenchmarkObservation(b *testing.B) {
	for _, out := range []int{1, 10, 100, 1000} {
		for _, others := range []int{10, 10_000} {
			b.Run(fmt.Sprintf("fan-out=%d/others=%d", out, others), func(b *testing.B) {
				observe(b, out, others)
			})
		}
	}
}

func observe(b *testing.B, out, others int) {
	b.Helper()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	s := benchState(b, out, others, now)
	// The run's end, and the same run revived: each event changes the state, and what hangs on it is looked at.
	events := [2]Event{benchRun(now, 1, job.Running), benchRun(now, 2, job.Failed)}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		o, err := Decide(s, events[i%2], now)
		if err == nil {
			err = s.Apply(&o)
		}
		if err != nil || len(o.Changed) < 1 {
			b.Fatalf("nothing changed: %v", err)
		}
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(out), "ns/successor")
}

// BenchmarkRelease measures the decision that releases so many successors, without Apply.
func BenchmarkRelease(b *testing.B) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for _, out := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("fan-out=%d", out), func(b *testing.B) {
			s := benchState(b, out, 10, now)
			end := benchRun(now, 1, job.Succeeded)
			b.ReportAllocs()
			for b.Loop() {
				o, err := Decide(s, end, now)
				if err != nil || len(o.Intents) != out {
					b.Fatalf("%d released, want %d: %v", len(o.Intents), out, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(out), "ns/release")
		})
	}
}

func benchRun(now time.Time, attempt int, state job.State) Observed {
	o := job.Observation{
		Run: job.RunKey{Source: "hosta", Job: "head", Native: "r1"}, Attempt: attempt, State: state,
		Started: job.At(now.Add(-time.Hour)), Sighting: job.Sighting{Seen: now},
	}
	hash := job.Sum(fmt.Append(nil, attempt, state))
	run, _ := job.Merge(job.Run{}, &o, hash)
	return Observed{Run: run, Record: hash}
}

// benchState makes a state with one instance of a head with so many successors, and so many instances of
// other chains.
func benchState(tb testing.TB, out, others int, now time.Time) *State {
	tb.Helper()
	s := NewState(site)
	feed := func(ev Event) {
		o, err := Decide(s, ev, now)
		if err == nil {
			err = s.Apply(&o)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	def := Definition{Chain: "measured", DayCut: "00:00", KeepOpen: 72 * 3600, Timezone: "UTC", Nodes: []Node{
		{Name: "head", Job: job.Ref{Source: "hosta", Job: "head"}, Stage: Watch},
	}}
	for i := range out {
		name := fmt.Sprintf("n%04d", i)
		def.Nodes = append(def.Nodes, Node{
			Name: name, Job: job.Ref{Source: "hostb", Job: name}, Stage: Drive, After: []Dependency{{Node: "head", On: OnSuccess}},
		})
	}
	feed(Defined{Definition: def})
	for i := range others {
		other := Definition{Chain: fmt.Sprintf("other%05d", i), DayCut: "00:00", KeepOpen: 72 * 3600, Timezone: "UTC", Nodes: []Node{
			{Name: "a", Job: job.Ref{Source: "hostc", Job: fmt.Sprintf("a%05d", i)}, Stage: Watch},
			{Name: "b", Job: job.Ref{Source: "hostd", Job: fmt.Sprintf("b%05d", i)}, Stage: Drive, After: []Dependency{{Node: "a", On: OnSuccess}}},
		}}
		feed(Defined{Definition: other})
	}
	return s
}

// TestCostFollowsOutDegree counts allocations, which do not depend on how busy the machine is: ten thousand
// other instances cost nothing, and ten times the successors cost about ten times as much.
func TestCostFollowsOutDegree(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	allocations := func(out, others int) float64 {
		s := benchState(t, out, others, now)
		end := benchRun(now, 1, job.Succeeded)
		return testing.AllocsPerRun(10, func() {
			if o, err := Decide(s, end, now); err != nil || len(o.Intents) != out {
				t.Fatalf("%d released, want %d: %v", len(o.Intents), out, err)
			}
		})
	}
	few, many := allocations(10, 10), allocations(10, 5000)
	if many > few+2 {
		t.Errorf("%v allocations with 10 other instances, %v with 5000", few, many)
	}
	if wide := allocations(100, 10); wide > 12*few {
		t.Errorf("%v allocations for 10 successors, %v for 100", few, wide)
	}
}
