package adapters_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// cell is a value that the test changes while others read it.
type cell[T any] struct {
	mu sync.Mutex
	v  T
}

func (c *cell[T]) set(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.v = v
}

func (c *cell[T]) get() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.v
}

func holding[T any](v T) *cell[T] { return &cell[T]{v: v} }

// fake is an adapter whose polls are written by the test.
type fake struct {
	props adapters.Properties
	// answer makes the poll number n, from 1.
	answer func(ctx context.Context, n int, cursor adapters.Cursor) (adapters.Batch, error)

	mu      sync.Mutex
	at      []time.Time // when polls began
	cursors []string
	closed  int
}

func (f *fake) Properties() adapters.Properties { return f.props }

func (f *fake) Poll(ctx context.Context, cursor adapters.Cursor) (adapters.Batch, error) {
	f.mu.Lock()
	f.at = append(f.at, time.Now())
	f.cursors = append(f.cursors, string(cursor))
	n := len(f.at)
	f.mu.Unlock()
	if f.answer == nil {
		return adapters.Batch{Next: cursor}, nil
	}
	return f.answer(ctx, n, cursor)
}

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

// polls gives when polls began, so far.
func (f *fake) polls() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.at)
}

func (f *fake) count() int { return len(f.polls()) }

// sink keeps what a source delivers.
type sink struct {
	mu       sync.Mutex
	refuse   error // for Take
	taken    []adapters.Batch
	tried    int
	listings []adapters.Listing
	contacts []adapters.Contact
}

func (s *sink) Take(_ context.Context, _ string, b adapters.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried++
	if s.refuse != nil {
		return s.refuse
	}
	s.taken = append(s.taken, b)
	return nil
}

func (s *sink) TakeListing(_ context.Context, _ string, l adapters.Listing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listings = append(s.listings, l)
	return nil
}

func (s *sink) TakeContact(_ context.Context, _ string, c adapters.Contact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contacts = append(s.contacts, c)
	return nil
}

func (s *sink) batches() []adapters.Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

func (s *sink) told() []adapters.Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.contacts)
}

func (s *sink) setRefuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// bench is one source with its adapter and sink, inside a synctest bubble.
type bench struct {
	t    *testing.T
	src  *adapters.Source
	sink *sink
	end  func() // ends Run and waits for it
}

// start makes a source of an adapter and runs it until the bubble's test ends.
func start(t *testing.T, a adapters.Adapter, opt adapters.SourceOptions) *bench {
	t.Helper()
	b := &bench{t: t, src: source(t, a, opt), sink: &sink{}}
	b.run(nil)
	return b
}

func (b *bench) run(cursor adapters.Cursor) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.src.Run(ctx, cursor, b.sink) }()
	b.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("run: %v", err)
		}
	})
	b.t.Cleanup(b.end)
}

func source(t *testing.T, a adapters.Adapter, opt adapters.SourceOptions) *adapters.Source {
	t.Helper()
	if opt.Name == "" {
		opt.Name = "mvs"
	}
	src, err := adapters.NewSource(a, opt)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// pass lets the bubble's time pass and everything settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// ran gives a good observation of a run.
func ran(native string, state job.State) job.Observation {
	return job.Observation{
		Run: job.RunKey{Source: "mvs", Job: "GLEXTR", Native: native}, Attempt: 1, State: state, NativeState: string(state),
	}
}

func batch(next string, list ...job.Observation) adapters.Batch {
	return adapters.Batch{Observations: list, Next: adapters.Cursor(next)}
}

func unavailable() error {
	return adapters.Errorf(adapters.Unavailable, "poll", "mvs", "connection refused")
}

// able is a fake that has every ability.
type able struct {
	*fake
	starts int
	fail   error
	list   func() (adapters.Listing, error)
	slow   time.Duration // each call takes so long, or until its context ends
	torn   bool          // the adapter was closed during a start
	log    adapters.Log
	found  adapters.Finding
}

func (a *able) call(ctx context.Context) error {
	if a.slow > 0 {
		select {
		case <-time.After(a.slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return a.fail
}

func (a *able) List(ctx context.Context) (adapters.Listing, error) {
	if a.list == nil {
		return adapters.Listing{}, a.call(ctx)
	}
	return a.list()
}

func (a *able) Start(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
	a.mu.Lock()
	a.starts++
	a.mu.Unlock()
	err := a.call(ctx)
	a.mu.Lock()
	a.torn = a.torn || a.closed > 0
	a.mu.Unlock()
	return adapters.Started{Run: job.RunKey{Source: "mvs", Job: req.Job, Native: "1"}, Detail: "accepted hunter2"}, err
}

func (a *able) Find(ctx context.Context, _ string) (adapters.Finding, error) {
	return a.found, a.call(ctx)
}
func (a *able) Cancel(ctx context.Context, _ job.RunKey) error { return a.call(ctx) }
func (a *able) Hold(ctx context.Context, _ string) error       { return a.call(ctx) }
func (a *able) Unhold(ctx context.Context, _ string) error     { return a.call(ctx) }

func (a *able) ReadLog(ctx context.Context, _ job.RunKey, _ int) (adapters.Log, error) {
	return a.log, a.call(ctx)
}

func (a *able) Deploy(ctx context.Context, _ bool) (adapters.Change, error) {
	return adapters.Change{Steps: []string{"add line with hunter2"}, Diff: "+hunter2"}, a.call(ctx)
}

func (a *able) Undeploy(ctx context.Context, _ bool) (adapters.Change, error) {
	return adapters.Change{}, a.call(ctx)
}
