package federation_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/lineage"
)

// bench is an installation: peers, a ledger, and an engine that can be stopped and started again.
type bench struct {
	t          *testing.T
	path       string
	a, b       *peer
	more       []*peer
	defs       []chain.Definition
	fast, slow time.Duration                 // poll intervals
	opt        federation.Options            // what is set here goes to the engine
	wrap       func(store.Store) store.Store // around the ledger, for faults
	adapt      func(*peer) adapters.Adapter  // nil = adapter

	st   *sqlite.Store
	e    *federation.Engine
	done chan error // what Run gave
	stop func() error
}

func nightly() chain.Definition {
	return chain.Definition{
		Chain: "nightly", DayCut: "00:00", Timezone: "UTC", KeepOpen: chain.Seconds(3600), Repeat: "extract",
		Nodes: []chain.Node{
			{Name: "extract", Job: job.Ref{Source: "a", Job: "extract"}, Stage: chain.Watch},
			{
				Name: "load", Job: job.Ref{Source: "b", Job: "load"}, Stage: chain.Drive,
				After: []chain.Dependency{{Node: "extract", On: chain.OnSuccess}},
			},
			{
				Name: "report", Job: job.Ref{Source: "b", Job: "report"}, Stage: chain.Drive,
				After: []chain.Dependency{{Node: "load", On: chain.OnSuccess}},
			},
		},
	}
}

// newBench makes one that polls fast, for tests in real time.
func newBench(t *testing.T, class adapters.StartClass) *bench {
	t.Helper()
	return &bench{
		t: t, path: filepath.Join(t.TempDir(), "ledger.db"), defs: []chain.Definition{nightly()},
		a: newPeer("a", adapters.StartNone), b: newPeer("b", class), fast: 10 * time.Millisecond, slow: 20 * time.Millisecond,
	}
}

// inBubble runs a test in a bubble of fake time, which begins at midnight of 2000-01-01 UTC. Polls come
// each second while a chain waits, else each 30 s.
func inBubble(t *testing.T, class adapters.StartClass, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, class)
		b.fast, b.slow = time.Second, 30*time.Second
		b.opt.LeaseTTL = time.Hour // by the database's clock, which is real: a busy machine may be slow
		test(b)
	})
}

// quiet makes polls and renewals rare, for stories that last for days.
func (b *bench) quiet() {
	b.fast, b.slow, b.opt.LeaseTTL = time.Minute, 10*time.Minute, time.Hour
}

// pass lets time pass in a bubble, and everything happen that is due then.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (b *bench) source(p *peer) *adapters.Source {
	b.t.Helper()
	var a adapters.Adapter = adapter{p}
	if b.adapt != nil {
		a = b.adapt(p)
	}
	s, err := adapters.NewSource(a, adapters.SourceOptions{Name: p.name, Node: "test", Fast: b.fast, Slow: b.slow})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// begin starts the engine without waiting until it works.
func (b *bench) begin() {
	b.t.Helper()
	st, err := sqlite.Open(b.t.Context(), b.path, sqlite.WithWAL(0))
	if err != nil {
		b.t.Fatal(err)
	}
	b.st = st
	opt := b.opt
	if opt.Sources == nil {
		for _, p := range append([]*peer{b.a, b.b}, b.more...) {
			opt.Sources = append(opt.Sources, b.source(p))
		}
	}
	if opt.Store = st; b.wrap != nil {
		opt.Store = b.wrap(st)
	}
	opt.Definitions, opt.Node = b.defs, "test"
	b.e, err = federation.New(opt)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.done = make(chan error, 1)
	go func() { b.done <- b.e.Run(ctx) }()
	stopped := false
	b.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		errs := []error{<-b.done}
		for _, s := range opt.Sources {
			errs = append(errs, s.Close())
		}
		return errors.Join(append(errs, st.Close())...)
	}
	stop := b.stop
	b.t.Cleanup(func() {
		if err := stop(); err != nil {
			b.t.Error(err)
		}
	})
}

// start starts the engine and waits until it works.
func (b *bench) start() {
	b.t.Helper()
	b.begin()
	select {
	case <-b.e.Ready():
	case err := <-b.done:
		b.done <- err
		b.t.Fatal("engine ended:", err)
	}
}

// halt stops the engine; it must end well.
func (b *bench) halt() {
	b.t.Helper()
	if err := b.stop(); err != nil {
		b.t.Fatal(err)
	}
}

// wait asks until the condition holds.
func (b *bench) wait(what string, ok func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatal("did not happen:", what)
		}
	}
}

// instances reads them all, latest first.
func (b *bench) instances() []chain.Instance {
	b.t.Helper()
	in, err := b.st.Instances(b.t.Context(), store.InstanceFilter{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	return in
}

// node gives the present state of a node of the latest instance.
func (b *bench) node(name string) chain.NodeState {
	b.t.Helper()
	for _, in := range b.instances() {
		for _, n := range in.Nodes {
			if n.Name == name {
				return n
			}
		}
	}
	return chain.NodeState{}
}

// intents reads all starts that were decided, oldest first.
func (b *bench) intents() []store.Intent {
	b.t.Helper()
	all, err := b.st.Intents(b.t.Context(), store.IntentFilter{})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// closed tells whether all instances came to their end.
func (b *bench) closed() bool {
	b.t.Helper()
	all := b.instances()
	for _, in := range all {
		if in.Closed.IsZero() {
			return false
		}
	}
	return len(all) > 0
}

// once demands that this many runs were started, each by its own token.
func (b *bench) once(want int) {
	b.t.Helper()
	if all, most := b.b.runs(); all != want || (want > 0 && most != 1) {
		b.t.Errorf("%d runs, %d by one token; want %d, each by its own", all, most, want)
	}
}

// prove computes every decision again.
func (b *bench) prove(atLeast int64) {
	b.t.Helper()
	r, err := lineage.Replay(b.t.Context(), b.st)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(r.Faults) > 0 || r.Equal != r.Decisions || r.Decisions < atLeast {
		b.t.Fatalf("replay: %+v, want at least %d decisions, all equal", r, atLeast)
	}
}
