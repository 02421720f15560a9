package storetest

import (
	"errors"
	"sync"
	"sync/atomic"

	"signalbox/federation/store"
)

func contentionCases() []Case {
	return []Case{
		{"contention/an intent is claimed once", claimedOnce},
		{"contention/an intent is written once", writtenOnce},
		{"contention/places have no gaps and belong to their commit", placesWithoutGaps},
	}
}

// workers is how many goroutines contend.
const workers = 8

func claimedOnce(t T, o Opener) {
	l := open(t, o)
	const n = 20
	for i := range n {
		l.commit(store.Batch{Intents: []store.Intent{intent(i)}})
	}
	var won [n]atomic.Int32
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := range n {
				i = (i + w) % n
				_, err := l.try(store.Batch{Moves: []store.Move{claim(i)}})
				switch {
				case err == nil:
					won[i].Add(1)
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("claim %d: %v", i, err)
				}
			}
		})
	}
	wait.Wait()
	for i := range won {
		if c := won[i].Load(); c != 1 {
			t.Errorf("intent %d was claimed %d times, want once", i, c)
		}
	}
}

func writtenOnce(t T, o Opener) {
	l := open(t, o)
	var won atomic.Int32
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			in := intent(1)
			if w%2 == 0 {
				in.Token = "of another worker" // the same place all the same
			}
			_, err := l.try(store.Batch{Intents: []store.Intent{in}})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrConflict):
				t.Errorf("write: %v", err)
			}
		})
	}
	wait.Wait()
	if c := won.Load(); c != 1 {
		t.Errorf("the intent was written %d times, want once", c)
	}
}

func placesWithoutGaps(t T, o Opener) {
	l := open(t, o)
	const each = 10
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := range each {
				a, b := running(w*each+i), ended(w*each+i)
				last, err := l.try(store.Batch{Records: []store.Entry{entry(t, &a), entry(t, &b)}})
				if err != nil {
					t.Errorf("commit: %v", err)
					return
				}
				found, err := l.ByHash(t.Context(), entry(t, &b).Hash)
				if err != nil || found.Seq != last {
					t.Errorf("commit gave %d, but its last record stands at %d: %v", last, found.Seq, err)
				}
			}
		})
	}
	wait.Wait()
	all := must[[]store.Entry](t)(l.After(t.Context(), 0, 1000))
	if len(all) != 2*each*workers {
		t.Errorf("%d records, want %d", len(all), 2*each*workers)
	}
	for i := range all {
		if all[i].Seq != int64(i+1) {
			t.Fatalf("record %d stands at %d", i+1, all[i].Seq)
		}
	}
}
