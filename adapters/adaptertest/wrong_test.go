package adaptertest_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/adaptertest"
	"signalbox/adapters/adaptertest/memory"
	"signalbox/adapters/job"
)

// recorder is a T that keeps what a case says instead of failing the test.
type recorder struct {
	t *testing.T

	mu       sync.Mutex
	failed   bool
	skipped  bool
	said     []string
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Name() string             { return r.t.Name() }
func (r *recorder) Context() context.Context { return r.t.Context() }

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	r.skipped = true
	r.mu.Unlock()
	runtime.Goexit()
}

// run runs one case to its end and tells whether it failed.
func (r *recorder) run(name adaptertest.Case, h adaptertest.Harness) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		adaptertest.RunCase(r, name, h)
	}()
	<-done
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// TestWrongVariants proves that the suite can fail: each case must catch each of its wrong variants.
func TestWrongVariants(t *testing.T) {
	t.Parallel()
	all := wrongReadings()
	maps.Copy(all, wrongManners())
	for _, name := range adaptertest.Cases() {
		if len(all[name]) == 0 {
			t.Errorf("case %s has no wrong variant: nothing shows that it can fail", name)
		}
		for what, v := range all[name] {
			t.Run(string(name)+"/"+strings.ReplaceAll(what, " ", "_"), func(t *testing.T) {
				t.Parallel()
				class := v.class
				if class == "" {
					class = adapters.StartDeduplicated
				}
				h := newHarness(t, class, adapters.EventSource)
				h.wrong, h.patience = v.make, 2*time.Second
				r := &recorder{t: t}
				r.run(name, h)
				said := strings.Join(r.said, "\n")
				if !r.failed || r.skipped || v.says == "" || !strings.Contains(said, v.says) {
					t.Errorf("an adapter that %s was not caught with %q: failed %t, skipped %t, said\n%s",
						what, v.says, r.failed, r.skipped, said)
				}
			})
		}
	}
}

// TestGaps: what the harness cannot do must be declared, and only real cases may be.
func TestGaps(t *testing.T) {
	t.Parallel()
	type bare struct{ adaptertest.Harness } // hides the optional abilities
	for _, tc := range []struct {
		name    string
		gaps    map[adaptertest.Case]string
		failed  bool
		skipped bool
	}{
		{name: "undeclared", failed: true},
		{name: "declared", gaps: map[adaptertest.Case]string{adaptertest.Outage: "the peer is a file"}, skipped: true},
		{name: "without a reason", gaps: map[adaptertest.Case]string{adaptertest.Outage: ""}, failed: true},
		{name: "no such case", gaps: map[adaptertest.Case]string{"outtage": "a slip"}, failed: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, adapters.StartNone, adapters.EventSource)
			h.gaps = tc.gaps
			r := &recorder{t: t}
			r.run(adaptertest.Outage, bare{h})
			if r.failed != tc.failed || r.skipped != tc.skipped {
				t.Errorf("failed %t, skipped %t, said %q", r.failed, r.skipped, r.said)
			}
		})
	}
}

// TestNeedPeer: a missing peer skips on a laptop and fails in CI.
func TestNeedPeer(t *testing.T) {
	for ci, want := range map[string]string{"": "skipped", "true": "failed"} {
		t.Setenv("CI", ci)
		r := &recorder{t: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			adaptertest.NeedPeer(r, false, "no sshd here")
		}()
		<-done
		if got := map[bool]string{true: "skipped", false: "failed"}[r.skipped]; got != want {
			t.Errorf("with CI=%q the test was %s, want %s", ci, got, want)
		}
	}
}

// variant is one wrong adapter.
type variant struct {
	says  string              // part of what the case must say about it
	class adapters.StartClass // empty = deduplicated
	make  func(h *harness, a *memory.Adapter) adapters.Adapter
}

// wrong is the reference adapter with some methods replaced.
type wrong struct {
	*memory.Adapter
	poll  pollFunc
	start func(context.Context, adapters.StartRequest) (adapters.Started, error)
	find  func(context.Context, string) (adapters.Finding, error)
	close func() error
}

type pollFunc func(context.Context, adapters.Cursor) (adapters.Batch, error)

func wrap(spoil func(*harness, *memory.Adapter) wrong) func(*harness, *memory.Adapter) adapters.Adapter {
	return func(h *harness, a *memory.Adapter) adapters.Adapter { return spoil(h, a) }
}

func (w wrong) Poll(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
	if w.poll != nil {
		return w.poll(ctx, c)
	}
	return w.Adapter.Poll(ctx, c)
}

