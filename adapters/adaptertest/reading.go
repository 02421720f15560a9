package adaptertest

import (
	"slices"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// sameCursor: reading twice from one cursor gives the same, at the beginning, in the middle and at the
// end of what there is.
func sameCursor(t T, h Harness) {
	r := newReader(t, h)
	jobs := h.Jobs()
	first := h.StartNative(jobs[0])
	h.Finish(first)
	r.newRun(jobs[0], nil, "an end", terminal)
	r.drain()
	middle := r.cursor
	h.Fail(h.StartNative(jobs[1]))
	r.newRun(jobs[1], nil, "an end", terminal)
	r.drain()
	for name, cursor := range map[string]adapters.Cursor{"nil": nil, "middle": middle, "end": r.cursor} {
		one, err := r.a.Poll(t.Context(), slices.Clone(cursor))
		if err != nil {
			t.Fatalf("poll from the %s cursor: %v", name, err)
		}
		two, err := r.a.Poll(t.Context(), slices.Clone(cursor))
		if err != nil {
			t.Fatalf("second poll from the %s cursor: %v", name, err)
		}
		if !slices.Equal(prints(one.Observations), prints(two.Observations)) {
			t.Errorf("the %s cursor gave\n%sand then, with nothing changed at the source,\n%s",
				name, lines(one.Observations), lines(two.Observations))
		}
		if string(one.Next) != string(two.Next) {
			t.Errorf("the %s cursor led to %q and then to %q", name, one.Next, two.Next)
		}
		if name == "nil" && len(one.Observations) == 0 {
			t.Errorf("the nil cursor gave nothing, though two runs are there")
		}
	}
}

// outage: what happens while the line is down is seen when it is back, once.
func outage(t T, h Harness) {
	line := need[Line](t, h)
	r := newReader(t, h)
	jobs := h.Jobs()
	before := h.StartNative(jobs[0])
	lasting := r.newRun(jobs[0], nil, "a start", anyRun)
	r.drain()

	line.BreakLine(Refused)
	if _, err := r.poll(); err == nil {
		t.Errorf("poll over a line that is down gave no error")
	}
	h.Finish(before)
	h.Fail(h.StartNative(jobs[1]))
	h.StartNative(jobs[0])
	if _, err := r.poll(); err == nil {
		t.Errorf("second poll over a line that is down gave no error")
	}
	line.RestoreLine()

	if run := r.over(lasting.Key); run.State().Bad() {
		t.Errorf("run %s ended well during the outage and is %s", run.Key, run.State())
	}
	r.newRun(jobs[0], map[job.RunKey]job.Run{lasting.Key: lasting}, "the run that began during the outage", anyRun)
	want := map[string]int{jobs[0]: 2}
	if r.a.Properties().Kind == adapters.EventSource {
		want[jobs[1]] = 1 // a snapshot may have missed it, and the adapter says so
		run := r.newRun(jobs[1], nil, "the run that came and went during the outage", terminal)
		if run.State().Good() {
			t.Errorf("run %s failed during the outage and is %s", run.Key, run.State())
		}
	}
	r.drain()
	counts(t, r, want)
}

// restart: a new adapter goes on at the stored cursor, and gives runs the same identity.
func restart(t T, h Harness) {
	r := newReader(t, h)
	jobs := h.Jobs()
	lasting := h.StartNative(jobs[0])
	run := r.newRun(jobs[0], nil, "a start", anyRun)
	r.drain()

	if err := r.a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	h.Finish(lasting)
	snapshot := r.a.Properties().Kind == adapters.SnapshotSource
	want := map[string]int{jobs[0]: 1}
	if !snapshot {
		h.Fail(h.StartNative(jobs[1]))
		want[jobs[1]] = 1
	}
	r.a = open(t, h)
	if run := r.over(run.Key); run.State().Bad() {
		t.Errorf("run %s ended well while we were down and is %s", run.Key, run.State())
	}
	if !snapshot {
		if run := r.newRun(jobs[1], nil, "the run that came and went while we were down", terminal); run.State().Good() {
			t.Errorf("run %s failed while we were down and is %s", run.Key, run.State())
		}
	}
	r.drain()
	counts(t, r, want)

	fresh := newReader(t, h)
	fresh.drain()
	if !snapshot {
		sameRuns(t, "read again from the beginning", fresh.runs(""), r.runs(""))
	}
}

// counts fails the case if a job has not as many runs as the peer made of it.
func counts(t T, r *reader, want map[string]int) {
	t.Helper()
	for jobKey, n := range want {
		if got := len(r.runs(jobKey)); got != n {
			t.Errorf("job %s has %d runs at the peer and %d here:\n%s", jobKey, n, got, lines(r.seen))
		}
	}
	for _, key := range keys(r.runs("")) {
		if run := r.runs("")[key]; run.Latest.Attempt != 1 {
			t.Errorf("run %s has %d attempts, and was attempted once", key, run.Latest.Attempt)
		}
	}
}
