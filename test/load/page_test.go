package load

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
)

// TestPage prints how long a page of 50 runs takes among many, by each way to filter, beside the
// floor: the last 50 rows of a plain table, decoded.
func TestPage(t *testing.T) {
	runs, n := size(t, "LOAD_RUNS", 10_000), size(t, "LOAD_PAGES", 30) // a round
	s, f := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	defer func() { _ = s.Close() }()
	e, raw := newEstate(), openRaw(t)
	fill(t, s, f, e, 2*runs)
	b := e.batch(t, 1000)
	b.Fence = f
	raw.write(t, b.Records)
	if _, err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	some := b.Runs[0].Key
	deep := page(t, s, store.RunFilter{})
	for range 20 {
		deep = page(t, s, store.RunFilter{Limit: 50}.Next(deep))
	}
	for _, c := range []struct {
		name string
		f    store.RunFilter
	}{
		{"the latest", store.RunFilter{}},
		{"page 20", store.RunFilter{}.Next(deep)},
		{"a source", store.RunFilter{Source: some.Source}},
		{"a job", store.RunFilter{Source: some.Source, Job: some.Job}},
		{"failed", store.RunFilter{States: []job.State{job.Failed}}},
		{"running", store.RunFilter{States: []job.State{job.Running}}},
	} {
		c.f.Limit = 50
		compare(t, "page of 50, "+c.name, n, func() { page(t, s, c.f) }, func() { raw.page(t) })
	}
	compare(t, "record by hash", n, func() {
		if _, err := s.ByHash(t.Context(), b.Records[0].Hash); err != nil {
			t.Fatal(err)
		}
	}, func() { raw.page(t) })
}

func page(t *testing.T, s *sqlite.Store, f store.RunFilter) []job.Run {
	t.Helper()
	got, err := s.Runs(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// page reads the last 50 rows.
func (r *rawTable) page(t *testing.T) {
	t.Helper()
	rows, err := r.db.QueryContext(t.Context(), "SELECT body FROM raw ORDER BY seq DESC LIMIT 50")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var body []byte
		var o job.Observation
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &o); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// compare lets a subject and its floor take turns and prints the ratios of their medians.
func compare(t *testing.T, what string, n int, subject, floor func()) {
	t.Helper()
	var median ratios
	var all []time.Duration
	for range rounds {
		var high, low []time.Duration
		for range n {
			high = append(high, spent(subject).wall)
			low = append(low, spent(floor).wall)
		}
		median.add(percentile(high, 0.5), percentile(low, 0.5))
		all = append(all, high...)
	}
	t.Logf("%s: p50 %s of the floor; p50 %v, p99 %v; load %s", what, median, percentile(all, 0.5), percentile(all, 0.99), loadAverage())
}
