package adapters

import (
	"bytes"
	"context"
	"log/slog"
	"time"
)

const (
	listEvery = 10 * time.Minute // definitions are listed again after this, told or not
	idleWatch = 10 * time.Minute // a stream that is silent for so long is doubted: poll beside it
)

// Run polls until ctx ends or the source is closed, and delivers to sink, starting behind cursor. It
// then returns nil, with no goroutine left. Trouble with the peer or the sink does not end it: that is
// told to the sink, logged and shown by [Source.Health]. Any other error means misuse.
func (s *Source) Run(ctx context.Context, cursor Cursor, sink Sink) error {
	if sink == nil {
		return Errorf(Rejected, "run", s.opt.Name, "no sink")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.beginRun(cancel); err != nil {
		return err
	}
	defer s.endRun()
	l := &loop{Source: s, sink: sink, cursor: cursor, seen: newMemory()}
	l.run(ctx)
	return nil
}

func (s *Source) beginRun(cancel context.CancelFunc) error {
	if err := s.enter("run"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopRun != nil {
		s.calls.Done()
		return Errorf(Rejected, "run", s.opt.Name, "it runs already")
	}
	s.stopRun = cancel
	return nil
}

func (s *Source) endRun() {
	s.mu.Lock()
	s.stopRun = nil
	s.health.NextPoll, s.health.Watching = time.Time{}, false
	s.mu.Unlock()
	s.calls.Done()
}

// loop is the state of one Run. Only its goroutine touches it.
type loop struct {
	*Source
	sink   Sink
	cursor Cursor
	seen   *memory

	done     time.Time     // when the last poll and what follows from it was done; zero = none yet
	heard    time.Time     // when the peer was last heard, by poll or stream
	hint     time.Duration // the peer's, from the last poll
	more     bool          // the last poll left something
	failures int           // polls in a row that failed
	refused  int           // deliveries in a row that the sink refused
	failed   time.Time     // when the last of both happened
	stopped  bool          // until poked
	contact  *Contact      // last one told; nil = none yet
	untold   bool          // the sink has not taken it
	listing  listing
	stream   *stream // nil = none is live
	retry    streamRetry
}

func (l *loop) run(ctx context.Context) {
	defer l.endStream()
	for l.wait(ctx) {
		l.step(ctx)
	}
}

// plan says when to poll next; zero = not before somebody asks.
func (l *loop) plan(now time.Time) time.Time {
	fast := l.Health().Fast
	calm := func(t time.Time) time.Time {
		if fast {
			return t
		}
		return l.pace.afterQuiet(t)
	}
	switch {
	case l.stopped:
		return time.Time{}
	case l.failures > 0 || l.refused > 0:
		return calm(l.failed.Add(backoff(l.opt.Name, max(l.failures, l.refused), fast)))
	case l.done.IsZero():
		return calm(now)
	case l.more:
		return now
	case l.stream != nil:
		return l.heard.Add(idleWatch)
	}
	return l.pace.next(l.done, fast, l.hint)
}

// wait serves the stream and changes of pace until it is time to poll. It gives false when ctx has
// ended.
func (l *loop) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		due := l.plan(time.Now())
		l.update(func(h *Health) { h.NextPoll = due.UTC() })
		timer := newTimer(due)
		select {
		case <-ctx.Done():
		case <-timer.c:
			return true
		case <-l.poke:
			l.stopped = false
			l.retry.reset()
			return true
		case <-l.wake:
		case e := <-l.stream.emits():
			e.reply <- l.emitted(ctx, e.batch)
		case err := <-l.stream.ended():
			if l.streamEnded(ctx, err) {
				timer.stop()
				return true
			}
		}
		timer.stop()
	}
	return false
}

// step makes one poll and what follows from it.
func (l *loop) step(ctx context.Context) {
	select {
	case <-l.poke: // asked before this poll: it answers
		l.stopped = false
	default:
	}
	defer func() { l.done = time.Now() }()
	b, err := l.Poll(ctx, l.cursor)
	l.more, l.hint = false, 0
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		l.fail(ctx, err)
		return
	}
	l.failures = 0
	l.reached(ctx)
	moved := !bytes.Equal(b.Next, l.cursor)
	if l.deliver(ctx, b) != nil {
		return
	}
	l.hint = b.Wait
	l.more = b.More && (moved || len(b.Observations) > 0)
	l.list(ctx, b.JobsChanged)
	if !l.more {
		l.watch(ctx)
	}
}

// deliver hands what is new to the sink; only then the cursor moves.
func (l *loop) deliver(ctx context.Context, b Batch) error {
	news, after := l.seen.fresh(b.Observations)
	if len(news) > 0 || len(b.Gaps) > 0 || !bytes.Equal(b.Next, l.cursor) {
		b.Observations = news
		if err := l.sink.Take(ctx, l.opt.Name, b); err != nil {
			if ctx.Err() == nil {
				l.refused++
				l.failed = time.Now()
				l.opt.Log.LogAttrs(ctx, slog.LevelError, "batch not taken, will be read again",
					slog.Int("attempt", l.refused), slog.String("error", l.secrets.text(err.Error())))
			}
			return err
		}
		l.cursor = bytes.Clone(b.Next)
		l.seen.remember(after)
	}
	l.refused = 0
	return nil
}

// newTimer makes a timer for a time; the zero time never comes.
func newTimer(due time.Time) timer {
	if due.IsZero() {
		return timer{stop: func() {}}
	}
	t := time.NewTimer(time.Until(due))
	return timer{c: t.C, stop: func() { t.Stop() }}
}

type timer struct {
	c    <-chan time.Time // nil = never
	stop func()
}