func (w wrong) Start(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
	if w.start != nil {
		return w.start(ctx, req)
	}
	return w.Adapter.Start(ctx, req)
}

func (w wrong) Find(ctx context.Context, token string) (adapters.Finding, error) {
	if w.find != nil {
		return w.find(ctx, token)
	}
	return w.Adapter.Find(ctx, token)
}

func (w wrong) Close() error {
	if w.close != nil {
		return w.close()
	}
	return w.Adapter.Close()
}

// quiet is an error that says less than what it wraps.
type quiet struct{ err error }

func (quiet) Error() string   { return "something" }
func (q quiet) Unwrap() error { return q.err }

func amend(a *memory.Adapter, change func(*job.Observation)) pollFunc {
	return func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, c)
		for i := range b.Observations {
			change(&b.Observations[i])
		}
		return b, err
	}
}

// append1 lets another observation follow on some.
func append1(a *memory.Adapter, more func(job.Observation) (job.Observation, bool)) pollFunc {
	return func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, c)
		var all []job.Observation
		for _, o := range b.Observations {
			all = append(all, o)
			if next, ok := more(o); ok {
				all = append(all, next)
			}
		}
		b.Observations = all
		return b, err
	}
}

func ownPosition(a *memory.Adapter) pollFunc {
	var mine adapters.Cursor
	return func(ctx context.Context, _ adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, mine)
		if err == nil {
			mine = b.Next
		}
		return b, err
	}
}

// lostInOutage goes on at the end of the log after a failure.
func lostInOutage(a *memory.Adapter) pollFunc {
	failed := false
	return func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, c)
		if err == nil && failed {
			failed, b.Observations = false, nil
		}
		failed = failed || err != nil
		return b, err
	}
}

// renamed gives runs other ids after a failure.
func renamed(a *memory.Adapter) pollFunc {
	epoch := ""
	return func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, c)
		if err != nil {
			epoch += "x"
		}
		for i := range b.Observations {
			b.Observations[i].Run.Native += epoch
		}
		return b, err
	}
}

// fromTheEnd ignores a cursor that it did not give itself.
func fromTheEnd(a *memory.Adapter) pollFunc {
	var given []string
	return func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, c)
		if len(c) > 0 && !slices.Contains(given, string(c)) {
			b.Observations = nil
		}
		given = append(given, string(b.Next))
		return b, err
	}
}

// guess reads a time of day without its offset.
func guess(t *testing.T, m job.Moment) job.Moment {
	t.Helper()
	if m.IsZero() {
		return m
	}
	zone, err := time.LoadLocation(m.Zone)
	if err != nil {
		t.Error(err)
	}
	const local = "2006-01-02 15:04:05.000"
	at, err := time.ParseInLocation(local, m.Text[:len(local)], zone)
	if err != nil {
		t.Error(err)
	}
	m.At = at.UTC()
	return m
}

func rekind(from, to adapters.Kind) func(*harness, *memory.Adapter) wrong {
	return func(_ *harness, a *memory.Adapter) wrong {
		return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
			b, err := a.Poll(ctx, c)
			if adapters.KindOf(err) == from {
				err = adapters.Errorf(to, "poll", "mem", "%v", err)
			}
			return b, err
		}}
	}
}

// startTwice searches and starts without keeping the two together.
func startTwice(a *memory.Adapter, p *memory.Peer) func(context.Context, adapters.StartRequest) (adapters.Started, error) {
	return func(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
		if _, err := a.Find(ctx, req.Token); err != nil {
			return adapters.Started{}, err
		}
		// Somebody else started it in between: nothing that was found holds any more.
		raw, err := p.Serve(ctx, memory.Request{Password: password, Verb: "start", Args: []string{req.Job, req.Token}})
		return adapters.Started{Detail: string(raw)}, err
	}
}

// eachRun asks for the log of every run that it ever saw, with each poll.
func eachRun(h *harness, a *memory.Adapter) pollFunc {
	seen := make(map[int]bool)
	return func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
		b, err := a.Poll(ctx, c)
		for _, o := range b.Observations {
			id, err := strconv.Atoi(o.Run.Native)
			if err != nil {
				return b, err
			}
			seen[id] = true
		}
		for id := range seen {
			if _, err := h.peer.Serve(ctx, memory.Request{Password: h.cfg.Password, Verb: "log", Args: []string{strconv.Itoa(id)}}); err != nil {
				h.t.Error(err)
			}
		}
		return b, err
	}
}
