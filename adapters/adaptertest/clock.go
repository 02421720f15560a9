package adaptertest

import (
	"slices"
	"time"

	"signalbox/adapters/job"
)

// zoneEdges: times written around the clock changes of the peer's zone are read as the right moments.
// A time that the peer's text leaves open may be absent or marked as inferred, never wrong.
func zoneEdges(t T, h Harness) {
	clock := need[Clock](t, h)
	zone, err := time.LoadLocation(clock.Zone())
	if err != nil {
		t.Fatalf("zone of the harness: %v", err)
	}
	edges := edgesOf(zone)
	if len(edges) == 0 {
		t.Fatalf("zone %s of the harness has no clock changes", zone)
	}
	r := newReader(t, h)
	plain := time.Date(2025, 1, 10, 12, 0, 0, 0, time.UTC)
	for i, at := range append([]time.Time{plain}, edges...) {
		jobKey := h.Jobs()[i%2]
		known := r.runs(jobKey)
		clock.RunAt(jobKey, at)
		run := r.newRun(jobKey, known, "the run of "+at.Format(time.RFC3339), terminal)
		started, ended := run.Started, run.Latest.Ended
		if at.Equal(plain) && started.IsZero() && ended.IsZero() {
			t.Errorf("run %s on an ordinary day has neither a start nor an end time", run.Key)
		}
		moment(t, run.Key, "started", started, at)
		moment(t, run.Key, "ended", ended, at.Add(time.Second))
	}
}

func moment(t T, key job.RunKey, what string, got job.Moment, want time.Time) {
	t.Helper()
	const resolution = time.Second // of the coarsest peers
	if got.IsZero() || got.Inferred {
		return
	}
	if d := got.At.Sub(want); d < -resolution || d > resolution {
		t.Errorf("run %s %s %s, read from %q: want %s", key, what, got.At, got.Text, want)
	}
}

// edgesOf gives moments around the clock changes of 2025, in ascending order: one second before and
// after, and half an hour before and after, which is the same time of day twice when clocks go back.
func edgesOf(zone *time.Location) []time.Time {
	var edges []time.Time
	offset := func(t time.Time) int { _, o := t.In(zone).Zone(); return o }
	for t := time.Date(2025, 1, 11, 0, 0, 0, 0, time.UTC); t.Year() == 2025; t = t.Add(30 * time.Minute) {
		if offset(t) != offset(t.Add(-time.Second)) {
			edges = append(edges, t.Add(-30*time.Minute), t.Add(-2*time.Second), t.Add(time.Second), t.Add(30*time.Minute))
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	return edges
}

// clockSkew: the adapter tells the peer's clock as it is, so that the offset can be measured, and keeps
// the peer's times in the peer's clock.
func clockSkew(t T, h Harness) {
	skew := need[Skew](t, h)
	const off, tolerance = 7 * time.Minute, 2 * time.Second
	skew.SkewClock(off)
	r := newReader(t, h)
	began := time.Now()
	b, err := r.poll()
	if err != nil {
		t.Fatalf("poll: %v", err)
	}
	if b.SourceTime.IsZero() {
		t.Fatalf("the batch does not tell the source's time: list the case in Gaps if the peer has none")
	}
	near(t, "source time", b.SourceTime, began.Add(off-tolerance), time.Now().Add(off+tolerance))

	began = time.Now()
	h.Finish(h.StartNative(h.Jobs()[0]))
	run := r.newRun(h.Jobs()[0], nil, "an end", terminal)
	for what, m := range map[string]job.Moment{"start": run.Started, "end": run.Latest.Ended, "state": run.Latest.At} {
		if !m.IsZero() && !m.Inferred {
			near(t, "time of the "+what, m.At, began.Add(off-tolerance), time.Now().Add(off+tolerance))
		}
	}
}

func near(t T, what string, got, from, until time.Time) {
	t.Helper()
	if got.Before(from) || got.After(until) {
		t.Errorf("%s is %s: want it by the peer's clock, between %s and %s", what, got, from.UTC(), until.UTC())
	}
}
