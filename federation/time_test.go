package federation_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// midnight is when bubbles begin.
var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// until lets time pass until a time of the first day.
func until(clock string) {
	at, err := time.Parse("15:04:05", clock)
	if err != nil {
		panic(err)
	}
	pass(time.Until(midnight.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second)))
}

// ends reports at the present moment that extract began and ended.
func (b *bench) ends() { b.a.native("extract", "r1", job.Succeeded, time.Now()) }

func TestNotBefore(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.defs[0].Nodes[1].NotBefore = "00:30"
		b.start()
		until("00:10:00")
		b.ends()
		until("00:29:59")
		b.once(0)
		if n := b.node("load"); n.State() != job.Waiting || !n.Released.IsZero() {
			t.Fatalf("load is %s, released %s; want that it waits", n.State(), n.Released)
		}
		until("00:30:00")
		b.once(1)
		if n := b.node("load"); n.Released.Sub(midnight).Round(time.Millisecond) != 30*time.Minute {
			t.Errorf("released %s", n.Released)
		}
		until("00:31:00")
		if !b.closed() {
			t.Error("the instance did not close")
		}
		b.prove(4)
	})
}

func TestGiveUpAt(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.defs[0].Nodes[1].GiveUpAt = "00:30"
		b.start()
		until("00:10:00")
		b.a.native("extract", "r1", job.Running, time.Now())
		until("00:29:59")
		if n := b.node("load"); n.State() != job.Waiting {
			t.Fatalf("load is %s", n.State())
		}
		until("00:30:00")
		if n := b.node("load"); n.Settled != chain.SettledGaveUp || n.State() != job.Missed {
			t.Errorf("load is %s, %s", n.State(), n.Settled)
		}
		b.a.native("extract", "r1", job.Succeeded, midnight.Add(10*time.Minute))
		until("00:40:00")
		b.once(0)
		b.prove(2)
	})
}

// TestGiveUpUnsent: a release that could not be sent before its window passed is taken back, and stays so
// when the source comes back.
func TestGiveUpUnsent(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.defs[0].Nodes[1].GiveUpAt = "00:30"
		b.b.down = adapters.Errorf(adapters.Unavailable, "connect", "b", "connection refused")
		b.start()
		until("00:10:00")
		b.ends()
		until("00:29:59")
		if n := b.node("load"); n.Send != chain.SendPending {
			t.Fatalf("load is %s", n.Send)
		}
		until("00:30:00")
		b.b.set(func(p *peer) { p.down = nil })
		until("00:50:00")
		b.once(0)
		if n := b.node("load"); n.Settled != chain.SettledGaveUp || n.Send != chain.SendRefused {
			t.Errorf("load is %s, %s", n.Settled, n.Send)
		}
		if in := b.intents(); len(in) != 1 || in[0].State != chain.SendRefused {
			t.Errorf("starts: %+v", in)
		}
		b.prove(3)
	})
}

func TestKeepOpen(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.start()
		until("00:10:00")
		b.a.native("extract", "r1", job.Running, time.Now())
		until("01:10:00")
		if b.closed() {
			t.Fatal("it closed early")
		}
		until("01:11:00")
		if !b.closed() || b.node("load").Settled != chain.SettledGaveUp {
			t.Errorf("it is still open after an hour: %+v", b.node("load"))
		}
		b.prove(2)
	})
}

// daily is a chain whose business date begins at 18:00 in New York, five hours after the bubble's zone.
func daily() chain.Definition {
	d := nightly()
	d.Repeat, d.DayCut, d.Timezone, d.KeepOpen = "", "18:00", "America/New_York", 72*3600
	return d
}

