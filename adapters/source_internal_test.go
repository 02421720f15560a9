package adapters

import (
	"context"
	"fmt"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// still is an adapter that gives the same observations with every poll.
type still struct{ list []job.Observation }

func (still) Properties() Properties { return Properties{Budget: Budget{PollsPerMinute: 1 << 40}} }

func (s still) Poll(context.Context, Cursor) (Batch, error) {
	return Batch{Observations: s.list, Next: Cursor("1")}, nil
}

func (still) Close() error { return nil }

// nowhere is a sink that counts.
type nowhere struct{ taken int }

func (n *nowhere) Take(_ context.Context, _ string, b Batch) error {
	n.taken += len(b.Observations)
	return nil
}

func (*nowhere) TakeListing(context.Context, string, Listing) error { return nil }
func (*nowhere) TakeContact(context.Context, string, Contact) error { return nil }

// BenchmarkPoll measures one turn of the loop without the waiting: with nothing to say, with 1,000
// observations that say nothing new, and with 1,000 new ones.
func BenchmarkPoll(b *testing.B) {
	some := make([]job.Observation, 1000)
	for i := range some {
		some[i] = job.Observation{
			Run: job.RunKey{Source: "mvs", Job: "GLEXTR", Native: fmt.Sprint(i)}, Attempt: 1, State: job.Running, NativeState: "ACTIVE",
			At: job.At(time.Unix(0, 0)), Started: job.At(time.Unix(0, 0)), Confidence: job.Confirmed,
		}
	}
	for _, bc := range []struct {
		name   string
		list   []job.Observation
		forget bool
		secret []string
	}{
		{name: "nothing"},
		{name: "1000_unchanged", list: some},
		{name: "1000_unchanged_redacted", list: some, secret: []string{"correct horse battery staple"}},
		{name: "1000_new", list: some, forget: true},
	} {
		b.Run(bc.name, func(b *testing.B) {
			src, err := NewSource(still{list: bc.list}, SourceOptions{Name: "mvs", Redact: bc.secret})
			if err != nil {
				b.Fatal(err)
			}
			sink := &nowhere{}
			l := &loop{Source: src, sink: sink, seen: newMemory()}
			b.ReportAllocs()
			polls := 0
			for b.Loop() {
				if bc.forget {
					l.seen = newMemory()
				}
				l.step(b.Context())
				polls++
			}
			want := len(bc.list)
			if bc.forget {
				want *= polls
			}
			if sink.taken != want || l.failures > 0 {
				b.Fatalf("%d observations taken in %d polls, want %d; %d failures", sink.taken, polls, want, l.failures)
			}
		})
	}
}

// TestMemory: two generations keep what is touched, forget what is not, and stay bounded.
func TestMemory(t *testing.T) {
	t.Parallel()
	m := newMemory()
	key := func(i int) job.RunKey { return job.RunKey{Source: "s", Job: "j", Native: fmt.Sprint(i)} }
	for i := range 10 * smallestMemory {
		if i > 0 {
			if _, ok := m.recall(key(0)); !ok {
				t.Fatalf("the run that is seen with every poll was forgotten after %d others", i)
			}
		}
		m.keep(key(i), job.Sum([]byte{1}))
		if n := len(m.young) + len(m.old); n > 2*smallestMemory {
			t.Fatalf("%d runs are remembered, want %d at most", n, 2*smallestMemory)
		}
	}
	if _, ok := m.recall(key(1)); ok {
		t.Errorf("a run that was never seen again is still remembered")
	}
}

// TestQuietAcrossClockChange: a quiet window is meant by the clock on the wall, also on the night when
// that clock is changed.
func TestQuietAcrossClockChange(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := pace{slow: time.Minute, quiet: []QuietWindow{{From: time.Hour, Until: 4 * time.Hour, Location: berlin}}}
	for date, hours := range map[string]float64{"2025-03-30": 2, "2025-10-26": 4, "2025-06-15": 3} {
		day, err := time.ParseInLocation(time.DateOnly, date, berlin)
		if err != nil {
			t.Fatal(err)
		}
		begin := day.Add(time.Hour)
		end, quiet := p.quietUntil(begin)
		if !quiet || end.Sub(begin).Hours() != hours || end.In(berlin).Hour() != 4 {
			t.Errorf("%s: quiet %t until %s, want %g h from %s", date, quiet, end.In(berlin), hours, begin)
		}
		if _, quiet := p.quietUntil(end); quiet {
			t.Errorf("%s: still quiet at its end", date)
		}
	}
}
