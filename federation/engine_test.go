package federation_test

import (
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

func TestChainAcrossTwoSources(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.start()
	b.a.native("extract", "r1", job.Running, time.Now())
	b.wait("the instance opens", func() bool { return len(b.instances()) == 1 })
	if all, _ := b.b.runs(); all != 0 {
		t.Fatal("load began before extract had ended")
	}
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("the instance closes", b.closed)
	if all, most := b.b.runs(); all != 2 || most != 1 {
		t.Fatalf("%d runs, %d by one token; want 2, each by its own", all, most)
	}
	b.prove(4)
}

func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, adapters.StartSearchable)
	b.b.finish = false
	b.start()
	b.a.native("extract", "r1", job.Succeeded, time.Now())
	b.wait("load runs", func() bool { all, _ := b.b.runs(); return all == 1 })
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b.b.set(func(p *peer) {
		o := p.log[len(p.log)-1]
		o.State = job.Succeeded
		p.add(o)
		p.finish = true
	})
	b.start()
	b.wait("the instance closes", b.closed)
	if all, most := b.b.runs(); all != 2 || most != 1 {
		t.Fatalf("%d runs, %d by one token; want 2, each by its own", all, most)
	}
	b.prove(4)
}
