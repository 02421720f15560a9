package federation

import (
	"context"
	"slices"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Waits between attempts at a start that the source could not be asked for, or could not answer about.
const (
	firstWait = time.Second
	lastWait  = 30 * time.Second
	// doubtAfter is how long a reachable source may be unable to say what became of a start before a
	// person is asked. The search goes no further then, but a run that shows up later still counts.
	doubtAfter = 10 * time.Minute
	// workerIdle is how long a worker waits without anything to do; it is woken when there is.
	workerIdle = time.Hour
)

// worker carries out the starts at one source. It asks for several at a time, as the source's budget
// allows, but never twice for one.
type worker struct {
	e      *Engine
	source *adapters.Source
	poked  chan struct{} // trailing edge: at most one wake-up waits

	mu      sync.Mutex
	queue   []*start
	tokens  map[string]bool // queued or under way
	running int
	wakes   int // how often everything was to be tried again at once
}

// start is an intent on its way. It belongs to the worker while it is queued, else to the attempt.
type start struct {
	store.Intent
	lost   time.Time // since when an answer is missing; zero = nothing is open at the source
	answer *answer   // of the source, that could not be recorded yet
	stale  bool      // what the ledger says of it is not known: a commit failed

	unclearSince time.Time
	wait         time.Duration // before the next attempt
	notBefore    time.Time
	wakes        int // of the worker, when the attempt began
}

// answer is what became of a start.
type answer struct {
	to   chain.Send
	note string
	run  job.RunKey
}

func newWorker(e *Engine, s *adapters.Source) *worker {
	return &worker{e: e, source: s, poked: make(chan struct{}, 1), tokens: map[string]bool{}}
}

// add takes on an intent, unless the worker has it already. One that is marked sent comes from before a
// crash or a failed commit: whether the source heard of it is not known.
func (w *worker) add(in store.Intent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tokens[in.Token] {
		return
	}
	w.tokens[in.Token] = true
	s := &start{Intent: in}
	if in.State == chain.SendSent {
		s.lost = time.Now()
	}
	w.queue = append(w.queue, s)
	w.poke()
}

// wake makes the worker try everything again now: the source came back.
func (w *worker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wakes++
	for _, s := range w.queue {
		s.notBefore, s.wait = time.Time{}, 0
	}
	w.poke()
}

func (w *worker) poke() {
	select {
	case w.poked <- struct{}{}:
	default:
	}
}

// run works until ctx ends, and then waits for what is under way: a call that was made must be
// recorded.
func (w *worker) run(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	alarm := time.NewTimer(workerIdle)
	defer alarm.Stop()
	for ctx.Err() == nil {
		s, wait := w.next(time.Now())
		if s != nil {
			under.Go(func() { w.finish(s, w.attempt(ctx, s)) })
			continue
		}
		alarm.Reset(wait)
		select {
		case <-ctx.Done():
		case <-w.poked:
		case <-alarm.C:
		}
	}
}

// next takes the first start that may be attempted now, or says how long to wait.
func (w *worker) next(now time.Time) (*start, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running >= max(1, w.source.Properties().Budget.Concurrent) {
		return nil, workerIdle // finish pokes
	}
	wait := workerIdle
	for i, s := range w.queue {
		if left := s.notBefore.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		w.queue = slices.Delete(w.queue, i, i+1)
		w.running++
		s.wakes = w.wakes
		return s, 0
	}
	return nil, wait
}

// finish puts a start back for later, or forgets it.
func (w *worker) finish(s *start, again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	switch {
	case !again:
		delete(w.tokens, s.Token)
	case s.wakes != w.wakes: // what it waits for may have come while it was under way
		s.notBefore, s.wait = time.Time{}, 0
		w.queue = append(w.queue, s)
	default:
		s.wait = min(lastWait, max(firstWait, 2*s.wait))
		s.notBefore = time.Now().Add(s.wait)
		w.queue = append(w.queue, s)
	}
	w.poke()
}
