package load

import (
	"context"
	"fmt"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store/sqlite"
)

// still is a peer at which nothing happens: what the engine takes, the test gives it.
type still struct{ class adapters.StartClass }

func (s still) Properties() adapters.Properties {
	return adapters.Properties{
		Peer: "load", Kind: adapters.EventSource, Start: s.class, Budget: adapters.Budget{PollsPerMinute: 60, Concurrent: 8},
	}
}
func (still) Close() error { return nil }
func (still) Poll(_ context.Context, c adapters.Cursor) (adapters.Batch, error) {
	return adapters.Batch{Next: c}, nil
}

// plant is an engine under load, with its ledger.
type plant struct {
	t    *testing.T
	path string
	st   *sqlite.Store
	e    *federation.Engine
	stop func()
}

// startPlant starts an engine over the ledger at path and waits until it works.
func startPlant(t *testing.T, path string, defs []chain.Definition, sources ...*adapters.Source) *plant {
	t.Helper()
	return startWatched(t, path, nil, defs, sources...)
}

// startWatched is startPlant with somebody who hears of each step of a start.
func startWatched(t *testing.T, path string, onStep func(federation.Step), defs []chain.Definition, sources ...*adapters.Source) *plant {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := federation.New(federation.Options{Store: st, Sources: sources, Definitions: defs, Node: "load", OnStep: onStep})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	p := &plant{t: t, path: path, st: st, e: e}
	p.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, s := range sources {
			_ = s.Close()
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	select {
	case <-e.Ready():
	case err := <-done:
		t.Fatal("the engine ended: ", err)
	}
	return p
}

// stillSources makes sources at which nothing happens, named as those of an [estate].
func stillSources(t *testing.T, n int) []*adapters.Source {
	t.Helper()
	var out []*adapters.Source
	for i := range n {
		s, err := adapters.NewSource(still{adapters.StartSearchable}, adapters.SourceOptions{Name: fmt.Sprintf("host-%02d", i), Slow: time.Hour, Node: "load"})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// watching makes chains of five jobs each that a native clock starts, over the jobs of an estate with that
// many sources. Each run of a chain's first job opens an instance.
func watching(chains, sources int) []chain.Definition {
	var out []chain.Definition
	for i := range chains {
		d := chain.Definition{Chain: fmt.Sprintf("chain-%03d", i), DayCut: "00:00", Timezone: "UTC", KeepOpen: 3600, Repeat: "n0"}
		for n := range 5 {
			node := chain.Node{
				Name: fmt.Sprintf("n%d", n), Stage: chain.Watch,
				Job: job.Ref{Source: fmt.Sprintf("host-%02d", i%sources), Job: fmt.Sprintf("settle/book-%04d", i/sources*5+n)},
			}
			if n > 0 {
				node.After = []chain.Dependency{{Node: fmt.Sprintf("n%d", n-1), On: chain.OnSuccess}}
			}
			d.Nodes = append(d.Nodes, node)
		}
		out = append(out, d)
	}
	return out
}

// news gives the observations of n/2 runs of one source that began and ended just now.
func (e *estate) news(source string, n int) []job.Observation {
	out := make([]job.Observation, 0, n)
	shift := time.Since(origin) - time.Duration(e.n)*3*time.Second
	for range n / 2 {
		for _, o := range pair(e.run()) {
			o.Run.Source = source
			for _, m := range []*job.Moment{&o.At, &o.Planned, &o.Started, &o.Ended} {
				if !m.IsZero() {
					m.At = m.At.Add(shift).Round(0).UTC()
				}
			}
			out = append(out, o)
		}
	}
	return out
}

func pair(a, b job.Observation) []job.Observation { return []job.Observation{a, b} }

// take hands observations of one source to the engine.
func (p *plant) take(obs []job.Observation, cursor string) {
	p.t.Helper()
	b := adapters.Batch{Observations: obs, Next: adapters.Cursor(cursor)}
	if err := p.e.Take(p.t.Context(), obs[0].Run.Source, b); err != nil {
		p.t.Error(err)
	}
}
