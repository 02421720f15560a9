package federation_test

import (
	"context"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// cut loses the answer after the effect.
func cut(string) error {
	return &adapters.Error{Kind: adapters.Unavailable, Op: "start", Err: errCut}
}

// TestUnclearForLong: a source that cannot say what became of a start is asked again for ten minutes; then
// a person is.
func TestUnclearForLong(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.b.unclear, b.b.finish = true, false
		b.b.onStart = func(s string) error {
			b.b.log = b.b.log[:0] // nor can it be seen by polling
			return cut(s)
		}
		b.start()
		until("00:10:00")
		b.ends()
		until("00:19:59")
		if n := b.node("load"); n.Send != chain.SendSent || n.State() != job.Queued {
			t.Fatalf("load is %s", n.Send)
		}
		until("00:21:30")
		if n := b.node("load"); n.Send != chain.SendInDoubt || n.State() != job.Unknown {
			t.Errorf("load is %s", n.Send)
		}
		b.once(1)
		b.prove(2)
	})
}

// TestDoubtWaitsForAPoll: without a way to ask, the first good look at the source decides whether a person
// is needed.
func TestDoubtWaitsForAPoll(t *testing.T) {
	t.Parallel()
	for _, started := range []bool{false, true} {
		inBubble(t, adapters.StartInDoubt, func(b *bench) {
			t := b.t
			b.b.finish = false
			b.b.onStart = func(s string) error {
				b.b.down = cut(s)
				if !started {
					b.b.log = b.b.log[:0]
				}
				return cut(s)
			}
			b.start()
			until("00:10:00")
			b.ends()
			until("00:20:00")
			if n := b.node("load"); n.Send != chain.SendSent {
				t.Fatalf("load is %s while nobody can look", n.Send)
			}
			b.b.set(func(p *peer) { p.down = nil })
			until("00:21:00")
			want := map[bool]chain.Send{false: chain.SendInDoubt, true: chain.SendConfirmed}[started]
			if n := b.node("load"); n.Send != want {
				t.Errorf("load is %s; want %s", n.Send, want)
			}
			b.once(1)
			b.prove(2)
		})
	}
}

// TestSeenBeforeTheDoubt: the run came and went, and its instance closed, before anybody asked what became
// of its start.
func TestSeenBeforeTheDoubt(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartInDoubt, func(b *bench) {
		t := b.t
		b.defs[0].Nodes = b.defs[0].Nodes[:2]
		b.b.answer = func(context.Context) { <-time.After(20 * time.Second) }
		b.b.onStart = cut
		b.start()
		until("00:10:00")
		b.ends()
		until("00:12:00")
		if in := b.intents(); len(in) != 1 || in[0].State != chain.SendConfirmed || in[0].Run.IsZero() || !b.closed() {
			t.Errorf("starts %+v, closed %v; want that it is confirmed by its run", in, b.closed())
		}
		b.once(1)
		b.prove(3)
	})
}

// TestNoEffectAfterALostAnswer: the answer to the first call is lost, and the second surely had no effect.
// That says nothing about the first.
func TestNoEffectAfterALostAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind adapters.Kind
		want chain.Send
	}{{adapters.Unavailable, chain.SendSent}, {adapters.Rejected, chain.SendInDoubt}} {
		inBubble(t, adapters.StartDeduplicated, func(b *bench) {
			t := b.t
			b.defs[0].Nodes[1].GiveUpAt = "00:30"
			b.b.finish = false
			b.b.onStart = func(s string) error {
				b.b.log = b.b.log[:0]
				b.b.refuse = func() error {
					return &adapters.Error{Kind: tc.kind, Op: "start", Effect: adapters.EffectNone, Err: errCut}
				}
				return cut(s)
			}
			b.start()
			until("00:10:00")
			b.ends()
			until("00:40:00")
			n := b.node("load")
			if n.Send != tc.want || n.Settled != "" {
				t.Errorf("%s: load is %s %s; want %s", tc.kind, n.Send, n.Settled, tc.want)
			}
			if in := b.intents(); len(in) != 1 || in[0].State != tc.want {
				t.Errorf("%s: starts %+v", tc.kind, in)
			}
			b.prove(2)
		})
	}
}

// TestRunSeenBeforeARefusal: the first answer is lost, the run is seen, and then the source refuses to be
// asked again.
func TestRunSeenBeforeARefusal(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartDeduplicated, func(b *bench) {
		t := b.t
		b.b.finish = false
		b.b.onStart = func(s string) error {
			b.b.refuse = func() error {
				return &adapters.Error{Kind: adapters.Rejected, Op: "start", Effect: adapters.EffectNone, Err: errCut}
			}
			return cut(s)
		}
		b.start()
		until("00:10:00")
		b.ends()
		until("00:20:00")
		if n := b.node("load"); n.Send != chain.SendConfirmed || n.State() != job.Running {
			t.Errorf("load is %s %s", n.Send, n.State())
		}
		b.once(1)
		b.prove(2)
	})
}
