package load

import (
	"path/filepath"
	"testing"
	"time"

	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
)

// rounds is how often subject and floor take turns.
const rounds = 5

// TestIngest prints how fast observations become durable, in batches of 1,000 with their 500 runs,
// beside raw inserts of the same records, after a short and after a long history.
func TestIngest(t *testing.T) {
	histories := []int{0, size(t, "LOAD_HISTORY", 10_000)}
	batches := size(t, "LOAD_BATCHES", 2) // a round
	for _, history := range histories {
		e := newEstate()
		s, f := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
		fill(t, s, f, e, history)
		raw := openRaw(t)
		var wall, cpu ratios
		var subject, floor cost
		for range rounds {
			var all []store.Batch
			for range batches {
				b := e.batch(t, 1000)
				b.Fence = f
				all = append(all, b)
			}
			low := spent(func() {
				for i := range all {
					raw.write(t, all[i].Records)
				}
			})
			high := spent(func() { commitAll(t, s, all) })
			wall.add(low.wall, high.wall)
			cpu.add(low.cpu, high.cpu)
			subject.wall, subject.cpu = subject.wall+high.wall, subject.cpu+high.cpu
			floor.wall, floor.cpu = floor.wall+low.wall, floor.cpu+low.cpu
		}
		n := time.Duration(rounds * batches * 1000)
		t.Logf("ingest after %d observations: %s of the speed of raw inserts, by processor time %s; %.0f/s and %v CPU an observation, raw %.0f/s and %v; load %s",
			history, wall, cpu, float64(n)/subject.wall.Seconds(), subject.cpu/n, float64(n)/floor.wall.Seconds(), floor.cpu/n, loadAverage())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func commitAll(t *testing.T, s *sqlite.Store, all []store.Batch) {
	t.Helper()
	for i := range all {
		if _, err := s.Commit(t.Context(), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
}
