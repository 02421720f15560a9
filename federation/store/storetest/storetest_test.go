package storetest_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"signalbox/federation/store/storetest"
)

// TestMemory runs the suite against a ledger that is right.
func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) storetest.Opener { return newMemory("") })
}

// The flaws, each with the case that must catch it.
const (
	halfApplied   flaw = "atomic/a refused batch leaves nothing"
	deafToCancel  flaw = "atomic/a cancelled commit is all or nothing, and the next one works"
	doubleClaim   flaw = "contention/an intent is claimed once"
	fenceIgnored  flaw = "fencing/the owner before cannot write"
	fenceStays    flaw = "fencing/an owner who comes again shuts out his former self"
	anyOwner      flaw = "leases/one owner at a time, and it is said who"
	lateRenewal   flaw = "leases/an expired one can be taken, not renewed"
	storedTwice   flaw = "basic/an equal record is stored once and takes no place"
	hashUnchecked flaw = "basic/bytes that do not match their hash are refused"
	nodesLost     flaw = "basic/an instance keeps its nodes unless they are given"
	tiesLost      flaw = "filters/pages of runs lose and repeat nothing"
	forgets       flaw = "recovery/everything is there after a restart"
)

// TestWrongLedgersAreCaught proves that the suite can fail.
func TestWrongLedgersAreCaught(t *testing.T) {
	t.Parallel()
	for _, wrong := range []flaw{
		halfApplied, deafToCancel, doubleClaim, fenceIgnored, fenceStays, anyOwner, lateRenewal, storedTwice, hashUnchecked,
		nodesLost, tiesLost, forgets,
	} {
		t.Run(string(wrong), func(t *testing.T) {
			t.Parallel()
			for _, c := range storetest.Cases() {
				if c.Name != string(wrong) {
					continue
				}
				if found := judge(t.Context(), c, newMemory(wrong)); len(found) == 0 {
					t.Errorf("the case did not catch the wrong ledger")
				}
				if found := judge(t.Context(), c, newMemory("")); len(found) > 0 {
					t.Errorf("the case found fault with the right ledger:\n%s", strings.Join(found, "\n"))
				}
				return
			}
			t.Errorf("there is no such case")
		})
	}
}

// judge runs a case and gives what it complains about.
func judge(ctx context.Context, c storetest.Case, o storetest.Opener) []string {
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() { // a goroutine of its own, since Fatalf ends it
		defer close(done)
		defer r.clean()
		c.Run(r, o)
	}()
	<-done
	return r.found
}

// recorder is a T that keeps the complaints.
type recorder struct {
	ctx      context.Context //nolint:containedctx // as in testing.T
	mu       sync.Mutex
	found    []string
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) clean() {
	for _, f := range r.cleanups {
		f()
	}
}
