package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
)

func TestPaceSlowAndFast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.props.Budget.PollsPerMinute = 600
		b := start(t, f, adapters.SourceOptions{})
		pass(5 * time.Minute)
		if n := f.count(); n < 10 || n > 12 {
			t.Errorf("%d polls in 5 min at an interval of 30 s", n)
		}
		at := f.polls()
		for i := 2; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d != 30*time.Second {
				t.Errorf("poll %d came %s after the one before, want 30s", i, d)
			}
		}
		before := f.count()
		b.src.SetFast(true)
		pass(10 * time.Second)
		if n := f.count() - before; n != 11 {
			t.Errorf("%d polls in 10 s while a chain waits, want one at once and 10", n)
		}
		if h := b.src.Health(); !h.Fast || time.Until(h.NextPoll) > time.Second {
			t.Errorf("health while fast: %+v", h)
		}
		before = f.count()
		b.src.SetFast(false)
		pass(time.Minute)
		if n := f.count() - before; n != 2 {
			t.Errorf("%d polls in a minute after the chain has gone on, want 2", n)
		}
	})
}

// TestPhases: the slow polls of many sources spread over the interval instead of falling together.
func TestPhases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const sources, slots = 300, 10
		var fakes []*fake
		for i := range sources {
			f := &fake{}
			fakes = append(fakes, f)
			start(t, f, adapters.SourceOptions{Name: fmt.Sprintf("host%03d", i)})
		}
		pass(2 * time.Minute)
		var in [slots]int
		for _, f := range fakes {
			at := f.polls()
			in[at[len(at)-1].UnixNano()%int64(30*time.Second)/int64(3*time.Second)]++
		}
		for slot, n := range in {
			if n < sources/slots/2 || n > sources/slots*2 {
				t.Errorf("%d of %d sources poll in tenth %d of the interval: %v", n, sources, slot, in)
			}
		}
	})
}

// TestBudget: whatever is asked of it, a source polls at most so often in any span of a minute.
func TestBudget(t *testing.T) {
	t.Parallel()
	for _, perMinute := range []int{1, 2, 7, 12, 60, 600} {
		t.Run(fmt.Sprint(perMinute), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				f.props.Budget.PollsPerMinute = 100_000 // the configured budget is the one that holds
				f.answer = func(_ context.Context, n int, _ adapters.Cursor) (adapters.Batch, error) {
					b := batch(fmt.Sprint(n))
					b.More = n%3 != 0
					if n%11 == 0 {
						return b, unavailable()
					}
					return b, nil
				}
				b := start(t, f, adapters.SourceOptions{PollsPerMinute: perMinute})
				seed := rand.Uint64()
				rng := rand.New(rand.NewPCG(seed, 0))
				for range 200 {
					switch rng.IntN(4) {
					case 0:
						b.src.SetFast(rng.IntN(3) > 0)
					case 1, 2:
						b.src.Poke()
					}
					pass(time.Duration(rng.IntN(3000)) * time.Millisecond)
				}
				at := f.polls()
				for i := range at {
					if j := i + perMinute; j < len(at) && at[j].Sub(at[i]) < time.Minute {
						t.Fatalf("seed %d: %d polls within %s, and the budget is %d a minute", seed, perMinute+1, at[j].Sub(at[i]), perMinute)
					}
				}
				if len(at) < min(3*perMinute, 60) {
					t.Errorf("seed %d: only %d polls in about 5 min: the budget is not used", seed, len(at))
				}
			})
		})
	}
}

func TestMoreAndHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.props.Budget.PollsPerMinute = 600
		f.answer = func(_ context.Context, n int, c adapters.Cursor) (adapters.Batch, error) {
			switch {
			case n <= 5:
				b := batch(fmt.Sprint(n))
				b.More = true
				return b, nil
			case n == 6:
				b := batch(string(c))
				b.More = true // but it does not move: that must not become a busy loop
				return b, nil
			}
			b := batch(string(c))
			b.Wait = 5 * time.Minute
			return b, nil
		}
		b := start(t, f, adapters.SourceOptions{})
		pass(5 * time.Second)
		if n := f.count(); n != 6 {
			t.Errorf("%d polls at once, want 6", n)
		}
		pass(time.Hour)
		if n := f.count() - 6; n < 10 || n > 13 {
			t.Errorf("%d polls in an hour though the peer asks for 5 min between them", n)
		}
		before := f.count()
		b.src.SetFast(true)
		pass(10 * time.Second)
		if n := f.count() - before; n != 11 {
			t.Errorf("%d polls in 10 s while a chain waits: the hint holds only otherwise", n)
		}
	})
}

