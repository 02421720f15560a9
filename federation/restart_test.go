package federation_test

import (
	"fmt"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// story plays one night in steps of five seconds: extract runs from 00:00:10 to 00:00:40, and each job that is
// started ends 20 s later. Whenever the process is gone, the next one goes on. A person runs again what
// is in doubt after ten minutes.
func (b *bench) story(l *ledger) {
	b.t.Helper()
	b.b.finish = false
	born := time.Now()
	b.begin()
	asked := false
	const step = 5
	for second := 0; second < 1500; second += step {
		switch second {
		case 10:
			b.a.native("extract", "r1", job.Running, born.Add(10*time.Second))
		case 40:
			b.a.native("extract", "r1", job.Succeeded, born.Add(10*time.Second))
		}
		b.b.endAfter(20 * time.Second)
		pass(step * time.Second)
		if b.gone(l) {
			_ = b.stop() // whatever it says: nobody hears it
			b.begin()
			pass(0)
		}
		if second > 600 && !asked {
			asked = true
			b.settleDoubts()
		}
		if second > 60 && b.closed() {
			return
		}
	}
	b.t.Fatalf("the instance did not close: %+v", b.instances())
}

// gone tells whether the process ended, by itself or not.
func (b *bench) gone(l *ledger) bool {
	if _, dead := l.count(); dead {
		l.set(func(l *ledger) { l.dead, l.plan = false, nil })
		return true
	}
	select {
	case err := <-b.done: // it could not begin
		b.done <- err
		return true
	default:
		return false
	}
}

func (b *bench) settleDoubts() {
	b.t.Helper()
	for _, in := range b.instances() {
		for _, n := range in.Nodes {
			if n.Send != chain.SendInDoubt {
				continue
			}
			c := chain.Command{Actor: "ops", Instance: in.Key, Node: n.Name, Reason: "looked: it did not run", Verb: chain.Rerun}
			if _, err := b.e.Command(b.t.Context(), c); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

// endAfter ends the runs that we started so long ago.
func (p *peer) endAfter(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := map[job.RunKey]bool{}
	for i := range p.log {
		ended[p.log[i].Run] = ended[p.log[i].Run] || p.log[i].State.Terminal()
	}
	for _, o := range p.log {
		if !ended[o.Run] && time.Since(o.Started.At) >= d {
			ended[o.Run] = true
			o.State = job.Succeeded
			p.add(o)
		}
	}
}

// TestEveryCommit has trouble of each kind at each commit of a night, for each start class. The night
// ends the same, each start leads to one run, and the ledger explains itself.
func TestEveryCommit(t *testing.T) {
	t.Parallel()
	for _, class := range []adapters.StartClass{adapters.StartDeduplicated, adapters.StartSearchable, adapters.StartInDoubt} {
		commits := 0
		inBubble(t, class, func(b *bench) {
			l := b.troubled(nil)
			b.story(l)
			b.once(2)
			b.prove(4)
			b.halt()
			commits, _ = l.count()
		})
		if commits < 10 {
			t.Fatalf("%s: a night of %d commits", class, commits)
		}
		for _, what := range []trouble{fails, loses, diesBefore, diesAfter} {
			for k := 1; k <= commits; k++ {
				t.Run(fmt.Sprintf("%s/%s/%d", class, what, k), func(t *testing.T) {
					t.Parallel()
					inBubble(t, class, func(b *bench) { b.troubledNight(what, k) })
				})
			}
		}
	}
}

func (b *bench) troubledNight(what trouble, k int) {
	l := b.troubled(func(n int, _ *store.Batch) trouble {
		if n == k {
			return what
		}
		return ""
	})
	b.story(l)
	b.once(2)
	for _, n := range b.instances()[0].Nodes {
		if n.State() != job.Succeeded {
			b.t.Errorf("%s is %s at the end", n.Name, n.State())
		}
	}
	for _, in := range b.intents() {
		if in.State != chain.SendConfirmed && in.State != chain.SendInDoubt {
			b.t.Errorf("start %s of %s is %s at the end", in.Token, in.Node, in.State)
		}
	}
	if got := len(b.instances()); got != 1 {
		b.t.Errorf("%d instances; want one", got)
	}
	b.prove(4)
	b.halt()
}

// TestEveryCommitFailsOften: what could not be made durable did not happen; what was seen is seen again.
func TestEveryCommitFailsOften(t *testing.T) {
	t.Parallel()
	for what, least := range map[trouble]int{fails: 2, loses: 2, diesBefore: 6, diesAfter: 6} { // a life needs more to get on
		for every := least; every <= least+4; every++ {
			t.Run(fmt.Sprintf("%s/%d", what, every), func(t *testing.T) {
				t.Parallel()
				inBubble(t, adapters.StartSearchable, func(b *bench) {
					all := 0
					plan := func(int, *store.Batch) trouble {
						if all++; all%every == 0 {
							return what
						}
						return ""
					}
					l := b.troubled(plan)
					b.stubborn(l, plan)
				})
			})
		}
	}
}

// stubborn plays the night with trouble that comes again and again.
func (b *bench) stubborn(l *ledger, plan func(int, *store.Batch) trouble) {
	b.begin()
	told := false
	for range 600 {
		pass(time.Second)
		if b.gone(l) {
			l.set(func(l *ledger) { l.plan = plan })
			_ = b.stop()
			b.begin()
			continue
		}
		if !told { // the chain is in service
			told = true
			b.a.native("extract", "r1", job.Succeeded, time.Now())
		}
		if b.closed() {
			break
		}
	}
	if !b.closed() {
		b.t.Fatalf("the instance did not close: %+v", b.instances())
	}
	b.once(2)
	b.prove(4)
	_ = b.stop()
}
