package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// groupLimit bounds how many requests share one commit.
const groupLimit = 256

// Waits before the clock's own decisions are tried again after a commit failed; requests do not wait.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// errStopped is what callers get once the engine no longer takes work.
var errStopped = fmt.Errorf("the engine is stopped: %w", ErrUnavailable)

// request is a piece of work for the committer.
type request struct {
	apply func(*txn) error
	done  chan error
}

// do hands work to the committer and waits until it is durable. The function runs on the committer's
// goroutine and may look at and change what that one owns; an error of its own undoes nothing of
// others, so it must be returned before anything was changed. Before the engine has begun it waits.
func (e *Engine) do(ctx context.Context, apply func(*txn) error) error {
	select {
	case <-e.ready:
		return e.submit(ctx, apply)
	case <-ctx.Done():
		return ctx.Err()
	case <-e.stopped:
		return errStopped
	}
}

// submit is do for an engine that is about to begin.
func (e *Engine) submit(ctx context.Context, apply func(*txn) error) error {
	r := &request{apply: apply, done: make(chan error, 1)}
	select {
	case e.work <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.stopped:
		return errStopped
	}
	select {
	case err := <-r.done:
		return err
	case <-e.stopped:
	}
	select { // it may have been the last thing that was done
	case err := <-r.done:
		return err
	default:
		return errStopped
	}
}

// commitLoop is the one writer. It returns when ctx ends, or with the error that makes further writing
// wrong.
func (e *Engine) commitLoop(ctx context.Context) error {
	alarm := time.NewTimer(idle)
	defer alarm.Stop()
	for {
		var group []*request
		select {
		case <-ctx.Done():
			return nil
		case r := <-e.work:
			group = e.gather(r)
		case <-alarm.C:
		}
		if err := e.commit(ctx, group); err != nil {
			return err
		}
		alarm.Reset(max(e.timers.wait(time.Now()), e.pause()))
	}
}

// pause is how long the clock's decisions wait because the store does not take them.
func (e *Engine) pause() time.Duration {
	if e.failed == 0 {
		return 0
	}
	return min(lastPause, firstPause<<min(e.failed-1, 10))
}

// gather takes what else is waiting.
func (e *Engine) gather(first *request) []*request {
	group := []*request{first}
	for len(group) < groupLimit {
		select {
		case r := <-e.work:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// refuseWork answers callers after the committer has given up.
func (e *Engine) refuseWork(ctx context.Context) {
	for {
		select {
		case r := <-e.work:
			r.done <- errStopped
		case <-ctx.Done():
			return
		}
	}
}

// commit carries out a group and makes it durable. If that fails, the state in memory may be ahead of
// the ledger: it is thrown away and read again, and everybody in the group is told.
func (e *Engine) commit(ctx context.Context, group []*request) error {
	t := newTxn(e)
	answers := make([]error, len(group))
	broken := t.tick()
	for i, r := range group {
		if broken != nil {
			break
		}
		t.now = e.now()
		answers[i] = r.apply(t)
		broken = t.broken
	}
	if broken == nil {
		broken = t.write(ctx)
	}
	if broken != nil {
		return e.fail(ctx, group, broken)
	}
	e.failed = 0
	t.publish()
	for i, r := range group {
		r.done <- answers[i]
	}
	e.tidy(t.now)
	return nil
}

// fail tells everybody in a group that it is lost, and reads the state again. What the store says about
// what it wrote is not believed: an answer may have been lost on the way.
func (e *Engine) fail(ctx context.Context, group []*request, cause error) error {
	e.log.Error("a group was not committed", slog.Any("error", cause), slog.Int("requests", len(group)))
	fenced := errors.Is(cause, store.ErrFenced)
	cause = fmt.Errorf("commit: %w", cause)
	if !fenced {
		cause = fmt.Errorf("%w: %w", cause, ErrUnavailable)
	}
	for _, r := range group {
		r.done <- cause
	}
	if fenced {
		return cause
	}
	e.failed++
	return e.reload(ctx)
}

// now gives the time for the next decision. Each has its own, even where the clock stands still or was
// set back a little: records are told apart by their bytes, and two of the same words would be one.
func (e *Engine) now() time.Time {
	now := time.Now().UTC().Round(0)
	if ahead := e.last.Sub(now); ahead >= 0 && ahead < time.Second {
		now = e.last.Add(1)
	}
	e.last = now
	return now
}

// tidy forgets what is over, so that memory does not grow with history.
func (e *Engine) tidy(now time.Time) {
	const every = time.Hour
	if now.Sub(e.tidied).Abs() < every {
		return
	}
	e.tidied = now
	e.state.Forget(now.Add(-2 * chain.CatchUp))
	e.timers.prune(func(t chain.Timer) bool {
		_, open := e.state.Instance(t.Key)
		return open || t.Key == chain.Key{}
	})
}
