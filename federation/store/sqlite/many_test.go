package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
)

// TestRunsOf: many at once are what they are one by one, whatever their number.
func TestRunsOf(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	f, err := s.Acquire(t.Context(), "l", "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b := store.Batch{Fence: f}
	var keys []job.RunKey
	for i := range 300 {
		o := job.Observation{
			Run:     job.RunKey{Source: "a", Job: fmt.Sprint("j", i%7), Native: fmt.Sprint(i), Epoch: []string{"", "2026-01-01T00:00:00Z"}[i%2]},
			Attempt: 1, State: job.Running, Sighting: job.Sighting{Seen: time.Unix(int64(i), 0).UTC()},
		}
		rec, err := o.Seal()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Run)
		if i%3 == 0 {
			continue // not stored
		}
		run, _ := job.Merge(job.Run{}, &o, rec.Hash)
		b.Runs = append(b.Runs, run)
		b.Records = append(b.Records, store.Entry{At: time.Unix(1, 0), Subject: store.RunSubject(o.Run), Record: rec})
	}
	if _, err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 7, 8, 63, 64, 65, 128, 135, 300} {
		found, err := s.RunsOf(t.Context(), keys[:n])
		if err != nil {
			t.Fatal(err)
		}
		got := map[job.RunKey]job.Run{}
		for _, r := range found {
			got[r.Key] = r
		}
		for i, k := range keys[:n] {
			one, err := s.Run(t.Context(), k)
			if many, ok := got[k]; ok != (err == nil) || ok == (i%3 == 0) || many.Evidence != one.Evidence || many.Latest.State != one.Latest.State {
				t.Errorf("%d keys: run %s is %+v (%v), one by one %+v (%v)", n, k, many, ok, one, err)
			}
		}
		if len(got) > n {
			t.Errorf("%d keys: %d runs", n, len(got))
		}
	}
}
