package adaptertest

import (
	"signalbox/adapters/job"
)

// movesInTable: whatever a run goes through, the adapter reports moves that the table allows, and the
// outcome is not turned round.
func movesInTable(t T, h Harness) {
	r := newReader(t, h)
	jobs := h.Jobs()
	good := h.StartNative(jobs[0])
	first := r.newRun(jobs[0], nil, "a start", anyRun)
	if holds, ok := h.(Holds); ok {
		holds.HoldRun(good)
		r.until("the held run", func() bool { return r.runs("")[first.Key].Latest.State == job.Held })
		holds.ReleaseRun(good)
		r.until("the run going on", func() bool { return r.runs("")[first.Key].Latest.State != job.Held })
	}
	h.Finish(good)
	if run := r.over(first.Key); run.State().Bad() {
		t.Errorf("run %s ended well and is %s:\n%s", run.Key, run.State(), lines(r.seen))
	}
	bad := h.StartNative(jobs[1])
	second := r.newRun(jobs[1], nil, "a start", anyRun)
	h.Fail(bad)
	if run := r.over(second.Key); run.State().Good() {
		t.Errorf("run %s ended badly and is %s:\n%s", run.Key, run.State(), lines(r.seen))
	}
	if revives, ok := h.(Revives); ok {
		revives.Revive(bad)
		r.until("the second attempt", func() bool { return r.runs("")[second.Key].Latest.Attempt == 2 })
		h.Finish(bad)
		if run := r.over(second.Key); run.State().Bad() || run.Latest.Attempt != 2 {
			t.Errorf("the second attempt of run %s ended well and is attempt %d, %s", run.Key, run.Latest.Attempt, run.State())
		}
	}
	r.drain()
	last := make(map[job.RunKey]job.Status)
	for i := range r.seen {
		o := &r.seen[i]
		from, known := last[o.Run]
		if known && !job.MayMove(from, o.Status()) {
			t.Errorf("run %s moved from %+v to %+v: the table does not allow it", o.Run, from, o.Status())
		}
		last[o.Run] = o.Status()
	}
}

// unknownStatus: a word that nobody knows is passed on, and means unknown.
func unknownStatus(t T, h Harness) {
	odd := need[Odd](t, h)
	r := newReader(t, h)
	jobs := h.Jobs()
	const word = "Zwischenlagerung"
	odd.StartOdd(jobs[0], word)
	run := r.newRun(jobs[0], nil, "the run in an odd state", func(run *job.Run) bool {
		return run.Latest.NativeState == word
	})
	if run.State() != job.Unknown {
		t.Errorf("status %q is reported as %s, want %s", word, run.State(), job.Unknown)
	}
	if run.Latest.Reason == job.None {
		t.Errorf("status %q is unknown without a reason", word)
	}
}
