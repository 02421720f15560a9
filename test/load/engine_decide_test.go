package load

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// TestDecisions prints how many decisions a second the engine makes, durably, when one end releases 1, 10,
// 100 or 1,000 jobs: what one decision costs must not grow with their number. One in stage rehearse is
// a whole decision without the start that follows it.
func TestDecisions(t *testing.T) {
	budget := size(t, "LOAD_DECISIONS", 1000) // for each fan-out
	for _, fan := range []int{1, 10, 100, 1000} {
		p := startPlant(t, filepath.Join(t.TempDir(), "ledger.db"), []chain.Definition{fanOut(fan)}, stillSources(t, 1)...)
		ends := max(1, budget/fan)
		var all []job.Observation
		for i := range ends {
			all = append(all, head(i, job.Running))
		}
		p.take(all, "begun")
		for i := range all {
			all[i] = head(i, job.Succeeded)
		}
		c := spent(func() {
			for i := range all {
				p.take(all[i:i+1], fmt.Sprint(i))
			}
		})
		n := time.Duration(ends * fan)
		t.Logf("fan-out %d: %.0f decisions/s, %v CPU each, %v an end; load %s",
			fan, float64(n)/c.wall.Seconds(), c.cpu/n, c.wall/time.Duration(ends), loadAverage())
		p.rehearsed(ends * fan)
		p.stop()
	}
}

// fanOut is a chain of one job that many others wait for.
func fanOut(n int) chain.Definition {
	d := chain.Definition{Chain: "fan", DayCut: "00:00", Timezone: "UTC", KeepOpen: 3600, Repeat: "head"}
	d.Nodes = []chain.Node{{Name: "head", Stage: chain.Watch, Job: job.Ref{Source: "host-00", Job: "head"}}}
	for i := range n {
		name := fmt.Sprintf("n%04d", i)
		d.Nodes = append(d.Nodes, chain.Node{
			Name: name, Stage: chain.Rehearse, Job: job.Ref{Source: "host-00", Job: name},
			After: []chain.Dependency{{Node: "head", On: chain.OnSuccess}},
		})
	}
	return d
}

func head(i int, state job.State) job.Observation {
	now := time.Now().UTC().Round(0)
	return job.Observation{
		Run:     job.RunKey{Source: "host-00", Job: "head", Native: fmt.Sprint(i)},
		Attempt: 1, State: state, Started: job.At(now), Cause: job.CauseSchedule, Sighting: job.Sighting{Node: "load", Seen: now},
	}
}

// rehearsed demands that so many decisions stand in the ledger.
func (p *plant) rehearsed(want int) {
	p.t.Helper()
	got := 0
	for seq := int64(0); ; {
		page, err := p.st.After(p.t.Context(), seq, 1000)
		if err != nil {
			p.t.Fatal(err)
		}
		for i := range page {
			seq = page[i].Seq
			var r chain.Receipt
			if page[i].Kind == chain.KindReceipt && page[i].Open(chain.KindReceipt, &r) == nil && r.Verdict == chain.Rehearsed {
				got++
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	if got != want {
		p.t.Errorf("%d decisions in the ledger; want %d", got, want)
	}
}
