package load

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

// TestEngineIngest prints how fast observations become durable and evaluated through the whole engine, in
// batches of 1,000 with their 500 runs, with 100 chains that watch 500 of 10,000 jobs, beside raw inserts
// of the same records: one source at a time, and four at once.
func TestEngineIngest(t *testing.T) {
	const sources = 20
	batches := size(t, "LOAD_BATCHES", 4) // a round
	for _, producers := range []int{1, 4} {
		e := newEstate()
		e.sources, e.jobs = 1, 10_000/sources
		p := startPlant(t, filepath.Join(t.TempDir(), "ledger.db"), watching(100, sources), stillSources(t, sources)...)
		raw := openRaw(t)
		var wall, cpu ratios
		var subject, floor cost
		for round := range rounds {
			var news [][]job.Observation
			var records [][]store.Entry
			for i := range batches {
				obs := e.news(fmt.Sprintf("host-%02d", (round*batches+i)%sources), 1000)
				news, records = append(news, obs), append(records, sealed(t, obs))
			}
			low := spent(func() {
				for i := range records {
					raw.write(t, records[i])
				}
			})
			high := spent(func() { p.takeAll(news, producers, round) })
			wall.add(low.wall, high.wall)
			cpu.add(low.cpu, high.cpu)
			subject.wall, subject.cpu = subject.wall+high.wall, subject.cpu+high.cpu
			floor.wall, floor.cpu = floor.wall+low.wall, floor.cpu+low.cpu
		}
		n := time.Duration(rounds * batches * 1000)
		t.Logf("ingest through the engine, %d at once: %s of raw inserts' speed, by processor time %s; %.0f/s and %v CPU an observation, raw %.0f/s and %v; load %s",
			producers, wall, cpu, float64(n)/subject.wall.Seconds(), subject.cpu/n, float64(n)/floor.wall.Seconds(), floor.cpu/n, loadAverage())
		p.stop()
	}
}

// takeAll hands over batches by some producers at the same time, each batch of another source.
func (p *plant) takeAll(news [][]job.Observation, producers, round int) {
	next := make(chan int, len(news))
	for i := range news {
		next <- i
	}
	close(next)
	var all sync.WaitGroup
	for range producers {
		all.Go(func() {
			for i := range next {
				p.take(news[i], fmt.Sprint(round, i))
			}
		})
	}
	all.Wait()
}

func sealed(t *testing.T, obs []job.Observation) []store.Entry {
	t.Helper()
	out := make([]store.Entry, len(obs))
	for i := range obs {
		rec, err := obs[i].Seal()
		if err != nil {
			t.Fatal(err)
		}
		out[i] = store.Entry{At: obs[i].Sighting.Seen, Subject: store.RunSubject(obs[i].Run), Record: rec}
	}
	return out
}
