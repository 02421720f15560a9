package job_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"signalbox/adapters/job"
)

var base = time.Date(2025, 3, 30, 1, 0, 0, 0, time.UTC)

// fold merges observations as they arrive, each with the hash of its record.
func fold(tb testing.TB, into job.Run, list ...job.Observation) job.Run {
	tb.Helper()
	for i := range list {
		into, _ = job.Merge(into, &list[i], seal(tb, &list[i]).Hash)
	}
	return into
}

func seal(tb testing.TB, o *job.Observation) job.Record {
	tb.Helper()
	r, err := o.Seal()
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// random makes an observation of one run from so few values that ties and contradictions are common.
func random(r *rand.Rand) job.Observation {
	states := []job.State{job.Held, job.Queued, job.Running, job.Succeeded, job.Failed, job.Unknown}
	moments := []job.Moment{
		{},
		job.At(base), job.At(base.Add(time.Second)),
		{At: base, Inferred: true},
		{At: base, Text: "02:00", Zone: "Europe/Berlin"},
	}
	pick := func() job.Moment { return moments[r.IntN(len(moments))] }
	o := job.Observation{
		Run:     job.RunKey{Source: "mvs", Job: "GLEXTR", Native: "JOB00042"},
		Attempt: 1 + r.IntN(3), State: states[r.IntN(len(states))], Seq: int64(r.IntN(3)),
		At: pick(), Planned: pick(), Started: pick(),
		Token:    []string{"", "", "t1"}[r.IntN(3)],
		Cause:    []job.Cause{job.CauseUnknown, job.CauseManual, job.CauseSchedule, job.CauseBridge}[r.IntN(4)],
		Detail:   []string{"", "x"}[r.IntN(2)],
		Sighting: job.Sighting{Seen: base.Add(time.Duration(r.IntN(4)) * time.Second), Node: []string{"a", "b"}[r.IntN(2)]},
	}
	if o.State == job.Unknown {
		o.Reason, o.Over = job.NotSeen, r.IntN(2) == 0
	}
	return o
}

// TestMergeIsAJoin: whatever order and however often observations arrive, they make the same run.
func TestMergeIsAJoin(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for round := range 500 {
		list := make([]job.Observation, 1+r.IntN(7))
		for i := range list {
			list[i] = random(r)
			if i > 0 && r.IntN(2) == 0 { // another sighting of a fact
				sighting := list[i].Sighting
				list[i] = list[r.IntN(i)]
				list[i].Sighting = sighting
			}
		}
		want := fold(t, job.Run{}, list...)
		for range 5 {
			arrives := append([]job.Observation(nil), list...)
			for range r.IntN(4) {
				arrives = append(arrives, list[r.IntN(len(list))]) // duplicates
			}
			r.Shuffle(len(arrives), func(i, j int) { arrives[i], arrives[j] = arrives[j], arrives[i] })
			if got := fold(t, job.Run{}, arrives...); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, round %d:\nin order %s\n     got %+v\nin order %s\n     got %+v",
					seed, round, show(arrives), got, show(list), want)
			}
		}
		// Folding all again changes nothing, and says so.
		for i := range list {
			got, changed := job.Merge(want, &list[i], seal(t, &list[i]).Hash)
			if changed || !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, round %d: observation %d of %s, folded again, changed the run (%t)", seed, round, i, show(list), changed)
			}
		}
	}
}

// TestMergeSaysWhatChanged: changed is true exactly when the run differs.
func TestMergeSaysWhatChanged(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	for range 500 {
		var run job.Run
		for range 6 {
			o := random(r)
			next, changed := job.Merge(run, &o, seal(t, &o).Hash)
			if changed == reflect.DeepEqual(next, run) {
				t.Fatalf("seed %d: changed is %t from\n%+v\nto\n%+v", seed, changed, run, next)
			}
			run = next
		}
	}
}

func show(list []job.Observation) string {
	text := ""
	for _, o := range list {
		text += fmt.Sprintf("\n  attempt %d %s over=%t seq=%d at=%s seen=%s node=%s", o.Attempt, o.State, o.Over, o.Seq,
			o.At.At.Format(time.TimeOnly), o.Sighting.Seen.Format(time.TimeOnly), o.Sighting.Node)
	}
	return text
}

