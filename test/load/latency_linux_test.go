package load

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestCommitLatency prints how long one producer waits for one observation and its run to be durable,
// beside the floor of all durable things: 4 KiB written over an existing part of a file, and fdatasync.
func TestCommitLatency(t *testing.T) {
	n := size(t, "LOAD_COMMITS", 40) // a round
	s, f := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	defer func() { _ = s.Close() }()
	e := newEstate()
	fill(t, s, f, e, 2000)
	file := extended(t, 1<<20)
	page := make([]byte, 4096)
	var median, tail ratios
	var all, low []time.Duration
	for range rounds {
		var subject, floor []time.Duration
		for i := range n {
			b := e.batch(t, 2)
			b.Fence = f
			subject = append(subject, spent(func() {
				if _, err := s.Commit(t.Context(), &b); err != nil {
					t.Fatal(err)
				}
			}).wall)
			floor = append(floor, spent(func() {
				if _, err := file.WriteAt(page, int64(i%256)*4096); err != nil {
					t.Fatal(err)
				}
				if err := syscall.Fdatasync(int(file.Fd())); err != nil {
					t.Fatal(err)
				}
			}).wall)
		}
		median.add(percentile(subject, 0.5), percentile(floor, 0.5))
		tail.add(percentile(subject, 0.99), percentile(floor, 0.99))
		all, low = append(all, subject...), append(low, floor...)
	}
	t.Logf("commit by one producer: p50 %s, p99 %s of fdatasync; p50 %v and %v, p99 %v and %v; load %s",
		median, tail, percentile(all, 0.5), percentile(low, 0.5), percentile(all, 0.99), percentile(low, 0.99), loadAverage())
}

// extended makes a file of which all blocks are written.
func extended(t *testing.T, bytes int) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "floor"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.Write(make([]byte, bytes)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	return f
}
