package federation_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"signalbox/federation/store"
)

// trouble is what happens to a commit.
type trouble string

const (
	fails      trouble = "fails"       // nothing is written
	loses      trouble = "loses"       // it is written, and the answer is lost
	diesBefore trouble = "dies before" // the process is gone before it is written
	diesAfter  trouble = "dies after"  // the process is gone after it was written
)

// ledger is a store with trouble at chosen commits.
type ledger struct {
	store.Store

	mu      sync.Mutex
	commits int
	plan    func(n int, b *store.Batch) trouble // of commit n, from 1; nil = none
	dead    bool
	renewal func(ctx context.Context) error // nil = as usual
}

var (
	errDiskFull = errors.New("disk full")
	errLost     = errors.New("the answer was lost")
	errDead     = errors.New("the process is gone")
)

// troubled puts a ledger with trouble around that of the bench.
func (b *bench) troubled(plan func(n int, b *store.Batch) trouble) *ledger {
	l := &ledger{plan: plan}
	b.wrap = func(s store.Store) store.Store {
		l.Store = s
		return l
	}
	return l
}

// Commit implements store.Writer.
func (l *ledger) Commit(ctx context.Context, b *store.Batch) (int64, error) {
	what := l.next(b)
	switch what {
	case fails:
		return 0, errDiskFull
	case diesBefore:
		return 0, errDead
	case loses, diesAfter:
	}
	last, err := l.Store.Commit(ctx, b)
	if err == nil && what == loses {
		return 0, errLost
	}
	if err == nil && what == diesAfter {
		return 0, errDead
	}
	return last, err
}

func (l *ledger) next(b *store.Batch) (what trouble) {
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return diesBefore
	}
	l.commits++
	n, plan := l.commits, l.plan
	l.mu.Unlock()
	if plan != nil {
		what = plan(n, b) // without the lock: it may wait
	}
	l.set(func(l *ledger) { l.dead = what == diesBefore || what == diesAfter })
	return what
}

// Renew implements store.Leases.
func (l *ledger) Renew(ctx context.Context, f store.Fence, ttl time.Duration) error {
	l.mu.Lock()
	renewal := l.renewal
	l.mu.Unlock()
	if renewal != nil {
		if err := renewal(ctx); err != nil {
			return err
		}
	}
	return l.Store.Renew(ctx, f, ttl)
}

func (l *ledger) set(change func(*ledger)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// count tells how many commits there were, and whether the process is gone.
func (l *ledger) count() (commits int, dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commits, l.dead
}
