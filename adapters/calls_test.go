package adapters_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

var aRun = job.RunKey{Source: "mvs", Job: "GLEXTR", Native: "1"}

// abilities calls every ability of a source, by name.
func abilities(ctx context.Context, src *adapters.Source) map[string]error {
	errs := make(map[string]error)
	_, errs["list"] = src.List(ctx)
	_, errs["start"] = src.Start(ctx, adapters.StartRequest{Token: "t-1", Job: "GLEXTR"})
	_, errs["find"] = src.Find(ctx, "t-1")
	errs["cancel"] = src.Cancel(ctx, aRun)
	errs["hold"] = src.Hold(ctx, "GLEXTR")
	errs["unhold"] = src.Unhold(ctx, "GLEXTR")
	_, errs["read log"] = src.ReadLog(ctx, aRun, 100)
	_, errs["deploy"] = src.Deploy(ctx, false)
	_, errs["undeploy"] = src.Undeploy(ctx, false)
	return errs
}

func newAble() *able {
	return &able{fake: &fake{}, found: adapters.Finding{Found: adapters.FoundAbsent}}
}

func TestAbilities(t *testing.T) {
	t.Parallel()
	bare, full := source(t, &fake{}, adapters.SourceOptions{}), source(t, newAble(), adapters.SourceOptions{})
	if got := bare.Abilities(); got != (adapters.Abilities{}) {
		t.Errorf("an adapter with nothing but polls: %+v", got)
	}
	want := adapters.Abilities{List: true, Start: true, Find: true, Cancel: true, Hold: true, ReadLog: true, Deploy: true}
	if got := full.Abilities(); got != want {
		t.Errorf("an adapter with all but Watch: %+v", got)
	}
	for op, err := range abilities(t.Context(), bare) {
		if adapters.KindOf(err) != adapters.Unsupported || adapters.EffectOf(err) != adapters.EffectNone {
			t.Errorf("%s without the ability: %v", op, err)
		}
	}
	for op, err := range abilities(t.Context(), full) {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	none := newAble()
	none.props.Start = adapters.StartNone
	src := source(t, none, adapters.SourceOptions{})
	_, err := src.Start(t.Context(), adapters.StartRequest{Token: "t", Job: "j"})
	if src.Abilities().Start || adapters.KindOf(err) != adapters.Unsupported || none.starts != 0 {
		t.Errorf("start class %q: abilities %+v, %v", adapters.StartNone, src.Abilities(), err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	a := newAble()
	src := source(t, a, adapters.SourceOptions{ReadOnly: true})
	changing := map[string]bool{"start": true, "cancel": true, "hold": true, "unhold": true, "deploy": true, "undeploy": true}
	for op, err := range abilities(t.Context(), src) {
		switch {
		case !changing[op] && err != nil:
			t.Errorf("%s: %v", op, err)
		case changing[op] && (adapters.KindOf(err) != adapters.Rejected || adapters.EffectOf(err) != adapters.EffectNone):
			t.Errorf("%s at a read-only source: %v", op, err)
		}
	}
	if a.starts != 0 {
		t.Errorf("%d starts were sent", a.starts)
	}
	if _, err := src.Deploy(t.Context(), true); err != nil {
		t.Errorf("a dry run: %v", err)
	}
}

func TestStartRequests(t *testing.T) {
	t.Parallel()
	a := newAble()
	src := source(t, a, adapters.SourceOptions{Redact: []string{"hunter2"}})
	for name, req := range map[string]adapters.StartRequest{
		"no token":   {Job: "j"},
		"bad token":  {Token: "a b", Job: "j"},
		"long token": {Token: strings.Repeat("a", 65), Job: "j"},
		"no job":     {Token: "a"},
		"bad date":   {Token: "a", Job: "j", BusinessDate: "10.1.2025"},
	} {
		_, err := src.Start(t.Context(), req)
		if adapters.KindOf(err) != adapters.Rejected || adapters.EffectOf(err) != adapters.EffectNone {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a.starts != 0 {
		t.Errorf("%d of them were sent", a.starts)
	}
	st, err := src.Start(t.Context(), adapters.StartRequest{Token: strings.Repeat("aZ0-", 16), Job: "j", BusinessDate: "2025-01-10"})
	if err != nil || st.Detail != "accepted [redacted]" || st.Run.Native != "1" {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestErrorsAreOurs: whatever an adapter returns, the caller gets a complete *Error.
func TestErrorsAreOurs(t *testing.T) {
	t.Parallel()
	var none *adapters.Error
	for name, tc := range map[string]struct {
		err  error
		kind adapters.Kind
		text string
	}{
		"plain":    {errors.New("no route"), adapters.Unavailable, "cancel mvs/GLEXTR#1: no route"},
		"bare":     {&adapters.Error{Err: errors.New("no route")}, adapters.Unavailable, "cancel mvs/GLEXTR#1: no route"},
		"complete": {adapters.Errorf(adapters.NotFound, "kill", "job 1", "is gone"), adapters.NotFound, "kill job 1: is gone"},
		"wrapped":  {fmt.Errorf("in haste: %w", adapters.Errorf(adapters.Rejected, "kill", "1", "no")), adapters.Rejected, "cancel mvs/GLEXTR#1: in haste: kill 1: no"},
		"nil":      {none, adapters.Unavailable, "cancel mvs/GLEXTR#1: the adapter gave an error without content"},
	} {
		a := newAble()
		a.fail = tc.err
		err := source(t, a, adapters.SourceOptions{}).Cancel(t.Context(), aRun)
		var e *adapters.Error
		if !errors.As(err, &e) || e.Kind != tc.kind || err.Error() != tc.text {
			t.Errorf("%s: %v (%s), want %s (%s)", name, err, adapters.KindOf(err), tc.text, tc.kind)
		}
	}
}

// TestPanics: a panic anywhere in an adapter becomes an error and a log line.
func TestPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		src := source(t, &panicking{}, adapters.SourceOptions{Log: slog.New(slog.NewTextHandler(&logs, nil))})
		_, err := src.Poll(t.Context(), nil)
		if adapters.KindOf(err) != adapters.Malformed {
			t.Errorf("poll: %v", err)
		}
		_, err = src.List(t.Context())
		if adapters.KindOf(err) != adapters.Malformed {
			t.Errorf("list: %v", err)
		}
		if p := src.Properties(); p.Start != adapters.StartNone {
			t.Errorf("properties: %+v", p)
		}
		if err := src.Close(); adapters.KindOf(err) != adapters.Malformed {
			t.Errorf("close: %v", err)
		}
		if n := strings.Count(logs.String(), "panicking).Poll"); n != 1 || !strings.Contains(logs.String(), "panicking).List") {
			t.Errorf("the log does not show where:\n%s", logs.String())
		}
	})
}

type panicking struct{}

func (*panicking) Properties() adapters.Properties { panic("p") }
func (*panicking) Poll(context.Context, adapters.Cursor) (adapters.Batch, error) {
	panic("q")
}
func (*panicking) List(context.Context) (adapters.Listing, error) { panic("r") }
func (*panicking) Close() error                                   { panic("s") }

// TestHangingPoll: an adapter that does not return makes the source blind, and is not called again
// while it hangs.
func TestHangingPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &fake{answer: func(_ context.Context, n int, _ adapters.Cursor) (adapters.Batch, error) {
			if n == 2 {
				<-release // whatever its context says
			}
			return batch("1"), nil
		}}
		b := start(t, f, adapters.SourceOptions{Timeout: 10 * time.Second})
		pass(time.Hour)
		if n := f.count(); n != 2 {
			t.Errorf("%d polls, and the second hangs", n)
		}
		c := b.src.Health().Contact
		if !c.Blind || c.Kind != adapters.Unavailable || !strings.Contains(c.Error, "earlier calls") {
			t.Errorf("contact: %+v", c)
		}
		close(release)
		pass(2 * time.Minute)
		if h := b.src.Health(); h.Contact.Blind || f.count() < 3 {
			t.Errorf("after it came back: %d polls, %+v", f.count(), h)
		}
	})
}

// TestTimeout: a call gets so long and no longer, and a slow one is told as such.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(ctx context.Context, _ int, _ adapters.Cursor) (adapters.Batch, error) {
			<-ctx.Done()
			return adapters.Batch{}, ctx.Err()
		}}
		f.props.Budget.CallTimeout = 7 * time.Second
		began := time.Now()
		_, err := source(t, f, adapters.SourceOptions{}).Poll(t.Context(), nil)
		if d := time.Since(began); d != 7*time.Second || adapters.KindOf(err) != adapters.Unavailable || !strings.Contains(err.Error(), "no answer within 7s") {
			t.Errorf("after %s: %v", d, err)
		}
	})
}

