package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

func atomicCases() []Case {
	return []Case{
		{"atomic/a refused batch leaves nothing", refusedBatch},
		{"atomic/a reader sees whole batches only", wholeBatches},
		{"atomic/a cancelled commit is all or nothing, and the next one works", cancelledCommit},
	}
}

// everything is a batch that touches every table.
func everything(t T, n int) store.Batch {
	t.Helper()
	o := running(n)
	return store.Batch{
		Records:     []store.Entry{entry(t, &o)},
		Definitions: []chain.Definition{{Chain: fmt.Sprint("chain-", n)}},
		Sources:     []store.Source{{Name: fmt.Sprint("source-", n)}},
		Listings:    []store.Listing{{Source: "findb", Jobs: []job.Job{{Ref: o.Run.Ref(), Title: fmt.Sprint(n)}}}},
		Runs:        []job.Run{told(t, o)},
		Instances:   []chain.Instance{instance(n)},
		Nodes:       []store.NodeChange{{Key: day(n), Index: 0, State: chain.NodeState{Name: "extract", Attempt: 7}}},
		Intents:     []store.Intent{intent(n)},
		Moves:       []store.Move{claim(n)},
		Edges:       []store.Edge{{DownToken: intent(n).Token, Up: o.Run, UpAttempt: 1}},
	}
}

// contents is all that a ledger holds, for comparison.
func contents(l *ledger) string {
	t, ctx := l.t, l.t.Context()
	t.Helper()
	parts := []any{
		must[[]store.Entry](t)(l.After(ctx, 0, 10000)),
		must[[]chain.Definition](t)(l.Definitions(ctx)),
		must[[]store.Source](t)(l.Sources(ctx)),
		must[[]job.Job](t)(l.Jobs(ctx, store.JobFilter{Limit: 1000})),
		must[[]job.Run](t)(l.Runs(ctx, store.RunFilter{Limit: 1000})),
		must[[]chain.Instance](t)(l.Instances(ctx, store.InstanceFilter{Limit: 1000})),
		must[[]store.Intent](t)(l.Intents(ctx, store.IntentFilter{})),
	}
	for n := range 3 {
		parts = append(parts, must[[]store.Edge](t)(l.Edges(ctx, intent(n).Token)))
	}
	return text(t, parts)
}

func refusedBatch(t T, o Opener) {
	l := open(t, o)
	l.commit(everything(t, 1))
	before := contents(l)
	spoil := map[string]func(*store.Batch){
		"wrong hash":           func(b *store.Batch) { b.Records[0].Body = []byte("{}") },
		"listing of another":   func(b *store.Batch) { b.Listings[0].Source = "other" },
		"node of no instance":  func(b *store.Batch) { b.Nodes[0].Key = day(99) },
		"intent exists":        func(b *store.Batch) { b.Intents = append(b.Intents, intent(1)) },
		"intent twice":         func(b *store.Batch) { b.Intents = append(b.Intents, intent(2)) },
		"move from elsewhere":  func(b *store.Batch) { b.Moves = append(b.Moves, claim(1)) },
		"move of no intent":    func(b *store.Batch) { b.Moves = append(b.Moves, claim(50)) },
		"move twice":           func(b *store.Batch) { b.Moves = append(b.Moves, claim(2)) },
		"intent of same place": func(b *store.Batch) { i := intent(1); i.Token = "x"; b.Intents = append(b.Intents, i) },
	}
	for what, f := range spoil {
		b := everything(t, 2)
		f(&b)
		if _, err := l.try(b); err == nil {
			t.Errorf("%s: the batch was taken", what)
		}
		if after := contents(l); after != before {
			t.Fatalf("%s: the refused batch left something:\n got %s\nwant %s", what, after, before)
		}
	}
	l.commit(everything(t, 2))
}

// wholeBatches lets readers look at an instance of which every batch changes all nodes.
func wholeBatches(t T, o Opener) {
	l := open(t, o)
	in := instance(1)
	set := func(n int) chain.Instance {
		c := in
		c.Nodes = []chain.NodeState{{Name: "extract", Attempt: n}, {Name: "load", Attempt: n}}
		c.Closed = minute(n)
		return c
	}
	l.commit(store.Batch{Instances: []chain.Instance{set(1)}})
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !done.Load() {
				got, err := l.Instance(t.Context(), in.Key)
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				n := got.Nodes[0].Attempt
				if got.Nodes[1].Attempt != n || !got.Closed.Equal(minute(n)) {
					t.Errorf("a reader saw parts of two batches: %s", text(t, got))
					return
				}
			}
		})
	}
	for n := range 60 {
		c := set(n + 2)
		l.commit(store.Batch{Instances: []chain.Instance{c}})
	}
	done.Store(true)
	readers.Wait()
}

// cancelledCommit cancels commits at all stages, while others wait for their turn.
func cancelledCommit(t T, o Opener) {
	l := open(t, o)
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	b := everything(t, 1)
	b.Fence = l.fence
	before := contents(l)
	if _, err := l.Commit(dead, &b); !errors.Is(err, context.Canceled) {
		t.Errorf("commit with a cancelled context gave %v, want %v", err, context.Canceled)
	}
	if after := contents(l); after != before {
		t.Errorf("a cancelled commit wrote something: %s", after)
	}
	const n = 60
	var wait sync.WaitGroup
	taken := make([]bool, n)
	for i := range n {
		wait.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			obs := running(i)
			b := store.Batch{Fence: l.fence, Records: []store.Entry{entry(t, &obs)}, Runs: []job.Run{told(t, obs)}}
			go cancel()
			_, err := l.Commit(ctx, &b)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled commit: %v", err)
			}
			taken[i] = err == nil
		})
	}
	wait.Wait()
	for i := range n {
		obs := running(i)
		_, noRecord := l.ByHash(t.Context(), entry(t, &obs).Hash)
		_, noRun := l.Run(t.Context(), obs.Run)
		if taken[i] != (noRecord == nil) || taken[i] != (noRun == nil) {
			t.Errorf("run %d: acknowledged %v, but record: %v, run: %v", i, taken[i], noRecord, noRun)
		}
	}
	l.commit(everything(t, n))
}
