package federation_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/lineage"
)

// bench is an installation: two peers, a ledger, and an engine that can be stopped and started again.
type bench struct {
	t    *testing.T
	path string
	a, b *peer
	defs []chain.Definition
	st   *sqlite.Store
	e    *federation.Engine
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

func newBench(t *testing.T, class adapters.StartClass) *bench {
	t.Helper()
	return &bench{
		t: t, path: filepath.Join(t.TempDir(), "ledger.db"), defs: []chain.Definition{nightly()},
		a: newPeer("a", adapters.StartNone), b: newPeer("b", class),
	}
}

func (b *bench) start() {
	b.t.Helper()
	st, err := sqlite.Open(b.t.Context(), b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	b.st = st
	e, err := federation.New(federation.Options{
		Store: st, Sources: []*adapters.Source{source(b.t, b.a), source(b.t, b.b)}, Definitions: b.defs, Node: "test",
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.e = e
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stopped := false
	b.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-done
		if cerr := st.Close(); err == nil {
			err = cerr
		}
		return err
	}
	b.t.Cleanup(func() {
		if err := b.stop(); err != nil {
			b.t.Error(err)
		}
	})
	select {
	case <-e.Ready():
	case err := <-done:
		b.t.Fatal("engine ended:", err)
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

// instances reads them all, oldest first.
func (b *bench) instances() []chain.Instance {
	b.t.Helper()
	in, err := b.st.Instances(b.t.Context(), store.InstanceFilter{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	return in
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

func TestChainAcrossTwoSources(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.start()
	b.a.native("extract", "r1", job.Running, time.Now())
	b.wait("the instance opens", func() bool { return len(b.instances()) == 1 })
	if all, _ := b.b.runs(); all != 0 {
		t.Fatal("load began before extract had ended")
	}
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("the instance closes", b.closed)
	if all, most := b.b.runs(); all != 2 || most != 1 {
		t.Fatalf("%d runs, %d by one token; want 2, each by its own", all, most)
	}
	b.prove(4)
}

func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.b.finish = false
	b.start()
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load runs", func() bool { all, _ := b.b.runs(); return all == 1 })
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b.b.set(func(p *peer) {
		o := p.log[len(p.log)-1]
		o.State = job.Succeeded
		p.add(o)
		p.finish = true
	})
	b.start()
	b.wait("the instance closes", b.closed)
	if all, most := b.b.runs(); all != 2 || most != 1 {
		t.Fatalf("%d runs, %d by one token; want 2, each by its own", all, most)
	}
	b.prove(4)
}