func TestDayCut(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.defs = []chain.Definition{daily()}
		b.quiet()
		b.start()
		dates := func() (out []string) {
			for _, in := range b.instances() {
				out = append(out, in.Key.BusinessDate)
			}
			return out
		}
		until("22:59:59")
		if d := dates(); len(d) != 1 || d[0] != "1999-12-31" {
			t.Fatalf("business dates %v", d)
		}
		until("23:00:00")
		if d := dates(); len(d) != 2 || d[0] != "2000-01-01" {
			t.Fatalf("business dates %v", d)
		}
		pass(24 * time.Hour)
		if d := dates(); len(d) != 3 || d[0] != "2000-01-02" {
			t.Errorf("business dates %v", d)
		}
		b.prove(3)
	})
}

// TestDayCutWhileTheDiskIsFull: what the clock decided in a commit that failed is decided again, with
// patience, and nothing else is needed to get it going.
func TestDayCutWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	for _, what := range []trouble{fails, loses} {
		inBubble(t, adapters.StartSearchable, func(b *bench) {
			t := b.t
			b.defs = []chain.Definition{daily()}
			b.quiet()
			var full atomic.Bool
			var attempts atomic.Int32
			b.troubled(func(_ int, batch *store.Batch) trouble {
				if len(batch.Instances) == 0 || !full.Load() {
					return ""
				}
				attempts.Add(1)
				return what
			})
			b.start()
			until("22:59:59")
			full.Store(true)
			until("23:10:00")
			if n, want := attempts.Load(), map[trouble]int32{fails: 100, loses: 1}[what]; n == 0 || n > want {
				t.Errorf("%s: %d attempts within ten minutes; want at most %d", what, n, want)
			}
			full.Store(false)
			until("23:11:00")
			if all := b.instances(); len(all) != 2 || all[0].Key.BusinessDate != "2000-01-01" {
				t.Errorf("%s: instances %+v", what, all)
			}
			b.prove(2)
		})
	}
}

// TestBackoff: a start that a source cannot take now is tried again, less and less often.
func TestBackoff(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.b.refuse = func() error {
			return &adapters.Error{Kind: adapters.Unavailable, Op: "start", Effect: adapters.EffectNone, Err: errors.New("too many jobs")}
		}
		b.start()
		until("00:10:00")
		b.ends()
		until("00:20:00")
		if _, calls := b.b.counts(); calls < 20 || calls > 25 { // 1, 2, 4, 8, 16 and then each 30 s
			t.Errorf("asked %d times within ten minutes", calls)
		}
		if n := b.node("load"); n.Send != chain.SendPending {
			t.Errorf("load is %s", n.Send)
		}
		b.b.set(func(p *peer) { p.refuse = nil })
		until("00:21:00")
		b.once(2)
		b.prove(4)
	})
}

// TestDeniedStart: a login that was refused is not tried again by itself, and a person is told.
func TestDeniedStart(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.b.refuse = func() error {
			return &adapters.Error{Kind: adapters.Denied, Op: "start", Effect: adapters.EffectNone, Err: errors.New("no right to start")}
		}
		b.start()
		until("00:10:00")
		b.ends()
		until("00:50:00")
		if _, calls := b.b.counts(); calls != 1 {
			t.Errorf("asked %d times; want once", calls)
		}
		if n := b.node("load"); n.Send != chain.SendRefused || n.State() != job.Failed {
			t.Errorf("load is %s, %s", n.Send, n.State())
		}
		b.prove(2)
	})
}

// TestDeniedSource: while the whole source is stopped because of its login, starts wait with it.
func TestDeniedSource(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.start()
		until("00:09:00")
		b.b.set(func(p *peer) { p.down = adapters.Errorf(adapters.Denied, "login", "b", "password expired") })
		until("00:10:00")
		b.ends()
		until("00:30:00")
		if _, calls := b.b.counts(); calls != 0 {
			t.Errorf("asked %d times for a start; want never", calls)
		}
		b.b.set(func(p *peer) { p.down = nil })
		until("00:40:00")
		b.once(0) // nobody said that it may be tried again
		if err := b.e.PollNow(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		until("00:41:00")
		b.once(2)
		b.prove(4)
	})
}
