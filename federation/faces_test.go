package federation_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// able is an adapter that can also stop runs and read what they print.
type able struct {
	adapter
	cancelled chan job.RunKey
}

func (a able) Cancel(_ context.Context, run job.RunKey) error {
	if a.p.down != nil {
		return a.p.down
	}
	a.cancelled <- run
	return nil
}

func (a able) ReadLog(_ context.Context, run job.RunKey, limit int) (adapters.Log, error) {
	if a.p.down != nil {
		return adapters.Log{}, a.p.down
	}
	if run.Native != "r1" {
		return adapters.Log{}, adapters.Errorf(adapters.NotFound, "read log", run.String(), "no output is kept")
	}
	return adapters.Log{Text: fmt.Sprintf("at most %d bytes", limit), Complete: true}, nil
}

// ran gives a bench where extract ran and load is running.
func ran(b *bench, cancelled chan job.RunKey) {
	b.adapt = func(p *peer) adapters.Adapter {
		if p == b.a {
			return able{adapter{p}, cancelled}
		}
		return adapter{p}
	}
	b.b.finish = false
	b.start()
	pass(time.Minute)
	b.ends()
	pass(time.Minute)
}

var (
	runOfA  = job.RunKey{Source: "a", Job: "extract", Native: "r1"}
	noRun   = job.RunKey{Source: "a", Job: "extract", Native: "r2"}
	foreign = job.RunKey{Source: "x", Job: "extract", Native: "r1"}
)

func TestCancel(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		cancelled := make(chan job.RunKey, 1)
		ran(b, cancelled)
		ofB := b.node("load").Run.Key
		for _, tc := range []struct {
			name          string
			run           job.RunKey
			actor, reason string
			down          error
			want          error
		}{
			{"no actor", runOfA, " ", "x", nil, federation.ErrInput},
			{"no reason", runOfA, "ops", "", nil, federation.ErrInput},
			{"no source", foreign, "ops", "x", nil, federation.ErrNotFound},
			{"no run", noRun, "ops", "x", nil, federation.ErrNotFound},
			{"cannot", ofB, "ops", "x", nil, federation.ErrRefused},
			{"down", runOfA, "ops", "x", errCut, federation.ErrUnavailable},
			{"good", runOfA, "ops", "it hangs", nil, nil},
		} {
			b.a.set(func(p *peer) { p.down = tc.down })
			if err := b.e.Cancel(t.Context(), tc.run, tc.actor, tc.reason); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v; want %v", tc.name, err, tc.want)
			}
		}
		if got := <-cancelled; got != runOfA {
			t.Errorf("cancelled %s", got)
		}
		about, err := b.st.About(t.Context(), store.RunSubject(runOfA), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		last := about[len(about)-1]
		var rec federation.CancelRecord
		if err := last.Open(federation.KindCancel, &rec); err != nil || rec.Actor != "ops" || rec.Reason != "it hangs" {
			t.Errorf("record %+v %v", rec, err)
		}
		b.prove(2)
	})
}

func TestReadLog(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		ran(b, nil)
		for _, tc := range []struct {
			name string
			run  job.RunKey
			down error
			want error
		}{
			{"good", runOfA, nil, nil},
			{"no output", noRun, nil, federation.ErrNotFound},
			{"no source", foreign, nil, federation.ErrNotFound},
			{"cannot", b.node("load").Run.Key, nil, federation.ErrRefused},
			{"down", runOfA, adapters.Errorf(adapters.Unavailable, "connect", "a", "no route"), federation.ErrUnavailable},
			{"denied", runOfA, adapters.Errorf(adapters.Denied, "login", "a", "no"), federation.ErrUnavailable},
		} {
			b.a.set(func(p *peer) { p.down = tc.down })
			l, err := b.e.ReadLog(t.Context(), tc.run)
			if !errors.Is(err, tc.want) {
				t.Errorf("%s: %v; want %v", tc.name, err, tc.want)
			}
			if err == nil && (l.Text != "at most 65536 bytes" || !l.Complete) {
				t.Errorf("%s: %+v", tc.name, l)
			}
		}
		if got, want := b.e.Abilities("a"), (federation.Ability{Log: true, Cancel: true}); got != want {
			t.Errorf("a can %+v; want %+v", got, want)
		}
		if got, want := b.e.Abilities("b"), (federation.Ability{Start: true}); got != want {
			t.Errorf("b can %+v; want %+v", got, want)
		}
		if got := b.e.Abilities("x"); got != (federation.Ability{}) {
			t.Errorf("x can %+v", got)
		}
		if err := b.e.PollNow(t.Context(), "x"); !errors.Is(err, federation.ErrNotFound) {
			t.Errorf("poll of a source that is not there: %v", err)
		}
	})
}

func TestExplain(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		ran(b, nil)
		key := b.instances()[0].Key
		why, err := b.e.Explain(t.Context(), key)
		if err != nil || len(why) != 3 {
			t.Fatalf("%+v %v", why, err)
		}
		for i, want := range []struct {
			state job.State
			value chain.Value
		}{{job.Succeeded, chain.Met}, {job.Running, chain.Met}, {job.Waiting, chain.NotMet}} {
			if why[i].State != want.state || why[i].Value != want.value || why[i].Reason == "" {
				t.Errorf("%+v; want %+v", why[i], want)
			}
		}
		b.b.endAfter(0)
		b.b.set(func(p *peer) { p.finish = true })
		pass(time.Minute)
		if why, err := b.e.Explain(t.Context(), key); err != nil || why != nil || !b.closed() {
			t.Errorf("a closed instance: %+v %v", why, err)
		}
		if why, err := b.e.Explain(t.Context(), chain.Key{Chain: "x"}); err != nil || why != nil {
			t.Errorf("an unknown instance: %+v %v", why, err)
		}
	})
}

