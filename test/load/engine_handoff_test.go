package load

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
)

// pusher is a peer that pushes what it is given at once.
type pusher struct {
	still
	push  chan []job.Observation
	taken chan error // what became of it
}

func (p pusher) Watch(ctx context.Context, _ adapters.Cursor, emit func(adapters.Batch) error) error {
	for n := 1; ; n++ {
		select {
		case obs := <-p.push:
			p.taken <- emit(adapters.Batch{Observations: obs, Next: adapters.Cursor(fmt.Sprint(n))})
		case <-ctx.Done():
			return nil
		}
	}
}

// starter is a peer that tells when it is asked to start something.
type starter struct {
	still
	asked chan time.Time
}

func (s starter) Start(context.Context, adapters.StartRequest) (adapters.Started, error) {
	s.asked <- time.Now()
	return adapters.Started{}, nil
}

func (starter) Find(context.Context, string) (adapters.Finding, error) {
	return adapters.Finding{Found: adapters.FoundUnclear}, nil
}

// TestEngineHandoff prints how long it takes inside one process from the push of a job's end to the call
// that starts the next job, which is two durable commits away, beside one such commit in the same run.
func TestEngineHandoff(t *testing.T) {
	n := size(t, "LOAD_HANDOFFS", 20) // a round
	dir := t.TempDir()
	up, down := pusher{push: make(chan []job.Observation), taken: make(chan error, 1)}, starter{still{adapters.StartSearchable}, make(chan time.Time, 1)}
	recorded := make(chan struct{}, 1)
	onStep := func(s federation.Step) {
		if s == federation.StepRecorded {
			recorded <- struct{}{}
		}
	}
	p := startWatched(t, filepath.Join(dir, "ledger.db"), onStep, []chain.Definition{handoff()}, wrap(t, up, "host-00"), wrap(t, down, "host-01"))
	defer p.stop()
	st, f := openLedger(t, filepath.Join(dir, "floor.db"))
	defer func() { _ = st.Close() }()
	e := newEstate()
	fill(t, st, f, e, 2000)
	var median, tail ratios
	var all, low []time.Duration
	for round := range rounds {
		var subject, floor []time.Duration
		for i := range n {
			up.push <- []job.Observation{head(round*n+i, job.Running)}
			taken(t, up)
			began := time.Now()
			up.push <- []job.Observation{head(round*n+i, job.Succeeded)}
			subject = append(subject, (<-down.asked).Sub(began))
			taken(t, up)
			<-recorded // nothing else is under way with the next
			b := e.batch(t, 2)
			b.Fence = f
			floor = append(floor, spent(func() {
				if _, err := st.Commit(t.Context(), &b); err != nil {
					t.Fatal(err)
				}
			}).wall)
		}
		median.add(percentile(subject, 0.5), percentile(floor, 0.5))
		tail.add(percentile(subject, 0.99), percentile(floor, 0.99))
		all, low = append(all, subject...), append(low, floor...)
	}
	t.Logf("handoff inside the process: p50 %s, p99 %s of one durable commit; p50 %v and %v, p99 %v and %v; load %s",
		median, tail, percentile(all, 0.5), percentile(low, 0.5), percentile(all, 0.99), percentile(low, 0.99), loadAverage())
}

func taken(t *testing.T, p pusher) {
	t.Helper()
	if err := <-p.taken; err != nil {
		t.Fatal(err)
	}
}

func handoff() chain.Definition {
	return chain.Definition{
		Chain: "handoff", DayCut: "00:00", Timezone: "UTC", KeepOpen: 3600, Repeat: "head",
		Nodes: []chain.Node{
			{Name: "head", Stage: chain.Watch, Job: job.Ref{Source: "host-00", Job: "head"}},
			{
				Name: "next", Stage: chain.Drive, Job: job.Ref{Source: "host-01", Job: "next"},
				After: []chain.Dependency{{Node: "head", On: chain.OnSuccess}},
			},
		},
	}
}

func wrap(t *testing.T, a adapters.Adapter, name string) *adapters.Source {
	t.Helper()
	s, err := adapters.NewSource(a, adapters.SourceOptions{Name: name, Slow: time.Hour, Node: "load"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
