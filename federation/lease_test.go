package federation_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// ended gives what Run gave, or nil if it still runs.
func (b *bench) ended() error {
	select {
	case err := <-b.done:
		b.done <- nil // the bench looks at it too, and it was seen
		return err
	default:
		return nil
	}
}

func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.opt.LeaseTTL = 15 * time.Second
		var renewals atomic.Int32
		var bad atomic.Bool
		b.troubled(nil).renewal = func(context.Context) error {
			if renewals.Add(1); bad.Load() {
				return errDiskFull
			}
			return nil
		}
		b.start()
		pass(10 * time.Minute)
		if n := renewals.Load(); n < 100 {
			t.Errorf("%d renewals of 15 s within ten minutes", n)
		}
		bad.Store(true) // for less than the lease lasts
		pass(6 * time.Second)
		bad.Store(false)
		pass(10 * time.Minute)
		if err := b.ended(); err != nil {
			t.Errorf("ended by one failed renewal: %v", err)
		}
	})
}

// TestLeaseLost: an engine that may not write any more, or cannot know, stops before its lease is over, and
// says why.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		renewal func(ctx context.Context) error
		want    string
		within  time.Duration
	}{
		{"taken", func(context.Context) error { return store.ErrFenced }, "the lease to write was lost", 5 * time.Second},
		{"failing", func(context.Context) error { return errDiskFull }, "could not be renewed in time", 15 * time.Second},
		{"hanging", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "could not be renewed in time", 15 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, adapters.StartSearchable, func(b *bench) {
				t := b.t
				b.opt.LeaseTTL = 15 * time.Second
				l := b.troubled(nil)
				b.start()
				pass(time.Minute)
				l.set(func(l *ledger) { l.renewal = tc.renewal })
				pass(tc.within)
				if err := b.ended(); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v; want %q", err, tc.want)
				}
			})
		})
	}
}

// TestZombie: another engine took the lease while a start of ours was under way. We stop with a clear
// error, write nothing more, and the other one finds out what became of the start.
func TestZombie(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.b.answer = func(context.Context) { <-time.After(20 * time.Second) }
		b.start()
		until("00:10:00")
		b.ends()
		for _, calls := b.b.counts(); calls == 0; _, calls = b.b.counts() {
			pass(time.Second)
		}
		other, err := federation.New(federation.Options{
			Store: b.st, Sources: []*adapters.Source{b.source(b.a), b.source(b.b)}, Definitions: b.defs, Node: "test",
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- other.Run(ctx) }()
		pass(time.Minute)
		if err := b.ended(); !errors.Is(err, store.ErrFenced) {
			t.Errorf("%v; want %v", err, store.ErrFenced)
		}
		pass(2 * time.Minute)
		if !b.closed() {
			t.Errorf("the other engine did not go on: %+v", b.instances())
		}
		b.once(2)
		b.prove(4)
		cmd := chain.Command{Actor: "ops", Instance: b.instances()[0].Key, Node: "load", Reason: "x", Verb: chain.Skip}
		if _, err := b.e.Command(t.Context(), cmd); !errors.Is(err, federation.ErrUnavailable) {
			t.Errorf("command to the zombie: %v", err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestStopWhileStarting: a start that is under way when the engine is told to stop is recorded; the stop
// takes no longer than the call.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer func(context.Context)
		within time.Duration
		want   chain.Send
	}{
		{"slow", func(context.Context) { <-time.After(20 * time.Second) }, 20 * time.Second, chain.SendConfirmed},
		{"hanging", func(ctx context.Context) { <-ctx.Done() }, 31 * time.Second, chain.SendConfirmed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, adapters.StartSearchable, func(b *bench) {
				t := b.t
				b.b.finish = false
				b.b.answer = tc.answer
				b.start()
				until("00:10:00")
				b.ends()
				for _, calls := b.b.counts(); calls == 0; _, calls = b.b.counts() {
					pass(100 * time.Millisecond)
				}
				began := time.Now()
				b.halt()
				if took := time.Since(began); took > tc.within {
					t.Errorf("stopping took %s", took)
				}
				b.b.set(func(p *peer) { p.answer = nil })
				b.start()
				if n := b.node("load"); n.Send != tc.want {
					t.Errorf("load is %s after the restart", n.Send)
				}
				pass(time.Minute)
				if _, calls := b.b.counts(); calls != 1 {
					t.Errorf("asked %d times; want once", calls)
				}
				b.once(1)
				b.prove(2)
			})
		})
	}
}

// TestOutOfSight: a source that goes out of sight and comes back is served at once, not when a worker
// happens to look again, and is polled fast only while something is awaited from it.
func TestOutOfSight(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.b.finish = false
		b.start()
		until("00:08:00")
		slow, _ := b.b.counts()
		b.b.set(func(p *peer) { p.down = adapters.Errorf(adapters.Unavailable, "connect", "b", "no route to host") })
		until("00:10:00")
		b.ends()
		until("00:30:00")
		if n := b.node("load"); n.Send != chain.SendPending {
			t.Fatalf("load is %s", n.Send)
		}
		if !b.e.Sources()[1].Fast {
			t.Error("b is not polled fast although a chain waits on it")
		}
		b.b.set(func(p *peer) { p.down = nil })
		for b.e.Sources()[1].Blind {
			pass(10 * time.Millisecond)
		}
		pass(0)
		if n := b.node("load"); n.Send != chain.SendConfirmed {
			t.Errorf("load is %s although b is back", n.Send)
		}
		before, _ := b.b.counts()
		pass(time.Minute)
		if polls, _ := b.b.counts(); polls-before < 50 {
			t.Errorf("%d polls in a minute while its run is awaited", polls-before)
		}
		b.b.endAfter(0)
		b.b.set(func(p *peer) { p.finish = true })
		pass(2 * time.Minute)
		if !b.closed() || b.e.Sources()[1].Fast {
			t.Errorf("closed %v, fast %v", b.closed(), b.e.Sources()[1].Fast)
		}
		if slow > 20 {
			t.Errorf("%d polls in eight minutes while nothing is awaited", slow)
		}
		b.once(2)
		b.prove(4)
	})
}

// TestStopAtOnce: an engine that is told to stop while it begins does so.
func TestStopAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		for range 20 {
			b.begin()
			_ = b.stop() // it may not have begun, and says so
			synctest.Wait()
		}
		b.start()
		b.a.native("extract", "r1", job.Succeeded, time.Now().Add(time.Second))
		pass(time.Minute)
		if !b.closed() {
			t.Error("it does not work after that")
		}
		b.prove(4)
	})
}
