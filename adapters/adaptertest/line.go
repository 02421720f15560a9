package adaptertest

import (
	"context"
	"time"

	"signalbox/adapters"
)

// shortly is the time limit of calls over a line that does not answer.
const shortly = 300 * time.Millisecond

// cancellation: a call that waits for a silent peer returns when its context ends, and so does one
// whose context had ended before.
func cancellation(t T, h Harness) {
	line := need[Line](t, h)
	a := open(t, h)
	if _, err := a.Poll(t.Context(), nil); err != nil {
		t.Fatalf("poll: %v", err)
	}
	line.BreakLine(Slow)
	t.Cleanup(line.RestoreLine)
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(shortly, cancel)
	defer timer.Stop()
	defer cancel()
	poll := func(ctx context.Context) error {
		_, err := a.Poll(ctx, nil)
		return err
	}
	if err := returned(ctx, t, "poll", poll); err == nil {
		t.Errorf("a poll that was cancelled gave no error")
	}
	if err := returned(ctx, t, "poll with a context that had ended", poll); err == nil {
		t.Errorf("a poll whose context had ended gave no error")
	}
	if starter, ok := a.(adapters.Starter); ok && a.Properties().Start != adapters.StartNone {
		err := returned(ctx, t, "start with a context that had ended", func(ctx context.Context) error {
			_, err := starter.Start(ctx, adapters.StartRequest{Token: newToken(), Job: h.Jobs()[0]})
			return err
		})
		if err == nil {
			t.Errorf("a start whose context had ended gave no error")
		}
	}
}

func lineRefused(t T, h Harness) { spoil(t, h, Refused, adapters.Unavailable) }

func lineSlow(t T, h Harness) { spoil(t, h, Slow, adapters.Unavailable) }

func lineTruncated(t T, h Harness) { spoil(t, h, Truncated, adapters.Malformed, adapters.Unavailable) }

func lineGarbage(t T, h Harness) { spoil(t, h, Garbage, adapters.Malformed) }

func linePassword(t T, h Harness) { spoil(t, h, WrongPassword, adapters.Denied) }

// spoil breaks the line and wants the kind of error from an adapter that was connected and from a new
// one; afterwards nothing may be missing.
func spoil(t T, h Harness, f Fault, want ...adapters.Kind) {
	line := need[Line](t, h)
	jobs := h.Jobs()
	r := newReader(t, h)
	h.Finish(h.StartNative(jobs[0]))
	r.newRun(jobs[0], nil, "an end", terminal)
	r.drain()
	h.Fail(h.StartNative(jobs[1]))

	line.BreakLine(f)
	t.Cleanup(line.RestoreLine)
	fails(t, "poll of a connected adapter", r.a, r.cursor, want)
	fails(t, "second poll of a connected adapter", r.a, r.cursor, want)
	fresh := open(t, h)
	fails(t, "poll of a new adapter", fresh, nil, want)
	line.RestoreLine()

	if r.a.Properties().Kind != adapters.SnapshotSource {
		r.newRun(jobs[1], nil, "what happened while the line was bad", terminal)
	}
	r.drain()
	other := newReader(t, h)
	other.drain()
	sameRuns(t, "after the line was bad", r.runs(""), other.runs(""))
}

func fails(t T, what string, a adapters.Adapter, cursor adapters.Cursor, want []adapters.Kind) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shortly)
	defer cancel()
	err := returned(ctx, t, what, func(ctx context.Context) error {
		_, err := a.Poll(ctx, cursor)
		return err
	})
	wantKind(t, what, err, want...)
}