// TestFacesWithoutAnEngine: before it has begun and after it has stopped, nobody hangs, and what the sources
// say themselves is still shown.
func TestFacesWithoutAnEngine(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		ask := func(when string, want error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := b.e.Explain(ctx, chain.Key{Chain: "nightly"}); !errors.Is(err, want) {
				t.Errorf("%s: explain: %v; want %v", when, err, want)
			}
			cmd := chain.Command{Actor: "ops", Reason: "x", Verb: chain.Skip}
			if _, err := b.e.Command(ctx, cmd); !errors.Is(err, want) {
				t.Errorf("%s: command: %v; want %v", when, err, want)
			}
			began := time.Now()
			if s := b.e.Sources(); len(s) != 2 || s[0].Name != "a" || !time.Now().Equal(began) {
				t.Errorf("%s: sources %+v", when, s)
			}
		}
		held := make(chan struct{})
		b.troubled(func(int, *store.Batch) trouble {
			<-held
			return ""
		})
		b.begin()
		synctest.Wait()
		ask("beginning", context.DeadlineExceeded)
		close(held)
		<-b.e.Ready()
		open := b.e.Subscribe(t.Context())
		pass(time.Minute)
		b.halt()
		ask("stopped", federation.ErrUnavailable)
		for range open { // it ends
		}
		if _, more := <-b.e.Subscribe(t.Context()); more {
			t.Error("a change after the end")
		}
	})
}

// TestSourcesWhileBusy: the page of sources does not wait for a commit.
func TestSourcesWhileBusy(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		held := make(chan struct{})
		var busy atomic.Bool
		b.troubled(func(int, *store.Batch) trouble {
			if busy.Load() {
				<-held
			}
			return ""
		})
		b.a.jobs = []job.Job{{Ref: job.Ref{Source: "a", Job: "extract"}, Enabled: true}}
		b.start()
		pass(time.Minute)
		busy.Store(true)
		b.a.native("extract", "r1", job.Running, time.Now())
		pass(time.Minute)
		began := time.Now()
		s := b.e.Sources()
		if !time.Now().Equal(began) || s[0].Jobs != 1 || s[0].LastSeen.IsZero() || s[0].Blind {
			t.Errorf("source a: %+v", s[0])
		}
		busy.Store(false)
		close(held)
		pass(time.Minute)
		if len(b.instances()) != 1 {
			t.Error("nothing was decided after the wait")
		}
	})
}

// TestTwoOfTheSameCommand: two people press the same button, or one twice, and both commands share a commit.
// One takes effect, the other is refused, and the ledger explains both.
func TestTwoOfTheSameCommand(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		held := make(chan struct{})
		var busy atomic.Bool
		b.troubled(func(int, *store.Batch) trouble {
			if busy.CompareAndSwap(true, false) {
				<-held
			}
			return ""
		})
		b.start()
		pass(time.Minute)
		b.a.native("extract", "r1", job.Running, time.Now())
		pass(time.Minute)
		key := b.instances()[0].Key
		answers := make(chan error, 3)
		press := func(node string) {
			go func() {
				_, err := b.e.Command(t.Context(), chain.Command{Actor: "ops", Instance: key, Node: node, Reason: "x", Verb: chain.Skip})
				answers <- err
			}()
			synctest.Wait()
		}
		busy.Store(true)
		press("report")
		press("load")
		press("load")
		close(held)
		refused := 0
		for range 3 {
			if err := <-answers; errors.Is(err, federation.ErrRefused) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 1 {
			t.Errorf("%d of 3 commands were refused; want one", refused)
		}
		b.prove(4)
	})
}

// TestCommandWhileTheDiskIsFull: it has not happened, and the person is told.
func TestCommandWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		var full atomic.Bool
		b.troubled(func(int, *store.Batch) trouble {
			if full.Load() {
				return fails
			}
			return ""
		})
		b.start()
		pass(time.Minute)
		b.a.native("extract", "r1", job.Running, time.Now())
		pass(time.Minute)
		cmd := chain.Command{Actor: "ops", Instance: b.instances()[0].Key, Node: "load", Reason: "x", Verb: chain.Skip}
		full.Store(true)
		if _, err := b.e.Command(t.Context(), cmd); !errors.Is(err, federation.ErrUnavailable) || !errors.Is(err, errDiskFull) {
			t.Errorf("%v", err)
		}
		full.Store(false)
		if n := b.node("load"); n.Settled != "" {
			t.Errorf("load is %s", n.Settled)
		}
		if r, err := b.e.Command(t.Context(), cmd); err != nil || r.State != job.Skipped {
			t.Errorf("%+v %v", r, err)
		}
		b.prove(2)
	})
}

// TestSubscribersReadWhatIsDurable: when a change is told, a reader finds it in the ledger.
func TestSubscribersReadWhatIsDurable(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.start()
		changes := b.e.Subscribe(t.Context())
		told := map[federation.ChangeKind]string{}
		go func() {
			for c := range changes {
				if last, err := b.st.Last(context.Background()); err != nil || last < c.Seq {
					t.Errorf("change %+v is told, the ledger stands at %d: %v", c, last, err)
				}
				told[c.Kind] = c.ID
			}
		}()
		pass(time.Minute)
		b.ends()
		pass(time.Minute)
		b.halt()
		synctest.Wait()
		if told[federation.ChangedRun] == "" || told[federation.ChangedInstance] == "" || told[federation.ChangedSource] == "" {
			t.Errorf("told of %v", told)
		}
		if _, err := chain.ParseKey(told[federation.ChangedInstance]); err != nil {
			t.Error(err)
		}
	})
}
