package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"signalbox/federation/store"
)

func fencingCases() []Case {
	return []Case{
		{"fencing/the owner before cannot write", oldOwner},
		{"fencing/an owner who comes again shuts out his former self", formerSelf},
		{"fencing/no batch without the right fence", wrongFence},
		{"fencing/a lease given back gives no right", givenBack},
	}
}

func leaseCases() []Case {
	return []Case{
		{"leases/one owner at a time, and it is said who", oneOwner},
		{"leases/an expired one can be taken, not renewed", expired},
		{"leases/renewal keeps it", renewed},
		{"leases/they are independent", independent},
		{"leases/many who try at once are one owner and many refused", race},
	}
}

// blip is a time to live that a test can wait for.
const blip = 30 * time.Millisecond

// lapse waits until a lease of the given time to live, taken just before, has surely expired.
func lapse(ctx context.Context, ttl time.Duration) {
	timer := time.NewTimer(ttl + blip)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// acquire takes a lease that must be free.
func acquire(t T, s store.Leases, lease, owner string, ttl time.Duration) store.Fence {
	t.Helper()
	f, err := s.Acquire(t.Context(), lease, owner, ttl)
	if err != nil {
		t.Fatalf("acquire %s for %s: %v", lease, owner, err)
	}
	if f.Lease != lease || f.Value <= 0 {
		t.Errorf("acquire %s gave %+v", lease, f)
	}
	return f
}

// fenced writes with a fence that must be refused, and looks whether anything came through.
func fenced(l *ledger, f store.Fence) {
	l.t.Helper()
	before := contents(l)
	b := everything(l.t, 1)
	b.Fence = f
	if _, err := l.Commit(l.t.Context(), &b); !errors.Is(err, store.ErrFenced) {
		l.t.Errorf("commit with %+v gave %v, want %v", f, err, store.ErrFenced)
	}
	if after := contents(l); after != before {
		l.t.Errorf("a fenced batch wrote: %s", after)
	}
}

func oldOwner(t T, o Opener) {
	l := open(t, o)
	old := acquire(t, l, "shard", "a", blip)
	lapse(t.Context(), blip)
	b := store.Batch{Fence: old}
	if _, err := l.Commit(t.Context(), &b); err != nil {
		t.Errorf("nobody else took the lease, but the owner cannot write: %v", err)
	}
	now := acquire(t, l, "shard", "b", time.Minute)
	if now.Value <= old.Value {
		t.Errorf("fence %d after %d: it must rise", now.Value, old.Value)
	}
	fenced(l, old)
	ok := everything(t, 2)
	ok.Fence = now
	if _, err := l.Commit(t.Context(), &ok); err != nil {
		t.Errorf("the new owner cannot write: %v", err)
	}
}

func formerSelf(t T, o Opener) {
	l := open(t, o)
	old := l.fence
	now := acquire(t, l, "writer", "suite", time.Minute)
	if now.Value <= old.Value {
		t.Errorf("fence %d after %d: it must rise, also for the same owner", now.Value, old.Value)
	}
	fenced(l, old)
	if err := l.Renew(t.Context(), old, time.Minute); !errors.Is(err, store.ErrFenced) {
		t.Errorf("renewal by the former self gave %v, want %v", err, store.ErrFenced)
	}
	if err := l.Release(t.Context(), old); err != nil {
		t.Errorf("release of a lost lease: %v", err)
	}
	l.fence = now
	l.commit(everything(t, 2))
	l.close()
	again := open(t, o)
	if again.fence.Value <= now.Value {
		t.Errorf("fence %d after %d: it must rise across a restart", again.fence.Value, now.Value)
	}
	fenced(again, now)
}

func wrongFence(t T, o Opener) {
	l := open(t, o)
	fenced(l, store.Fence{})
	fenced(l, store.Fence{Lease: "writer"})
	fenced(l, store.Fence{Lease: "writer", Value: l.fence.Value + 1})
	fenced(l, store.Fence{Lease: "never taken", Value: l.fence.Value})
}

func givenBack(t T, o Opener) {
	l := open(t, o)
	old := l.fence
	for range 2 {
		if err := l.Release(t.Context(), old); err != nil {
			t.Fatalf("release: %v", err)
		}
	}
	fenced(l, old)
	if err := l.Renew(t.Context(), old, time.Minute); !errors.Is(err, store.ErrFenced) {
		t.Errorf("renewal of a lease given back gave %v, want %v", err, store.ErrFenced)
	}
	l.fence = acquire(t, l, "writer", "another", time.Minute)
	if l.fence.Value <= old.Value {
		t.Errorf("fence %d after %d: it must rise", l.fence.Value, old.Value)
	}
	fenced(l, old)
}

func oneOwner(t T, o Opener) {
	l := open(t, o)
	_, err := l.Acquire(t.Context(), "writer", "another", time.Minute)
	var held *store.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("a lease that is held was given away: %v", err)
	}
	if held.Lease != "writer" || held.Owner != "suite" || held.Until.IsZero() {
		t.Errorf("held by %+v, want lease writer, owner suite and the time", held)
	}
	l.commit(everything(t, 1)) // the attempt took nothing from the owner
	for _, ask := range []struct {
		lease, owner string
		ttl          time.Duration
	}{{"", "a", time.Second}, {"x", "", time.Second}, {"x", "a", 0}} {
		if _, err := l.Acquire(t.Context(), ask.lease, ask.owner, ask.ttl); err == nil {
			t.Errorf("acquire of %+v was granted", ask)
		}
	}
}

