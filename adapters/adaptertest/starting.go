package adaptertest

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

func newToken() string { return "sb-" + strings.ToLower(rand.Text()) }

// oneToken: one token gives one run, however often and from wherever it is sent.
func oneToken(t T, h Harness) {
	a := open(t, h)
	starter, ok := a.(adapters.Starter)
	class := a.Properties().Start
	if !adapters.AbilitiesOf(a, a.Properties()).Start {
		if class != adapters.StartNone {
			t.Errorf("the adapter cannot start, yet its start class is %q", class)
		}
		if ok {
			_, err := starter.Start(t.Context(), adapters.StartRequest{Token: newToken(), Job: h.Jobs()[0]})
			wantKind(t, "start", err, adapters.Unsupported)
		}
		return
	}
	starts := need[Starts](t, h)
	req := adapters.StartRequest{Token: newToken(), Job: h.Jobs()[0], BusinessDate: "2025-01-10", Chain: "suite"}
	findNothing(t, a, req.Token)
	if _, err := starter.Start(t.Context(), req); err != nil {
		t.Fatalf("start: %v", err)
	}
	if class != adapters.StartInDoubt { // that class promises nothing about a second call
		sendAgain(t, h, a, req)
	}
	if n := starts.StartsOf(req.Token); n != 1 {
		t.Errorf("token %s was sent several times and the peer started %d runs, want 1", req.Token, n)
	}
	bound(t, h, a, req)
}

// sendAgain sends a request that was accepted already: at once, at the same time, and after a restart.
// Each may be refused; none may start a second run.
func sendAgain(t T, h Harness, a adapters.Adapter, req adapters.StartRequest) {
	t.Helper()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { again(t, a, req) })
	}
	wg.Wait()
	again(t, open(t, h), req)
}

func again(t T, a adapters.Adapter, req adapters.StartRequest) {
	starter, ok := a.(adapters.Starter)
	if !ok {
		t.Errorf("a second adapter of the same peer cannot start")
		return
	}
	_, err := starter.Start(t.Context(), req)
	if kind := adapters.KindOf(err); err != nil && kind != adapters.Rejected {
		t.Errorf("start with a token that was accepted before: %v (%s): want no error or %s", err, kind, adapters.Rejected)
	}
}

// findNothing: a token that was never sent is not found.
func findNothing(t T, a adapters.Adapter, token string) {
	t.Helper()
	finder, ok := a.(adapters.Finder)
	if !ok {
		if a.Properties().Start == adapters.StartSearchable {
			t.Errorf("start class %q without Find", adapters.StartSearchable)
		}
		return
	}
	f, err := finder.Find(t.Context(), token)
	if adapters.KindOf(err) == adapters.Unsupported && a.Properties().Start != adapters.StartSearchable {
		return
	}
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	if f.Found == adapters.FoundPresent {
		t.Errorf("find says that a token is present that was never sent: %+v", f)
	}
}

// bound: a run that was started with a token can be told from others.
func bound(t T, h Harness, a adapters.Adapter, req adapters.StartRequest) {
	t.Helper()
	if a.Properties().Start == adapters.StartInDoubt {
		return
	}
	if finder, ok := a.(adapters.Finder); ok && a.Properties().Start == adapters.StartSearchable {
		f, err := finder.Find(t.Context(), req.Token)
		if err != nil || f.Found != adapters.FoundPresent {
			t.Errorf("find after an accepted start: %+v, %v: want %s", f, err, adapters.FoundPresent)
		}
	}
	r := newReader(t, h)
	r.newRun(req.Job, nil, "the run with our token", func(run *job.Run) bool { return run.Token == req.Token })
	if n := len(r.runs(req.Job)); n != 1 {
		t.Errorf("one token gave %d runs in what the adapter reports:\n%s", n, lines(r.seen))
	}
}

// lostAnswer: the peer carried the start out and the answer never came.
func lostAnswer(t T, h Harness) {
	a := open(t, h)
	starter, ok := a.(adapters.Starter)
	if !ok || a.Properties().Start == adapters.StartNone {
		return // oneToken checks that it says so
	}
	starts, line := need[Starts](t, h), need[Line](t, h)
	req := adapters.StartRequest{Token: newToken(), Job: h.Jobs()[0]}
	if _, err := a.Poll(t.Context(), nil); err != nil { // so that a connection stands
		t.Fatalf("poll: %v", err)
	}
	line.BreakLine(DroppedAfterEffect)
	ctx, cancel := context.WithTimeout(t.Context(), promptly)
	defer cancel()
	err := returned(ctx, t, "start", func(ctx context.Context) error {
		_, err := starter.Start(ctx, req)
		return err
	})
	line.RestoreLine()
	if n := starts.StartsOf(req.Token); n != 1 {
		t.Fatalf("the peer started %d runs for one call: want 1 (a start is not retried by the adapter)", n)
	}
	if err != nil && adapters.EffectOf(err) == adapters.EffectNone {
		t.Errorf("start: %v: the adapter says that surely nothing happened, and the job runs", err)
	}
	switch a.Properties().Start {
	case adapters.StartDeduplicated:
		again(t, a, req)
	case adapters.StartSearchable:
		waitPresent(t, h, a, req.Token)
		again(t, a, req)
	case adapters.StartInDoubt, adapters.StartNone:
	}
	if n := starts.StartsOf(req.Token); n != 1 {
		t.Errorf("after the lost answer was cleared up the peer has started %d runs, want 1", n)
	}
	r := newReader(t, h)
	r.newRun(req.Job, nil, "the run", anyRun)
	r.drain()
	if n := len(r.runs(req.Job)); n != 1 {
		t.Errorf("one call gave %d runs in what the adapter reports:\n%s", n, lines(r.seen))
	}
}

func waitPresent(t T, h Harness, a adapters.Adapter, token string) {
	t.Helper()
	finder, ok := a.(adapters.Finder)
	if !ok {
		t.Fatalf("start class %q without Find", adapters.StartSearchable)
	}
	patience := newReader(t, h).patience
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		f, err := finder.Find(t.Context(), token)
		switch {
		case err != nil && adapters.KindOf(err) != adapters.Unavailable:
			t.Fatalf("find after a lost answer: %v", err)
		case err == nil && f.Found == adapters.FoundPresent:
			return
		case err == nil && f.Found == adapters.FoundAbsent:
			t.Fatalf("find says that the token is absent, and the job runs: it would be started twice")
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("find did not say within %s that the token is present: %+v, %v", patience, f, err)
		}
	}
}

// wantKind fails the case unless err is an error of that kind.
func wantKind(t T, what string, err error, want ...adapters.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %v", what, want)
		return
	}
	for _, k := range want {
		if adapters.KindOf(err) == k {
			return
		}
	}
	t.Errorf("%s: %v: its kind is %q, want %v", what, err, adapters.KindOf(err), want)
}