func TestQuietWindows(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01 00:00 UTC, 01:00 in Berlin
		f := &fake{}
		b := start(t, f, adapters.SourceOptions{Slow: time.Minute, Quiet: []adapters.QuietWindow{
			{From: 23 * time.Hour, Until: 2 * time.Hour, Location: berlin},
			{From: 12 * time.Hour, Until: 13 * time.Hour, Location: berlin},
		}})
		pass(55 * time.Minute)
		if n := f.count(); n != 0 {
			t.Errorf("%d polls in the quiet time at the start", n)
		}
		b.src.SetFast(true)
		pass(10 * time.Second)
		if n := f.count(); n < 9 {
			t.Errorf("%d polls in 10 s: a chain waits, and then nothing is quiet", n)
		}
		b.src.SetFast(false)
		b.src.Poke()
		pass(0)
		woken := f.count()
		pass(47 * time.Hour)
		for _, at := range f.polls()[woken:] {
			if h := at.In(berlin).Hour(); h >= 23 || h < 2 || h == 12 {
				t.Fatalf("a slow poll at %s", at.In(berlin))
			}
		}
		if n := f.count() - woken; n < 2*19*60-30 || n > 2*20*60+30 {
			t.Errorf("%d polls in 2 days of 20 h each, once a minute", n)
		}
	})
}

func TestBackoffAndBreaker(t *testing.T) {
	t.Parallel()
	delays := make(map[string][]time.Duration)
	for _, name := range []string{"mvs", "findb", "mvs"} {
		synctest.Test(t, func(t *testing.T) {
			down := holding(true)
			f := &fake{answer: func(_ context.Context, _ int, c adapters.Cursor) (adapters.Batch, error) {
				if down.get() {
					return adapters.Batch{}, unavailable()
				}
				return batch("1"), nil
			}}
			b := start(t, f, adapters.SourceOptions{Name: name})
			pass(4 * time.Second)
			if h := b.src.Health(); h.Breaker || !h.Contact.Blind || h.Stopped {
				t.Errorf("health after %d failures: %+v", h.Failures, h)
			}
			pass(10 * time.Minute)
			at := f.polls()
			var d []time.Duration
			for i := 1; i < len(at); i++ {
				d = append(d, at[i].Sub(at[i-1]))
				if most := min(time.Second<<(i-1), time.Minute); d[i-1] > most || d[i-1] < most/2 {
					t.Errorf("%s: try %d came after %s, want %s to %s", name, i+1, d[i-1], most/2, most)
				}
				if i > 10 {
					break
				}
			}
			if old := delays[name]; old != nil && fmt.Sprint(old) != fmt.Sprint(d) {
				t.Errorf("%s: delays %v and then %v: the jitter is not the same in each run", name, old, d)
			}
			delays[name] = d
			if h := b.src.Health(); !h.Breaker || h.Polls != h.Failures {
				t.Errorf("health after many failures: %+v", h)
			}
			down.set(false)
			b.src.Poke()
			pass(0)
			if h := b.src.Health(); h.Breaker || h.Contact.Blind || h.LastSeen.IsZero() {
				t.Errorf("health when the peer is back: %+v", h)
			}
		})
	}
	if fmt.Sprint(delays["mvs"]) == fmt.Sprint(delays["findb"]) {
		t.Errorf("two sources try at the same moments: %v", delays)
	}
}

// TestFastRetries: while a chain waits, a peer that comes back is found sooner.
func TestFastRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
			return adapters.Batch{}, errors.New("no route to host")
		}}
		b := start(t, f, adapters.SourceOptions{})
		pass(10 * time.Minute)
		before := f.count()
		b.src.SetFast(true)
		pass(10 * time.Minute)
		if n := f.count() - before; n < 40 {
			t.Errorf("%d tries in 10 min while a chain waits, want one each 15 s at least", n)
		}
		if c := b.src.Health().Contact; c.Kind != adapters.Unavailable || !strings.Contains(c.Error, "no route to host") {
			t.Errorf("an error that is no *Error makes the contact %+v", c)
		}
	})
}