// TestStartSurvivesShutdown: a start that was sent is not cut off, so that its answer is not lost; one
// that was not sent says so.
func TestStartSurvivesShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAble()
		a.slow = 5 * time.Second
		a.list = func() (adapters.Listing, error) { return adapters.Listing{}, nil }
		b := start(t, a, adapters.SourceOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		send := func() {
			_, err := b.src.Start(ctx, adapters.StartRequest{Token: "t", Job: "j"})
			results <- err
		}
		pass(time.Second)
		go send()
		pass(time.Second)
		go send() // waits: one call at a time is allowed
		pass(time.Second)
		cancel()
		closed := make(chan error, 1)
		go func() { closed <- b.src.Close() }()
		err := <-results
		if adapters.KindOf(err) != adapters.Unavailable || adapters.EffectOf(err) != adapters.EffectNone {
			t.Errorf("the start that waited: %v", err)
		}
		if err := <-results; err != nil {
			t.Errorf("the start that was sent: %v", err)
		}
		if err := <-closed; err != nil || a.closed != 1 || a.starts != 1 || a.torn {
			t.Errorf("close: %v; closed %d times, %d starts, during one of them: %t", err, a.closed, a.starts, a.torn)
		}
		b.end()
	})
}

// TestShutdownIsNoFailure: a poll that we cut off ourselves is not the peer's failure.
func TestShutdownIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(ctx context.Context, _ int, _ adapters.Cursor) (adapters.Batch, error) {
			<-ctx.Done()
			return adapters.Batch{}, ctx.Err()
		}}
		b := start(t, f, adapters.SourceOptions{})
		pass(time.Second)
		b.end()
		if h := b.src.Health(); h.Failures != 0 || h.Contact.Blind || len(b.sink.told()) != 0 {
			t.Errorf("health %+v, contacts %+v", h, b.sink.told())
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAble()
		b := start(t, a, adapters.SourceOptions{})
		pass(time.Minute)
		for range 2 {
			if err := b.src.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		if a.closed != 1 {
			t.Errorf("the adapter was closed %d times", a.closed)
		}
		if n := len(b.sink.told()); n != 1 {
			t.Errorf("%d contacts: being closed is not going blind", n)
		}
		for op, err := range abilities(t.Context(), b.src) {
			if adapters.KindOf(err) != adapters.Unavailable || adapters.EffectOf(err) != adapters.EffectNone {
				t.Errorf("%s of a closed source: %v", op, err)
			}
		}
		if _, err := b.src.Poll(t.Context(), nil); err == nil {
			t.Errorf("poll of a closed source gave no error")
		}
		if err := b.src.Run(t.Context(), nil, b.sink); err == nil {
			t.Errorf("run of a closed source gave no error")
		}
		b.src.Poke()
		b.src.SetFast(true)
		b.end()
	})
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, &fake{}, adapters.SourceOptions{})
		pass(time.Second)
		if err := b.src.Run(t.Context(), nil, b.sink); adapters.KindOf(err) != adapters.Rejected {
			t.Errorf("second run: %v", err)
		}
		if err := b.src.Run(t.Context(), nil, nil); adapters.KindOf(err) != adapters.Rejected {
			t.Errorf("run without a sink: %v", err)
		}
		b.end()
		b.run(nil) // one after the other is fine
		pass(time.Second)
	})
}

