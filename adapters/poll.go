package adapters

import (
	"context"
	"fmt"
	"slices"
	"time"

	"signalbox/adapters/job"
)

// Poll makes one poll outside the loop, as a probe: within the budget, checked, redacted and stamped,
// but with nothing dropped and nothing delivered. It may be called while Run runs and also while the
// source is stopped, since a person asks for it.
func (s *Source) Poll(ctx context.Context, cursor Cursor) (Batch, error) {
	if err := s.awaitBudget(ctx); err != nil {
		return Batch{}, err
	}
	c := call{op: "poll", subject: s.opt.Name, gates: []chan struct{}{s.polling, s.slots}}
	b, err := invoke(ctx, s, c, func(ctx context.Context) (Batch, error) {
		began := time.Now()
		b, err := s.adapter.Poll(ctx, slices.Clone(cursor))
		if err == nil {
			s.measure(b.SourceTime, began, time.Now())
		}
		return b, err
	})
	if err == nil {
		b, err = s.accept("poll", b)
	}
	s.update(func(h *Health) {
		h.Polls++
		switch {
		case err == nil:
			h.LastSeen = time.Now().UTC()
		case ctx.Err() == nil: // an end that we asked for is no failure of the peer
			h.Failures++
		}
	})
	return b, err
}

// awaitBudget waits for the next place that the budget leaves.
func (s *Source) awaitBudget(ctx context.Context) error {
	s.mu.Lock()
	at := s.bucket.take(time.Now())
	s.mu.Unlock()
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	var err error
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.closing:
		err = errClosed
	}
	return &Error{Kind: Unavailable, Op: "poll", Subject: s.opt.Name, Effect: EffectNone, Err: err}
}

func (s *Source) measure(source, began, ended time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offsets.add(source, began, ended)
	s.health.Offset = s.offsets.median()
}

// accept makes a batch of an adapter fit to be delivered: copied, cleaned, stamped and checked. One bad
// observation refuses the whole batch, since its cursor would lead past it.
func (s *Source) accept(op string, b Batch) (Batch, error) {
	b.Observations = slices.Clone(b.Observations)
	b.Gaps = slices.Clone(b.Gaps)
	stamp := job.Sighting{Node: s.opt.Node, Seen: time.Now().UTC().Round(0)}
	if offset := s.Health().Offset; offset != nil {
		ms := offset.Milliseconds()
		stamp.OffsetMS = &ms
	}
	for i := range b.Observations {
		o := &b.Observations[i]
		stamp.Payload = o.Sighting.Payload
		o.Sighting = stamp
		stamp.Seen = stamp.Seen.Add(1) // a nanosecond keeps the source's order where it tells no better
		for _, m := range []*job.Moment{&o.At, &o.Planned, &o.Started, &o.Ended} {
			m.At = m.At.Round(0).UTC()
		}
		s.secrets.observation(o)
		if err := s.checkObservation(o); err != nil {
			return Batch{}, s.convert(op, s.opt.Name, &Error{
				Kind: Malformed, Op: op, Subject: s.opt.Name,
				Fix: "report it: the adapter reads something wrongly, and nothing of this poll was taken",
				Err: fmt.Errorf("observation %d of %d, run %s: %w", i+1, len(b.Observations), o.Run, err),
			})
		}
	}
	for i := range b.Gaps {
		g := &b.Gaps[i]
		g.What, g.Since, g.Until = s.secrets.text(g.What), g.Since.Round(0).UTC(), g.Until.Round(0).UTC()
	}
	return b, nil
}

func (s *Source) checkObservation(o *job.Observation) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Run.Source != s.opt.Name {
		return fmt.Errorf("its source is %q, not %q", o.Run.Source, s.opt.Name)
	}
	return nil
}
