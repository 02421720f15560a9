package load

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// TestMemory prints how much heap an engine holds for each job that it knows, and how that grows with the
// number of jobs and with their history.
func TestMemory(t *testing.T) {
	const sources = 20
	jobs := size(t, "LOAD_JOBS", 10_000)
	idle := heapOf(t, sources, 0, 0)
	for _, tc := range []struct{ jobs, rounds int }{{jobs / 10, 1}, {jobs, 1}, {jobs, 3}} {
		used := heapOf(t, sources, tc.jobs, tc.rounds) - idle
		t.Logf("%d jobs that ran %d times: %d KiB, %d bytes a job; idle %d KiB", tc.jobs, tc.rounds, used>>10, used/int64(tc.jobs), idle>>10)
	}
}

// heapOf gives what is on the heap after jobs were listed, each of them ran some times, and garbage was
// collected.
func heapOf(t *testing.T, sources, jobs, rounds int) int64 {
	t.Helper()
	before := heap()
	p := startPlant(t, filepath.Join(t.TempDir(), "ledger.db"), watching(100, sources), stillSources(t, sources)...)
	defer p.stop()
	for s := range sources {
		name, each := fmt.Sprintf("host-%02d", s), jobs/sources
		var l adapters.Listing
		for i := range each {
			l.Jobs = append(l.Jobs, job.Job{Ref: job.Ref{Source: name, Job: fmt.Sprintf("settle/book-%04d", i)}, Enabled: true})
		}
		if err := p.e.TakeListing(t.Context(), name, l); err != nil {
			t.Fatal(err)
		}
		for round := range rounds {
			e := newEstate()
			e.n, e.jobs = (s*rounds+round)*each, max(each, 1)
			if obs := e.news(name, 2*each); len(obs) > 0 {
				p.take(obs, fmt.Sprint(round))
			}
		}
	}
	return heap() - before
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers of the first one freed
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
