package federation_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// TestAnswerLostAfterTheEffect: the source did it, and we never heard. Whatever the start class, the job
// runs once; without a way to know, a person is asked.
func TestAnswerLostAfterTheEffect(t *testing.T) {
	t.Parallel()
	for _, class := range []adapters.StartClass{adapters.StartDeduplicated, adapters.StartSearchable} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, class)
			var lost atomic.Int32
			b.b.onStart = func(string) error {
				if lost.Add(1) <= 2 {
					return &adapters.Error{Kind: adapters.Unavailable, Op: "start", Err: errCut}
				}
				return nil
			}
			b.start()
			b.a.native("extract", "r1", job.Succeeded, time.Now())
			b.wait("the instance closes", b.closed)
			if all, most := b.b.runs(); all != 2 || most != 1 {
				t.Fatalf("%d runs, %d by one token; want 2, each by its own", all, most)
			}
			b.prove(4)
		})
	}
}

func TestInDoubtAsksAPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartInDoubt)
	b.b.finish = false
	quiet := func(string) error { // the effect cannot be seen by polling either
		b.b.log = b.b.log[:0]
		return &adapters.Error{Kind: adapters.Unavailable, Op: "start", Err: errCut}
	}
	b.b.onStart = quiet
	b.start()
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load is in doubt", func() bool { n := b.node("load"); return n.Send == chain.SendInDoubt && n.State() == job.Unknown })
	if all, _ := b.b.runs(); all != 1 {
		t.Fatalf("%d runs; want 1: nothing is sent again", all)
	}
	if n := b.node("report"); n.Send != "" {
		t.Fatal("report was released on a start in doubt")
	}
	key := b.instances()[0].Key
	cmd := chain.Command{Actor: "ops", Instance: key, Node: "load", Reason: "looked at the host: it ran", Verb: chain.MarkOK}
	if _, err := b.e.Command(t.Context(), cmd); err != nil {
		t.Fatal(err)
	}
	b.wait("report is released", func() bool { return b.node("report").Send != "" })
	b.prove(4)
}

func TestSourceOutOfSightAtRelease(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.b.down = adapters.Errorf(adapters.Unavailable, "connect", "b", "connection refused")
	b.start()
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load is released", func() bool { return b.node("load").Send == chain.SendPending })
	b.wait("b is seen to be blind", func() bool { return b.e.Sources()[1].Blind })
	if st := b.e.Sources()[1]; st.Error == "" || st.ErrorKind != string(adapters.Unavailable) {
		t.Errorf("status %+v does not say why", st)
	}
	b.b.set(func(p *peer) { p.down = nil })
	if err := b.e.PollNow(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	b.wait("the instance closes", b.closed)
	if all, most := b.b.runs(); all != 2 || most != 1 {
		t.Fatalf("%d runs, %d by one token; want 2, each by its own", all, most)
	}
	b.prove(4)
}

func TestRefusedStartIsNotRetried(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.b.onStart = func(token string) error {
		delete(b.b.starts, token)
		b.b.log = b.b.log[:0]
		return &adapters.Error{Kind: adapters.Rejected, Op: "start", Effect: adapters.EffectNone, Err: errors.New("job is locked")}
	}
	b.start()
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load is refused", func() bool { return b.node("load").Send == chain.SendRefused })
	b.b.set(func(p *peer) { p.onStart = nil })
	cmd := chain.Command{Actor: "ops", Instance: b.instances()[0].Key, Node: "load", Reason: "unlocked", Verb: chain.Rerun}
	if _, err := b.e.Command(t.Context(), cmd); err != nil {
		t.Fatal(err)
	}
	b.wait("the instance closes", b.closed)
	if n := b.node("load"); n.Attempt != 2 {
		t.Errorf("attempt %d; want 2", n.Attempt)
	}
	b.prove(5)
}

// TestTwoMasters: a job whose native schedule is in effect is not started by us too.
func TestTwoMasters(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.b.jobs = []job.Job{{Ref: job.Ref{Source: "b", Job: "load"}, Enabled: true}, {Ref: job.Ref{Source: "b", Job: "report"}}}
	b.start()
	b.wait("b was listed", func() bool { return b.e.Sources()[1].Jobs == 2 })
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load is refused", func() bool { return b.node("load").Send == chain.SendRefused })
	if all, _ := b.b.runs(); all != 0 {
		t.Fatalf("%d runs; want none", all)
	}
}

func TestCommandRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.b.finish = false
	b.start()
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load runs", func() bool { n := b.node("load"); return n.State() == job.Running })
	key := b.instances()[0].Key
	for _, tc := range []struct {
		name string
		c    chain.Command
		want error
	}{
		{"no actor", chain.Command{Instance: key, Node: "load", Reason: "x", Verb: chain.Skip}, federation.ErrInput},
		{"no reason", chain.Command{Actor: "ops", Instance: key, Node: "load", Verb: chain.Skip}, federation.ErrInput},
		{"no job", chain.Command{Actor: "ops", Reason: "x", Instance: key, Node: "laod", Verb: chain.Skip}, federation.ErrNotFound},
		{"no instance", chain.Command{Actor: "ops", Reason: "x", Instance: chain.Key{Chain: "x", BusinessDate: "2026-01-01"}, Node: "load", Verb: chain.Skip}, federation.ErrNotFound},
		{"runs", chain.Command{Actor: "ops", Reason: "x", Instance: key, Node: "load", Verb: chain.Rerun}, federation.ErrRefused},
	} {
		if _, err := b.e.Command(t.Context(), tc.c); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v; want %v", tc.name, err, tc.want)
		}
	}
	b.prove(3)
}

// TestSecondEngine: one writer at a time.
func TestSecondEngine(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.start()
	other, err := federation.New(federation.Options{Store: b.st, Node: "other"})
	if err != nil {
		t.Fatal(err)
	}
	var held *store.HeldError
	if err := other.Run(t.Context()); !errors.As(err, &held) || held.Owner != "test" {
		t.Fatalf("%v; want that the lease is held by test", err)
	}
}

func TestSubscribersAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.start()
	slow := b.e.Subscribe(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	gone := b.e.Subscribe(ctx)
	cancel()
	b.wait("the one that left is let go", func() bool {
		select {
		case _, ok := <-gone:
			return !ok
		default:
			return false
		}
	})
	for i := range 1000 {
		b.a.native("other", time.Unix(int64(i), 0).UTC().Format(time.RFC3339), job.Succeeded, time.Unix(int64(i), 0))
	}
	b.wait("everything is durable", func() bool {
		r, err := b.st.Runs(t.Context(), store.RunFilter{Source: "a", Limit: 1000})
		return err == nil && len(r) == 1000
	})
	n := 0
	for range slow {
		n++
	}
	if n == 0 || n >= 1000 {
		t.Fatalf("the slow subscriber got %d changes before it was cut off", n)
	}
}
