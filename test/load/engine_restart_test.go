package load

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/store/sqlite"
)

// TestEngineRestart prints how long an engine needs from opening its ledger until it works, beside opening
// the ledger and reading the open instances; and how that grows with history.
func TestEngineRestart(t *testing.T) {
	history, open := size(t, "LOAD_HISTORY", 20_000), size(t, "LOAD_OPEN", 300)
	short, long := lived(t, 1000, open), lived(t, history, open)
	var growth, over ratios
	var all, low []time.Duration
	for range rounds {
		s, l := engineRestart(t, short, open), engineRestart(t, long, open)
		f := readOpen(t, long, open)
		growth.add(l, s)
		over.add(l, f)
		all, low = append(all, l), append(low, f)
	}
	t.Logf("restart of an engine with %d observations and %d open instances: %s of reading the open ones, %s of that with 1000 observations; %v and %v; load %s",
		history, open, over, growth, percentile(all, 0.5), percentile(low, 0.5), loadAverage())
}

const livedChains = 100

// lived makes a ledger with that many observations and open instances of 100 chains, and closes it.
func lived(t *testing.T, history, open int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	st, f := openLedger(t, path)
	fill(t, st, f, newEstate(), history)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	p := startPlant(t, path, watching(livedChains, 1), stillSources(t, 1)...)
	defer p.stop()
	for from := 0; from < open; from += 500 {
		var obs []job.Observation
		for i := from; i < min(from+500, open); i++ {
			o := head(i, job.Running)
			o.Run.Job = fmt.Sprintf("settle/book-%04d", i%livedChains*5)
			obs = append(obs, o)
		}
		p.take(obs, fmt.Sprint(from))
	}
	return path
}

func engineRestart(t *testing.T, path string, open int) time.Duration {
	t.Helper()
	sources, defs := stillSources(t, 1), watching(livedChains, 1)
	began := time.Now()
	p := startPlant(t, path, defs, sources...)
	took := time.Since(began)
	defer p.stop()
	in, err := p.st.OpenInstances(t.Context())
	if err != nil || len(in) != open {
		t.Fatalf("%d open instances, %v; want %d", len(in), err, open)
	}
	return took
}

// readOpen is the floor: the ledger is opened, and the open instances are read.
func readOpen(t *testing.T, path string, open int) time.Duration {
	t.Helper()
	began := time.Now()
	st, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	in, err := st.OpenInstances(t.Context())
	took := time.Since(began)
	if err != nil || len(in) != open {
		t.Fatalf("%d open instances, %v; want %d", len(in), err, open)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return took
}
