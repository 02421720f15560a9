package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// epoch is the time at which the stories of this suite begin.
var epoch = time.Date(2026, 11, 22, 4, 12, 30, 123456789, time.UTC)

// minute gives times of a story.
func minute(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }

// ledger is an opened store with the right to write.
type ledger struct {
	store.Store
	t     T
	fence store.Fence
}

// open opens the ledger and takes the lease; it is closed with the test.
func open(t T, o Opener) *ledger {
	t.Helper()
	s, err := o.Open(t.Context())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	l := &ledger{Store: s, t: t}
	t.Cleanup(l.close)
	if l.fence, err = s.Acquire(t.Context(), "writer", "suite", time.Minute); err != nil {
		t.Fatalf("acquire: %v", err)
	}
	return l
}

func (l *ledger) close() {
	l.t.Helper()
	if err := l.Close(); err != nil {
		l.t.Errorf("close: %v", err)
	}
}

// try commits a batch with the ledger's fence.
func (l *ledger) try(b store.Batch) (int64, error) {
	b.Fence = l.fence
	return l.Commit(l.t.Context(), &b)
}

// commit commits a batch that must be accepted.
func (l *ledger) commit(b store.Batch) int64 {
	l.t.Helper()
	last, err := l.try(b)
	if err != nil {
		l.t.Fatalf("commit: %v", err)
	}
	return last
}

// refuse commits a batch that must be refused with the given error.
func (l *ledger) refuse(want error, b store.Batch) {
	l.t.Helper()
	if _, err := l.try(b); !errors.Is(err, want) {
		l.t.Errorf("commit gave %v, want %v", err, want)
	}
}

// must unwraps the result of a read that must succeed.
func must[V any](t T) func(v V, err error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		return v
	}
}

// same compares two values by what they say: nil and empty lists are equal, times by the moment.
func same(t T, what string, got, want any) {
	t.Helper()
	g, w := text(t, got), text(t, want)
	if g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func text(t T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	if s := string(b); s != "null" {
		return s
	}
	return "[]"
}

// running is an observation of the n-th run of a story, and ended of its end.
func running(n int) job.Observation {
	return job.Observation{
		Run: job.RunKey{Source: "findb", Job: fmt.Sprintf("Load GL/%d", n%3), Native: fmt.Sprintf("%06d", n)}, Attempt: 1,
		State: job.Running, At: job.At(minute(n)), Started: job.At(minute(n)), Confidence: job.Confirmed,
		Sighting: job.Sighting{Node: "box-1", Seen: minute(n).Add(time.Second)},
	}
}

func ended(n int) job.Observation {
	o := running(n)
	o.State, o.At, o.Ended = job.Succeeded, job.At(minute(n+1)), job.At(minute(n+1))
	o.End = job.End{Kind: job.ExitCode, Code: "0"}
	o.Sighting.Seen = minute(n + 1).Add(time.Second)
	return o
}

// entry seals an observation for the ledger.
func entry(t T, o *job.Observation) store.Entry {
	t.Helper()
	r, err := o.Seal()
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	return store.Entry{At: o.Sighting.Seen, Subject: store.RunSubject(o.Run), Record: r}
}

// told folds observations of one run.
func told(t T, all ...job.Observation) job.Run {
	t.Helper()
	var r job.Run
	for i := range all {
		r, _ = job.Merge(r, &all[i], entry(t, &all[i]).Hash)
	}
	return r
}

// day is the key of the n-th instance of a story.
func day(n int) chain.Key {
	return chain.Key{Chain: "close", BusinessDate: epoch.AddDate(0, 0, n).Format(time.DateOnly)}
}

// instance is the n-th instance of a story, with two nodes, opened at its minute.
func instance(n int) chain.Instance {
	return chain.Instance{
		Key: day(n), Opened: minute(n), Version: job.Sum([]byte("version")),
		Nodes: []chain.NodeState{{Name: "extract", Attempt: 1}, {Name: "load", Attempt: 1}},
	}
}

// intent is the start of node load in the n-th instance.
func intent(n int) store.Intent {
	return store.Intent{
		Token: fmt.Sprintf("token-%d", n), Key: day(n), Node: "load", Attempt: 1, Job: job.Ref{Source: "findb", Job: "Load GL"},
		State: chain.SendPending, Receipt: job.Sum([]byte("receipt")), Created: minute(n), Updated: minute(n),
	}
}

// claim is the move that a worker makes before it sends.
func claim(n int) store.Move {
	return store.Move{Token: intent(n).Token, From: chain.SendPending, To: chain.SendSent, At: minute(n)}
}
