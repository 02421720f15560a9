package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

const (
	pause     = 10 * time.Millisecond // between two looks
	promptly  = 3 * time.Second       // for a call to come back after its context has ended
	someCalls = 50                    // polls in which More must come to an end
)

// open makes an adapter that is closed with the case.
func open(t T, h Harness) adapters.Adapter {
	t.Helper()
	a := h.Adapter()
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a
}

// reader reads a source through one adapter after another, as Signalbox would, and checks every batch.
type reader struct {
	t        T
	h        Harness
	a        adapters.Adapter
	cursor   adapters.Cursor
	seen     []job.Observation // in the order delivered
	patience time.Duration
}

func newReader(t T, h Harness) *reader {
	t.Helper()
	r := &reader{t: t, h: h, a: open(t, h), patience: DefaultPatience}
	if p, ok := h.(Patient); ok {
		r.patience = p.Patience()
	}
	return r
}

// poll makes one poll behind the cursor and keeps what it gave.
func (r *reader) poll() (adapters.Batch, error) {
	r.t.Helper()
	b, err := r.a.Poll(r.t.Context(), r.cursor)
	if err != nil {
		return b, err
	}
	checkBatch(r.t, r.h, b)
	for i := range b.Observations {
		r.ordered(&b.Observations[i])
		b.Observations[i].Sighting.Seen = time.Now().UTC().Add(time.Duration(i)) // as adapters.Source does
		r.seen = append(r.seen, b.Observations[i])
	}
	r.cursor = b.Next
	return b, nil
}

// ordered fails the case if an observation would count as older than one that was delivered before it,
// because it lacks the number or the time that the other has.
func (r *reader) ordered(o *job.Observation) {
	r.t.Helper()
	for i := range r.seen {
		e := &r.seen[i]
		if e.Run != o.Run || e.Attempt != o.Attempt || e.Terminal() || o.Terminal() {
			continue
		}
		if (e.Seq != 0 && o.Seq == 0) || (e.Seq == 0 && !e.At.IsZero() && o.At.IsZero()) {
			r.t.Fatalf("run %s: an observation without Seq or At follows one that has it, and would count as older:\n%s",
				o.Run, lines([]job.Observation{*e, *o}))
		}
	}
}

// until polls until the condition holds. An unavailable peer is asked again.
func (r *reader) until(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(r.patience)
	defer deadline.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var last error
	for !holds() {
		_, last = r.poll()
		if last != nil && adapters.KindOf(last) != adapters.Unavailable {
			r.t.Fatalf("waiting for %s: poll: %v", what, last)
		}
		if holds() {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("%s did not show within %s; last error: %v; seen:\n%s", what, r.patience, last, lines(r.seen))
		case <-r.t.Context().Done():
			r.t.Fatalf("waiting for %s: %v", what, r.t.Context().Err())
		}
	}
}

// drain polls until the source has no more to give.
func (r *reader) drain() {
	r.t.Helper()
	for range someCalls {
		b, err := r.poll()
		if err != nil {
			r.t.Fatalf("poll: %v", err)
		}
		if !b.More {
			return
		}
	}
	r.t.Fatalf("%d polls and there is still More, though nothing happens at the source", someCalls)
}

// runs folds what was seen, by key, optionally of one job only.
func (r *reader) runs(jobKey string) map[job.RunKey]job.Run {
	runs := make(map[job.RunKey]job.Run)
	for i := range r.seen {
		o := &r.seen[i]
		if jobKey == "" || o.Run.Job == jobKey {
			runs[o.Run], _ = job.Merge(runs[o.Run], o, o.Fingerprint())
		}
	}
	return runs
}

// newRun waits for a run of the job that was not known before, in a state that fits, and gives it.
func (r *reader) newRun(jobKey string, known map[job.RunKey]job.Run, what string, fits func(*job.Run) bool) job.Run {
	r.t.Helper()
	var found job.Run
	r.until(what+" of "+jobKey, func() bool {
		for key, run := range r.runs(jobKey) {
			if _, old := known[key]; !old && fits(&run) {
				found = run
				return true
			}
		}
		return false
	})
	return found
}

// over waits until the run is terminal. Of a snapshot source it is enough that the run is no longer
// said to be active: it may have been replaced by the next one unseen.
func (r *reader) over(key job.RunKey) job.Run {
	r.t.Helper()
	r.until("the end of run "+key.String(), func() bool {
		run := r.runs("")[key]
		return run.Terminal() || r.a.Properties().Kind == adapters.SnapshotSource && !run.State().Active()
	})
	return r.runs("")[key]
}

func anyRun(*job.Run) bool { return true }

func terminal(r *job.Run) bool { return r.Terminal() }

// checkBatch checks what holds for every batch of every adapter.
func checkBatch(t T, h Harness, b adapters.Batch) {
	t.Helper()
	for i := range b.Observations {
		o := &b.Observations[i]
		var errs []error
		bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
		if err := o.Check(); err != nil {
			errs = append(errs, err)
		}
		if o.Run.Source != h.Source() {
			bad("source %q, want %q", o.Run.Source, h.Source())
		}
		if s := o.Sighting; s.Node != "" || s.OffsetMS != nil || !s.Seen.IsZero() {
			bad("the sighting is for adapters.Source to fill")
		}
		for _, m := range []job.Moment{o.At, o.Planned, o.Started, o.Ended} {
			if m.At.Location() != time.UTC {
				bad("time %s is not in UTC", m.At)
			}
		}
		if len(errs) > 0 {
			t.Fatalf("observation %d of %d, run %s: %v", i+1, len(b.Observations), o.Run, errors.Join(errs...))
		}
	}
}

// prints gives the fingerprints of observations in their order.
func prints(list []job.Observation) []job.Hash {
	var sums []job.Hash
	for i := range list {
		sums = append(sums, list[i].Fingerprint())
	}
	return sums
}

// lines shows the observations that differ from those before them.
func lines(list []job.Observation) string {
	var text strings.Builder
	shown := make(map[job.Hash]bool)
	for i := range list {
		o := &list[i]
		sum := o.Fingerprint()
		if shown[sum] {
			continue
		}
		shown[sum] = true
		fmt.Fprintf(&text, "  %s attempt %d: %s over=%t native=%q reason=%q at=%s\n",
			o.Run, o.Attempt, o.State, o.Over, o.NativeState, o.Reason, o.At.At.Format(time.RFC3339Nano))
	}
	return text.String()
}

// returned runs a call whose context ends by itself and fails the case if the call does not come back
// soon after.
func returned(ctx context.Context, t T, what string, call func(context.Context) error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	limit := time.NewTimer(promptly)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		t.Fatalf("%s did not return within %s after its context had ended", what, promptly)
		return nil
	}
}

// sameRuns fails the case if the keys differ.
func sameRuns(t T, what string, got, want map[job.RunKey]job.Run) {
	t.Helper()
	for _, key := range keys(want) {
		if _, ok := got[key]; !ok {
			t.Errorf("%s: run %s is lost", what, key)
		}
	}
	for _, key := range keys(got) {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: run %s is there, but was not before: a run has two identities", what, key)
		}
	}
}

func keys(runs map[job.RunKey]job.Run) []job.RunKey {
	var list []job.RunKey
	for k := range runs {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b job.RunKey) int { return strings.Compare(a.String(), b.String()) })
	return list
}