// TestMergeStories: what must come out of the stories that sources really tell.
func TestMergeStories(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return base.Add(time.Duration(s) * time.Second) }
	seen := func(s int, state job.State, change ...func(*job.Observation)) job.Observation {
		o := job.Observation{
			Run: job.RunKey{Source: "mvs", Job: "GLEXTR", Native: "1"}, Attempt: 1, State: state,
			Sighting: job.Sighting{Seen: at(s)},
		}
		for _, c := range change {
			c(&o)
		}
		return o
	}
	attempt := func(n int) func(*job.Observation) { return func(o *job.Observation) { o.Attempt = n } }
	happened := func(s int) func(*job.Observation) { return func(o *job.Observation) { o.At = job.At(at(s)) } }
	seq := func(n int64) func(*job.Observation) { return func(o *job.Observation) { o.Seq = n } }
	over := func(o *job.Observation) { o.Over, o.Reason = true, job.OutcomeUnknown }
	for name, tc := range map[string]struct {
		told []job.Observation
		want job.Status
	}{
		"held and let go, as a snapshot tells it": {
			[]job.Observation{seen(1, job.Running), seen(3, job.Held), seen(5, job.Running)},
			job.Status{Attempt: 1, State: job.Running},
		},
		"held, as a snapshot tells it": {
			[]job.Observation{seen(3, job.Held), seen(1, job.Running)},
			job.Status{Attempt: 1, State: job.Held},
		},
		"the start arrives after the end": {
			[]job.Observation{seen(1, job.Succeeded, happened(60)), seen(2, job.Running, happened(0))},
			job.Status{Attempt: 1, State: job.Succeeded},
		},
		"a log that is read late": {
			[]job.Observation{seen(1, job.Failed, happened(9)), seen(9, job.Unknown, over, happened(9))},
			job.Status{Attempt: 1, State: job.Failed},
		},
		"the outcome becomes known": {
			[]job.Observation{seen(1, job.Unknown, over, happened(9)), seen(9, job.Failed, happened(9))},
			job.Status{Attempt: 1, State: job.Failed},
		},
		"repaired under its id": {
			[]job.Observation{seen(1, job.Failed), seen(2, job.Running, attempt(2))},
			job.Status{Attempt: 2, State: job.Running},
		},
		"old news of an earlier attempt": {
			[]job.Observation{seen(1, job.Running, attempt(2)), seen(9, job.Succeeded)},
			job.Status{Attempt: 2, State: job.Running},
		},
		"the source's own order beats its clock": {
			[]job.Observation{seen(1, job.Running, seq(2), happened(1)), seen(2, job.Queued, seq(1), happened(9))},
			job.Status{Attempt: 1, State: job.Running},
		},
	} {
		got := fold(t, job.Run{}, tc.told...)
		if got.Status() != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got.Status(), tc.want)
		}
		if got.State() != tc.want.State || got.Terminal() != tc.want.Terminal() {
			t.Errorf("%s: state %s, terminal %t", name, got.State(), got.Terminal())
		}
	}
}

// TestRunMoments: planned and started are of the current attempt, the earliest told; what was told
// beats what was inferred.
func TestRunMoments(t *testing.T) {
	t.Parallel()
	one := job.Observation{Run: job.RunKey{Source: "s", Job: "j", Native: "1"}, Attempt: 1, State: job.Failed}
	one.Planned, one.Started = job.At(base), job.Moment{At: base, Inferred: true}
	again := one
	again.State, again.Started, again.Planned = job.Running, job.At(base.Add(time.Minute)), job.Moment{}
	run := fold(t, job.Run{}, one, again)
	if run.Started != again.Started || run.Planned != one.Planned || run.Begun() != one.Planned {
		t.Errorf("run %+v", run)
	}
	again.Attempt = 2
	run = fold(t, run, again)
	if !run.Planned.IsZero() || run.Begun() != again.Started {
		t.Errorf("the second attempt has the moments of the first: %+v", run)
	}
}

func BenchmarkMerge(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	list, sums := make([]job.Observation, 256), make([]job.Hash, 256)
	for i := range list {
		list[i] = random(r)
		sums[i] = seal(b, &list[i]).Hash
	}
	var run job.Run
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		run, _ = job.Merge(run, &list[i%256], sums[i%256])
	}
}