// TestDenied: a failed login is never repeated by itself, not by polls and not by abilities.
func TestDenied(t *testing.T) {
	t.Parallel()
	for _, kind := range []adapters.Kind{adapters.Denied, adapters.Unsupported} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bad := holding(true)
				f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
					if bad.get() {
						return adapters.Batch{}, &adapters.Error{Kind: kind, Op: "poll", Fix: "check the key", Err: errors.New("no")}
					}
					return batch("1"), nil
				}}
				full := &able{fake: f}
				b := start(t, full, adapters.SourceOptions{})
				pass(24 * time.Hour)
				b.src.SetFast(true)
				pass(24 * time.Hour)
				if n := f.count(); n != 1 {
					t.Errorf("%d polls in two days after the peer said %s, want 1", n, kind)
				}
				h := b.src.Health()
				if !h.Stopped || !h.NextPoll.IsZero() || h.Breaker || h.Contact.Kind != kind || h.Contact.Fix != "check the key" {
					t.Errorf("health: %+v", h)
				}
				_, err := b.src.Start(t.Context(), adapters.StartRequest{Token: "t", Job: "GLEXTR"})
				if sent := full.starts > 0; sent != (kind != adapters.Denied) {
					t.Errorf("start was sent: %t, error %v", sent, err)
				}
				if kind == adapters.Denied && (adapters.KindOf(err) != adapters.Denied || adapters.EffectOf(err) != adapters.EffectNone) {
					t.Errorf("start while denied: %v", err)
				}
				b.src.Poke()
				pass(0)
				if n := f.count(); n != 2 || !b.src.Health().Stopped {
					t.Errorf("after a poke: %d polls, health %+v", n, b.src.Health())
				}
				bad.set(false)
				b.src.Poke()
				pass(time.Minute)
				if h := b.src.Health(); h.Stopped || f.count() < 50 {
					t.Errorf("after the password was set right: %d polls, health %+v", f.count(), h)
				}
				if _, err := b.src.Start(t.Context(), adapters.StartRequest{Token: "t", Job: "GLEXTR"}); err != nil {
					t.Errorf("start after that: %v", err)
				}
			})
		})
	}
}

// TestPokeIsNotSwallowed: a poke during a poll leads to one more poll after it.
func TestPokeIsNotSwallowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ context.Context, _ int, c adapters.Cursor) (adapters.Batch, error) {
			<-time.After(time.Second)
			return adapters.Batch{Next: c}, nil
		}}
		b := start(t, f, adapters.SourceOptions{Slow: time.Hour})
		pass(500 * time.Millisecond)
		for range 5 {
			b.src.Poke()
		}
		pass(10 * time.Second)
		if n := f.count(); n != 2 {
			t.Errorf("%d polls after pokes during the first, want 2", n)
		}
		b.src.Poke()
		pass(10 * time.Second)
		if n := f.count(); n != 3 {
			t.Errorf("%d polls after a poke between polls, want 3", n)
		}
	})
}

// TestPokeBeforePoll: a poke that a poll answers leads to no other poll.
func TestPokeBeforePoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for i := range 30 {
			f := &fake{}
			b := &bench{t: t, src: source(t, f, adapters.SourceOptions{Name: fmt.Sprintf("host%d", i), Slow: time.Hour}), sink: &sink{}}
			b.src.Poke() // and the first poll is due as well
			b.run(nil)
			pass(time.Second)
			if n := f.count(); n != 1 {
				t.Errorf("%d polls, and one would do", n)
			}
			b.end()
		}
	})
}

// TestAfterQuiet: when a quiet time ends, not all sources poll at once.
func TestAfterQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		quiet := []adapters.QuietWindow{{Until: 6 * time.Hour, Location: time.UTC}}
		firsts := make(map[time.Duration]int)
		var fakes []*fake
		for i := range 50 {
			f := &fake{}
			fakes = append(fakes, f)
			start(t, f, adapters.SourceOptions{Name: fmt.Sprintf("host%d", i), Slow: time.Minute, Quiet: quiet})
		}
		began := time.Now()
		pass(6*time.Hour + time.Minute)
		for _, f := range fakes {
			firsts[f.polls()[0].Sub(began).Truncate(time.Second)]++
		}
		if len(firsts) < 20 {
			t.Errorf("50 sources begin at %d different seconds after a quiet time: %v", len(firsts), firsts)
		}
	})
}

// TestOptions: what makes no sense is refused when the source is made.
func TestOptions(t *testing.T) {
	t.Parallel()
	utc := time.UTC
	for name, opt := range map[string]adapters.SourceOptions{
		"no name":        {},
		"slash":          {Name: "a/b"},
		"negative":       {Name: "a", Slow: -1},
		"no zone":        {Name: "a", Quiet: []adapters.QuietWindow{{Until: time.Hour}}},
		"no time of day": {Name: "a", Quiet: []adapters.QuietWindow{{Until: 25 * time.Hour, Location: utc}}},
		"always quiet": {Name: "a", Quiet: []adapters.QuietWindow{
			{Until: 13 * time.Hour, Location: utc}, {From: 12 * time.Hour, Until: 24 * time.Hour, Location: utc},
		}},
	} {
		if _, err := adapters.NewSource(&fake{}, opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := adapters.NewSource(nil, adapters.SourceOptions{Name: "a"}); err == nil {
		t.Errorf("no adapter: no error")
	}
}
