// Package storetest is the suite that every ledger must pass. A test of the implementation calls [Run].
//
// Its tiers: basic (records and projections), atomic, contention, fencing, leases, recovery, filters,
// and crash, for which another process is killed with SIGKILL while it writes. That the suite can
// fail is proved in its own test: ledgers that are wrong on purpose must each be caught.
package storetest

import (
	"context"
	"slices"
	"testing"

	"signalbox/federation/store"
)

// Opener opens one ledger that no other case uses. Opened again after Close, or after the process that
// had it open was killed, it is the same ledger.
type Opener interface {
	Open(ctx context.Context) (store.Store, error)
}

// T is the part of *testing.T that cases use, so that the suite itself can be tested.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(f func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Case is one property of a ledger.
type Case struct {
	Name string // tier/property
	Run  func(t T, o Opener)
}

// Cases lists all properties that can be checked within one process.
func Cases() []Case {
	return slices.Concat(basicCases(), projectionCases(), atomicCases(), contentionCases(), fencingCases(), leaseCases(),
		recoveryCases(), filterCases())
}

// Run checks every property, each against a ledger of its own that fresh makes. The crash tier runs
// for openers that are a [Crasher]; others must say so to their reader.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, fresh(t))
		})
	}
	t.Run("crash", func(t *testing.T) {
		t.Parallel()
		c, ok := fresh(t).(Crasher)
		if !ok {
			t.Skip("this ledger cannot be opened by another process")
		}
		crash(t, c)
	})
}