// TestConcurrency: no more calls at a time than the adapter declares, and never two polls.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, peak := 0, 0
		f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
			mu.Lock()
			now++
			peak = max(peak, now)
			mu.Unlock()
			<-time.After(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return adapters.Batch{}, nil
		}}
		f.props.Budget = adapters.Budget{Concurrent: 3, PollsPerMinute: 6000}
		a := newAble()
		a.fake = f
		a.slow = 10 * time.Second
		src := source(t, a, adapters.SourceOptions{})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := src.Poll(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		began := time.Now()
		for range 4 {
			wg.Go(func() {
				if _, err := src.Find(t.Context(), "t"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if peak != 1 {
			t.Errorf("%d polls at the same time", peak)
		}
		if d := time.Since(began); d < 14*time.Second {
			t.Errorf("4 calls of 10 s and 5 of 1 s over 3 lines took %s: the bound does not hold", d)
		}
	})
}

func TestLogTail(t *testing.T) {
	t.Parallel()
	a := newAble()
	src := source(t, a, adapters.SourceOptions{Redact: []string{"hunter2-secret"}})
	for name, tc := range map[string]struct {
		log   adapters.Log
		limit int
		want  string
	}{
		"whole":           {adapters.Log{Text: "all of it"}, 100, "all of it"},
		"too long":        {adapters.Log{Text: "0123456789"}, 4, "6789"},
		"cut in a secret": {adapters.Log{Text: "ter2-secret and more", Truncated: true}, 100, "[redacted] and more"},
		"secret at cut":   {adapters.Log{Text: "x hunter2-secret"}, 12, "x [redacted]"},
		"cut in a letter": {adapters.Log{Text: "aöb"}, 2, "b"},
	} {
		a.log = tc.log
		got, err := src.ReadLog(t.Context(), aRun, tc.limit)
		if err != nil || got.Text != tc.want {
			t.Errorf("%s: %q, %v, want %q", name, got.Text, err, tc.want)
		}
	}
	if _, err := src.ReadLog(t.Context(), aRun, 0); adapters.KindOf(err) != adapters.Rejected {
		t.Errorf("limit 0: %v", err)
	}
}

// TestFindAnswers: an answer outside the contract is not taken for absent.
func TestFindAnswers(t *testing.T) {
	t.Parallel()
	a := newAble()
	a.found = adapters.Finding{}
	if _, err := source(t, a, adapters.SourceOptions{}).Find(t.Context(), "t"); adapters.KindOf(err) != adapters.Malformed {
		t.Errorf("an empty answer: %v", err)
	}
}

// TestSecretDeepInError: an error that says less than what it wraps gives nothing away to whoever
// unwraps it.
func TestSecretDeepInError(t *testing.T) {
	t.Parallel()
	for name, deep := range map[string]error{
		"one":  reticent{errors.New("login as ops:hunter2")},
		"many": errors.Join(errors.New("first"), reticent{errors.New("login as ops:hunter2")}),
	} {
		a := newAble()
		a.fail = adapters.Errorf(adapters.Denied, "cancel", "1", "no login: %w", deep)
		src := source(t, a, adapters.SourceOptions{Redact: []string{"hunter2"}})
		for err := src.Cancel(t.Context(), aRun); err != nil; err = errors.Unwrap(err) {
			if _, inside := errors.AsType[reticent](err); inside || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: the secret is in the chain: %v", name, err)
			}
		}
	}
	a := newAble()
	a.fail = adapters.Errorf(adapters.Denied, "cancel", "1", "no login: %w", context.Canceled)
	if err := source(t, a, adapters.SourceOptions{Redact: []string{"hunter2"}}).Cancel(t.Context(), aRun); !errors.Is(err, context.Canceled) {
		t.Errorf("a chain without secrets was cut: %v", err)
	}
}

// reticent is an error that says less than what it wraps.
type reticent struct{ err error }

func (reticent) Error() string   { return "something" }
func (r reticent) Unwrap() error { return r.err }
