package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// attempt makes one attempt at a start. It tells whether another one is needed.
func (w *worker) attempt(ctx context.Context, s *start) (again bool) {
	if ctx.Err() != nil {
		return true
	}
	if s.stale {
		if err := w.refresh(ctx, s); err != nil {
			w.e.log.Warn("cannot read how far a start came, trying again", slog.String("token", s.Token), slog.Any("error", err))
			return true
		}
	}
	if s.answer != nil && s.State == chain.SendSent {
		return w.record(ctx, s, *s.answer)
	}
	if h := w.source.Health(); h.Contact.Blind || h.Stopped {
		return true // asking now would only cost a failed login; contact wakes us
	}
	switch s.State {
	case chain.SendPending:
		return w.send(ctx, s)
	case chain.SendSent:
		if s.lost.IsZero() {
			return w.ask(ctx, s)
		}
		return w.search(ctx, s)
	case chain.SendConfirmed, chain.SendRefused, chain.SendInDoubt:
	}
	return false
}

// refresh reads what the ledger says of a start. After a commit that failed that is not known here: the
// commit may have come through, and only its answer was lost.
func (w *worker) refresh(ctx context.Context, s *start) error {
	found, err := w.e.opt.Store.Intents(ctx, store.IntentFilter{Token: s.Token})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("read start %s: %w", s.Token, store.ErrNotFound)
	}
	s.Intent, s.stale = found[0], false
	if s.State != chain.SendSent {
		s.answer = nil // it was recorded after all, or does not matter any more
	}
	return nil
}

// send claims the intent, durably, and then asks the source.
func (w *worker) send(ctx context.Context, s *start) (again bool) {
	claimed, err := w.e.claim(ctx, s, w.source.Abilities().List)
	if errors.Is(err, errNotListed) {
		return true // the listing wakes us
	}
	if err != nil {
		s.stale = true
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
	open := s.lost // an earlier call of which the answer is missing
	s.lost = time.Now()
	started, err := w.source.Start(ctx, req)
	w.e.opt.OnStep(StepAnswered)
	if err == nil {
		return w.record(ctx, s, answer{chain.SendConfirmed, started.Detail, started.Run})
	}
	w.e.log.Warn("a start failed", slog.String("job", s.Job.String()), slog.String("token", s.Token), slog.Any("error", err))
	if adapters.EffectOf(err) != adapters.EffectNone {
		s.lost = time.Now()
		return true // it may have happened: search for it, see search
	}
	s.lost = open
	if open.IsZero() {
		return w.refused(ctx, s, err)
	}
	// This call surely had no effect; that says nothing about the earlier one.
	if adapters.KindOf(err) == adapters.Unavailable {
		return true
	}
	return w.doubt(ctx, s, "the answer was lost, and the source refused to be asked again: "+err.Error())
}

// refused decides what follows from a start that surely did not happen.
func (w *worker) refused(ctx context.Context, s *start, err error) (again bool) {
	kind := adapters.KindOf(err)
	// While the whole source is stopped because of a login, a start waits with it. One that is denied by
	// itself is not tried again by itself: accounts get locked.
	if kind == adapters.Unavailable || (kind == adapters.Denied && w.source.Health().Stopped) {
		return w.record(ctx, s, answer{to: chain.SendPending, note: err.Error()})
	}
	return w.record(ctx, s, answer{to: chain.SendRefused, note: err.Error()})
}

// search finds out what became of a start whose answer was lost, as the source's start class allows.
func (w *worker) search(ctx context.Context, s *start) (again bool) {
	switch w.source.Properties().Start {
	case adapters.StartDeduplicated:
		return w.ask(ctx, s)
	case adapters.StartSearchable:
	case adapters.StartInDoubt, adapters.StartNone:
		if !w.source.Health().LastSeen.After(s.lost) {
			return true // its run may show up with the first good poll
		}
		return w.doubt(ctx, s, "the answer was lost, and the source cannot tell")
	}
	f, err := w.source.Find(ctx, s.Token)
	if err != nil {
		w.e.log.Warn("cannot search for a start, trying again", slog.String("job", s.Job.String()),
			slog.String("token", s.Token), slog.Any("error", err))
		return true
	}
	switch f.Found {
	case adapters.FoundPresent:
		return w.record(ctx, s, answer{chain.SendConfirmed, f.Detail, f.Run})
	case adapters.FoundAbsent:
		s.lost = time.Time{}
		return w.ask(ctx, s)
	case adapters.FoundUnclear:
	}
	if s.unclearSince.IsZero() {
		s.unclearSince = time.Now()
	}
	if time.Since(s.unclearSince) > doubtAfter {
		return w.doubt(ctx, s, "the answer was lost, and the source still cannot tell: "+f.Detail)
	}
	return true
}

// doubt asks a person, unless the run was seen: its instance may have closed over it.
func (w *worker) doubt(ctx context.Context, s *start, why string) (again bool) {
	runs, err := w.e.opt.Store.Runs(ctx, store.RunFilter{Token: s.Token, Limit: 1})
	if err != nil {
		w.e.log.Warn("cannot look for the run of a start, trying again", slog.String("token", s.Token), slog.Any("error", err))
		return true
	}
	if len(runs) == 1 {
		return w.record(ctx, s, answer{chain.SendConfirmed, noteSeen, runs[0].Key})
	}
	return w.record(ctx, s, answer{to: chain.SendInDoubt, note: why})
}

// record makes what became of the start durable. If that fails, the answer is kept and recorded later;
// after a crash the intent is still marked sent in the ledger and is searched for.
func (w *worker) record(ctx context.Context, s *start, a answer) (again bool) {
	// The call was made: recording it must not be cut short by a shutdown.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := w.e.do(ctx, func(t *txn) error { return t.effect(&s.Intent, a) })
	if err != nil {
		s.answer, s.stale = &a, true
		w.e.log.Error("cannot record what became of a start, trying again",
			slog.String("token", s.Token), slog.String("answer", string(a.to)), slog.Any("error", err))
		return true
	}
	s.State, s.answer = a.to, nil
	w.e.opt.OnStep(StepRecorded)
	return a.to == chain.SendPending
}

// errNotListed means that it is not known yet whether a job's native schedule is in effect.
var errNotListed = errors.New("the source's jobs were not listed since we started")

// noteSeen stands for a source's own words where its run is the answer.
const noteSeen = "its run was seen"

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
		if e.native[s.Job.Source][s.Job.Job] {
			return t.effect(&s.Intent, answer{to: chain.SendRefused, note: "its native schedule is still in effect and would start it too: " +
				"take it out of effect (signalbox native hold " + s.Job.String() + ") and rerun"})
		}
		claimed = true
		return t.effect(&s.Intent, answer{to: chain.SendSent})
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

// effect records what became of a start and moves its intent. A run that was seen is a better answer than
// any other: it started.
func (t *txn) effect(in *store.Intent, a answer) error {
	if a.to != chain.SendSent && a.to != chain.SendConfirmed {
		if seen := t.seen(in.Token); !seen.IsZero() {
			a = answer{chain.SendConfirmed, noteSeen, seen}
		}
	}
	rec := chain.Effect{At: t.now, Note: a.note, Run: a.run, Send: a.to, Token: in.Token}
	h, err := t.record(store.InstanceSubject(in.Key), chain.KindEffect, &rec)
	if err != nil {
		return err
	}
	t.batch.Moves = append(t.batch.Moves, store.Move{Token: in.Token, From: in.State, To: a.to, Run: a.run, Note: a.note, At: t.now})
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
