package adapters_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// pushing is a fake with a stream that the test drives.
type pushing struct {
	*fake
	mu      sync.Mutex
	opened  []string // cursors
	emit    func(adapters.Batch) error
	broken  chan error // breaks the stream
	refuses error      // Watch fails at once
}

func newPushing() *pushing { return &pushing{fake: &fake{}, broken: make(chan error)} }

func (p *pushing) Watch(ctx context.Context, cursor adapters.Cursor, emit func(adapters.Batch) error) error {
	p.mu.Lock()
	p.opened = append(p.opened, string(cursor))
	p.emit = emit
	refuses := p.refuses
	p.mu.Unlock()
	if refuses != nil {
		return refuses
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-p.broken:
		return err
	}
}

func (p *pushing) opens() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.opened)
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPushing()
		p.answer = func(_ context.Context, n int, c adapters.Cursor) (adapters.Batch, error) {
			if n == 1 {
				b := batch("1", ran("1", job.Running))
				b.More = true
				return b, nil
			}
			return batch(max(string(c), "2")), nil
		}
		b := start(t, p, adapters.SourceOptions{})
		pass(5 * time.Minute)
		if p.count() != 2 || p.opens() != 1 || p.opened[0] != "2" || !b.src.Health().Watching {
			t.Fatalf("%d polls, streams from %q, health %+v", p.count(), p.opened, b.src.Health())
		}
		b.src.SetFast(true)
		pass(time.Minute)
		if err := p.emit(batch("3", ran("1", job.Succeeded))); err != nil {
			t.Errorf("emit: %v", err)
		}
		if err := p.emit(adapters.Batch{Next: adapters.Cursor("3")}); err != nil { // a sign of life
			t.Errorf("emit: %v", err)
		}
		got := b.sink.batches()
		if last := got[len(got)-1]; string(last.Next) != "3" || len(last.Observations) != 1 || last.Observations[0].Sighting.Seen.IsZero() {
			t.Errorf("taken: %+v", got)
		}
		if seen := b.src.Health().LastSeen; time.Since(seen) != 0 {
			t.Errorf("last seen %s", seen)
		}
		if p.count() != 2 {
			t.Errorf("%d polls while the stream is live", p.count()-2)
		}
		b.src.Poke()
		pass(0)
		if p.count() != 3 || !b.src.Health().Watching || p.opens() != 1 {
			t.Errorf("a poke beside the stream: %d polls, %d streams", p.count(), p.opens())
		}
		p.broken <- errors.New("connection reset")
		pass(0)
		if p.count() != 4 {
			t.Errorf("the stream broke, and no poll was made at once")
		}
		pass(time.Minute)
		if h := b.src.Health(); p.opens() != 2 || p.opened[1] != "3" || !h.Watching || h.Contact.Blind {
			t.Errorf("streams from %q, health %+v", p.opened, h)
		}
		if n := len(b.sink.told()); n != 1 {
			t.Errorf("%d contacts: a stream that breaks does not make blind", n)
		}
	})
}

// TestWatchSilent: a stream that says nothing for long is doubted.
func TestWatchSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPushing()
		start(t, p, adapters.SourceOptions{})
		pass(time.Hour)
		if n := p.count(); n < 6 || n > 8 {
			t.Errorf("%d polls beside a silent stream in an hour, want one each 10 min", n)
		}
	})
}

// TestWatchBadBatch: what is not taken from the stream is refused, the stream is ended, and polls read
// it again.
func TestWatchBadBatch(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]bool{"bad observation": true, "sink refuses": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPushing()
				b := start(t, p, adapters.SourceOptions{})
				pass(time.Minute)
				o := ran("1", job.Running)
				if bad {
					o.Attempt = 0
				} else {
					b.sink.setRefuse(errors.New("disk full"))
				}
				before := p.count()
				if err := p.emit(batch("9", o)); err == nil {
					t.Errorf("emit gave no error: the peer would forget what we never took")
				}
				b.sink.setRefuse(nil)
				pass(30 * time.Second)
				if p.count() == before {
					t.Errorf("no poll after the stream was ended")
				}
				if last := p.cursors[len(p.cursors)-1]; last == "9" {
					t.Errorf("the cursor moved to a batch that was not taken")
				}
				if err := p.emit(batch("9")); err == nil && p.opens() < 2 {
					t.Errorf("emit after the stream was ended gave no error")
				}
			})
		})
	}
}

// TestWatchRetries: a stream that cannot be had is not tried without end, and polls go on.
func TestWatchRetries(t *testing.T) {
	t.Parallel()
	for kind, most := range map[adapters.Kind]int{adapters.Unsupported: 1, adapters.Denied: 1, adapters.Unavailable: 70} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPushing()
				p.refuses = adapters.Errorf(kind, "watch", "mvs", "no")
				b := start(t, p, adapters.SourceOptions{})
				pass(time.Hour)
				if n := p.opens(); n < 1 || n > most {
					t.Errorf("%d streams tried in an hour, want %d at most", n, most)
				}
				if n := p.count(); n < 110 || n > 240 {
					t.Errorf("%d polls in an hour", n)
				}
				if h := b.src.Health(); h.Watching || h.Contact.Blind || h.Stopped {
					t.Errorf("health: %+v", h)
				}
				before := p.opens()
				b.src.Poke()
				pass(0)
				if p.opens() != before+1 {
					t.Errorf("a poke did not try the stream again")
				}
			})
		})
	}
}

// TestWatchPanic: a panic in the stream ends the stream only.
func TestWatchPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &panickingWatch{fake: &fake{}}
		b := start(t, p, adapters.SourceOptions{})
		pass(time.Minute)
		if h := b.src.Health(); h.Contact.Blind || p.count() < 3 {
			t.Errorf("%d polls, health %+v", p.count(), h)
		}
	})
}

type panickingWatch struct{ *fake }

func (*panickingWatch) Watch(context.Context, adapters.Cursor, func(adapters.Batch) error) error {
	panic("w")
}
