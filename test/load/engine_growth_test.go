package load

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// TestGrowth prints what one observation that changes one job of one chain costs in a small installation
// and in a large one, from the engine's call until it is durable and decided: it must cost what it
// changes, whatever else is there.
func TestGrowth(t *testing.T) {
	n := size(t, "LOAD_COMMITS", 40) // a round
	open := size(t, "LOAD_OPEN", 2000)
	small := crowded(t, 10, 1, 10)
	defer small.stop()
	large := crowded(t, 1000, 200, open)
	defer large.stop()
	var wall, cpu ratios
	for round := range rounds {
		few, many := small.changes(round, n, 1), large.changes(round, n, 200)
		wall.add(many.wall, few.wall)
		cpu.add(many.cpu, few.cpu)
	}
	c := spent(func() { large.e.Sources() })
	t.Logf("a change among 1000 chains, 200 sources and %d open instances: %s of that among 10 chains, 1 source and 10 open ones, by processor time %s; all sources shown in %v; load %s",
		open, wall, cpu, c.wall, loadAverage())
}

// crowded starts an engine with that many chains, sources and open instances.
func crowded(t *testing.T, chains, sources, open int) *plant {
	t.Helper()
	p := startPlant(t, filepath.Join(t.TempDir(), "ledger.db"), watching(chains, sources), stillSources(t, sources)...)
	for s := range sources {
		var obs []job.Observation
		for i := s; i < open; i += sources {
			obs = append(obs, opening(i, chains, sources, job.Running))
		}
		if len(obs) > 0 {
			p.take(obs, "begun")
		}
	}
	return p
}

// opening is the run that opened instance i.
func opening(i, chains, sources int, state job.State) job.Observation {
	o := head(i, state)
	c := i % chains
	o.Run.Source, o.Run.Job = fmt.Sprintf("host-%02d", c%sources), fmt.Sprintf("settle/book-%04d", c/sources*5)
	return o
}

// changes ends the second job of some chains, one after the other: each run begins and ends once.
func (p *plant) changes(round, n, sources int) cost {
	p.t.Helper()
	var all []job.Observation
	for i := range n {
		o := head(1_000_000+round*n+i, job.Running)
		o.Run.Source, o.Run.Job = fmt.Sprintf("host-%02d", i%sources), "settle/book-0001"
		o.Started = job.At(time.Now().Add(time.Duration(i) * time.Second))
		all = append(all, o)
	}
	return spent(func() {
		for i := range all {
			p.take(all[i:i+1], fmt.Sprint(round, i))
		}
	})
}