func expired(t T, o Opener) {
	l := open(t, o)
	f := acquire(t, l, "shard", "a", blip)
	lapse(t.Context(), blip)
	if err := l.Renew(t.Context(), f, time.Minute); !errors.Is(err, store.ErrFenced) {
		t.Errorf("renewal of an expired lease gave %v, want %v", err, store.ErrFenced)
	}
	acquire(t, l, "shard", "b", time.Minute)
	if err := l.Renew(t.Context(), f, time.Minute); !errors.Is(err, store.ErrFenced) {
		t.Errorf("renewal of a lost lease gave %v, want %v", err, store.ErrFenced)
	}
	if err := l.Release(t.Context(), f); err != nil {
		t.Errorf("release of a lost lease: %v", err)
	}
	if _, err := l.Acquire(t.Context(), "shard", "c", time.Minute); err == nil {
		t.Errorf("the release by a former owner took the lease from the present one")
	}
}

func renewed(t T, o Opener) {
	l := open(t, o)
	const ttl = 40 * blip
	f := acquire(t, l, "shard", "a", ttl)
	if err := l.Renew(t.Context(), f, time.Minute); err != nil {
		t.Fatalf("renew: %v", err)
	}
	lapse(t.Context(), ttl)
	if _, err := l.Acquire(t.Context(), "shard", "b", time.Minute); err == nil {
		t.Errorf("a renewed lease was given away")
	}
	b := store.Batch{Fence: f}
	if _, err := l.Commit(t.Context(), &b); err != nil {
		t.Errorf("commit under a renewed lease: %v", err)
	}
}

func independent(t T, o Opener) {
	l := open(t, o)
	other := acquire(t, l, "other", "b", time.Minute)
	l.commit(everything(t, 1))
	b := everything(t, 2)
	b.Fence = other
	if _, err := l.Commit(t.Context(), &b); err != nil {
		t.Errorf("commit under the other lease: %v", err)
	}
	if err := l.Release(t.Context(), other); err != nil {
		t.Errorf("release: %v", err)
	}
	l.commit(everything(t, 3))
}

func race(t T, o Opener) {
	l := open(t, o)
	var won atomic.Int32
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			_, err := l.Acquire(t.Context(), "shard", string(rune('a'+w)), time.Minute)
			var held *store.HeldError
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &held):
				t.Errorf("acquire: %v", err)
			}
		})
	}
	wait.Wait()
	if c := won.Load(); c != 1 {
		t.Errorf("the lease has %d owners, want one", c)
	}
}
