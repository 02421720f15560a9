package federation

import (
	"context"
	"errors"
	"log/slog"
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
}

// start is an intent on its way.
type start struct {
	store.Intent
	unclearSince time.Time
	wait         time.Duration // before the next attempt
	notBefore    time.Time
}

func newWorker(e *Engine, s *adapters.Source) *worker {
	return &worker{e: e, source: s, poked: make(chan struct{}, 1), tokens: map[string]bool{}}
}

// add takes on an intent, unless the worker has it already.
func (w *worker) add(in store.Intent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tokens[in.Token] {
		return
	}
	w.tokens[in.Token] = true
	w.queue = append(w.queue, &start{Intent: in})
	w.poke()
}

// wake makes the worker try everything again now: the source came back.
func (w *worker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	alarm := time.NewTimer(idle)
	defer alarm.Stop()
	for {
		s, wait := w.next(time.Now())
		if s != nil {
			under.Go(func() {
				w.finish(s, w.carryOut(ctx, s))
			})
			continue
		}
		alarm.Reset(wait)
		select {
		case <-ctx.Done():
			return
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
		return nil, idle // finish pokes
	}
	wait := idle
	for i, s := range w.queue {
		if left := s.notBefore.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
		w.running++
		return s, 0
	}
	return nil, wait
}

// finish puts a start back for later, or forgets it.
func (w *worker) finish(s *start, again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	if again {
		s.wait = min(lastWait, max(firstWait, 2*s.wait))
		s.notBefore = time.Now().Add(s.wait)
		w.queue = append(w.queue, s)
	} else {
		delete(w.tokens, s.Token)
	}
	w.poke()
}

// carryOut makes one attempt. It tells whether another one is needed.
func (w *worker) carryOut(ctx context.Context, s *start) (again bool) {
	if ctx.Err() != nil {
		return true
	}
	if h := w.source.Health(); h.Contact.Blind || h.Stopped {
		return true // asking now would only cost a failed login; contact wakes us
	}
	switch s.State {
	case chain.SendPending:
		return w.send(ctx, s)
	case chain.SendSent:
		return w.search(ctx, s)
	case chain.SendConfirmed, chain.SendRefused, chain.SendInDoubt:
	}
	return false
}

// send claims the intent, durably, and then asks the source.
func (w *worker) send(ctx context.Context, s *start) (again bool) {
	claimed, err := w.e.claim(ctx, s, w.source.Abilities().List)
	if errors.Is(err, errNotListed) {
		return true // the listing wakes us
	}
	if err != nil {
		w.e.log.Warn("cannot claim a start, trying again", slog.String("token", s.Token), slog.Any("error", err))
		return true
	}
	if !claimed {
		return false // withdrawn, or refused because of its native schedule
	}
	s.State = chain.SendSent
	w.e.opt.OnStep(StepClaimed)
	return w.ask(ctx, s)
}

// ask asks the source to start it. The intent is marked sent.
func (w *worker) ask(ctx context.Context, s *start) (again bool) {
	req := adapters.StartRequest{
		Token: s.Token, Job: s.Job.Job, BusinessDate: s.Key.BusinessDate, Chain: s.Key.String(),
	}
	answer, err := w.source.Start(ctx, req)
	w.e.opt.OnStep(StepAnswered)
	if err == nil {
		return w.record(ctx, s, chain.SendConfirmed, answer.Detail, answer.Run)
	}
	w.e.log.Warn("a start failed", slog.String("job", s.Job.String()), slog.String("token", s.Token), slog.Any("error", err))
	if adapters.EffectOf(err) != adapters.EffectNone {
		return true // it may have happened: search for it, see search
	}
	switch adapters.KindOf(err) {
	case adapters.Unavailable, adapters.Denied:
		return w.record(ctx, s, chain.SendPending, err.Error(), job.RunKey{})
	case adapters.NotFound, adapters.Unsupported, adapters.Malformed, adapters.Rejected:
	}
	return w.record(ctx, s, chain.SendRefused, err.Error(), job.RunKey{})
}

// search finds out what became of a start whose answer was lost, as the source's start class allows.
func (w *worker) search(ctx context.Context, s *start) (again bool) {
	switch w.source.Properties().Start {
	case adapters.StartDeduplicated:
		return w.ask(ctx, s)
	case adapters.StartSearchable:
	case adapters.StartInDoubt, adapters.StartNone:
		return w.record(ctx, s, chain.SendInDoubt, "the answer was lost, and the source cannot tell", job.RunKey{})
	}
	f, err := w.source.Find(ctx, s.Token)
	if err != nil {
		w.e.log.Warn("cannot search for a start, trying again", slog.String("job", s.Job.String()),
			slog.String("token", s.Token), slog.Any("error", err))
		return true
	}
	switch f.Found {
	case adapters.FoundPresent:
		return w.record(ctx, s, chain.SendConfirmed, f.Detail, f.Run)
	case adapters.FoundAbsent:
		return w.ask(ctx, s)
	case adapters.FoundUnclear:
	}
	if s.unclearSince.IsZero() {
		s.unclearSince = time.Now()
	}
	if time.Since(s.unclearSince) > doubtAfter {
		return w.record(ctx, s, chain.SendInDoubt, "the answer was lost, and the source still cannot tell: "+f.Detail, job.RunKey{})
	}
	return true
}

// record makes what became of the start durable. If that fails, the intent is still marked sent in the
// ledger and is searched for.
func (w *worker) record(ctx context.Context, s *start, to chain.Send, note string, run job.RunKey) (again bool) {
	// The call was made: recording it must not be cut short by a shutdown.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := w.e.do(ctx, func(t *txn) error { return t.effect(&s.Intent, to, note, run) })
	if err != nil {
		w.e.log.Error("cannot record what became of a start: it will be searched for",
			slog.String("token", s.Token), slog.Any("error", err))
		return true
	}
	s.State = to
	w.e.opt.OnStep(StepRecorded)
	return to == chain.SendPending
}

// errNotListed means that it is not known yet whether a job's native schedule is in effect.
var errNotListed = errors.New("the source's jobs were not listed since we started")

// claim marks an intent sent, if it is still to be sent. The mark is durable before the source hears of
// it. Where the source lists its jobs, that must have happened since we started: while we were down
// somebody may have put the native schedule back.
func (e *Engine) claim(ctx context.Context, s *start, lists bool) (claimed bool, err error) {
	err = e.do(ctx, func(t *txn) error {
		claimed = false
		if !t.pending(s.Token) {
			return nil
		}
		if lists && !e.listed[s.Job.Source] {
			return errNotListed
		}
		if e.native[s.Job] {
			return t.effect(&s.Intent, chain.SendRefused, "its native schedule is still in effect and would start it too: "+
				"take it out of effect (signalbox native hold "+s.Job.String()+") and rerun", job.RunKey{})
		}
		claimed = true
		return t.effect(&s.Intent, chain.SendSent, "", job.RunKey{})
	})
	return claimed && err == nil, err
}

// pending tells whether the release that a token was given to still waits to be sent.
func (t *txn) pending(token string) bool {
	k, i, ok := t.e.state.Place(token)
	if !ok {
		return false
	}
	in, ok := t.e.state.Instance(k)
	return ok && in.Nodes[i].Send == chain.SendPending && in.Nodes[i].Token == token
}

// effect records what became of a start and moves its intent.
func (t *txn) effect(in *store.Intent, to chain.Send, note string, run job.RunKey) error {
	if to == chain.SendInDoubt {
		if seen := t.seen(in.Token); !seen.IsZero() {
			to, run, note = chain.SendConfirmed, seen, "its run was seen"
		}
	}
	rec := chain.Effect{At: t.now, Note: note, Run: run, Send: to, Token: in.Token}
	h, err := t.record(store.InstanceSubject(in.Key), chain.KindEffect, &rec)
	if err != nil {
		return err
	}
	t.batch.Moves = append(t.batch.Moves, store.Move{Token: in.Token, From: in.State, To: to, Run: run, Note: note, At: t.now})
	t.decide(chain.Effected{Effect: rec, Record: h})
	return t.broken
}

// seen gives the run that was bound to a release, if one was.
func (t *txn) seen(token string) job.RunKey {
	if k, i, ok := t.e.state.Place(token); ok {
		if in, ok := t.e.state.Instance(k); ok && in.Nodes[i].Run != nil {
			return in.Nodes[i].Run.Key
		}
	}
	return job.RunKey{}
}
