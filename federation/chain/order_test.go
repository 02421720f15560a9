package chain

import (
	"testing"
	"time"

	"signalbox/adapters/job"
)

// TestSupersedes checks that of any two runs exactly one stands, whichever is seen first.
func TestSupersedes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	ahead := int64(7 * 60 * 1000)
	run := func(native string, planned, started job.Moment, offset *int64) *job.Run {
		o := job.Observation{Run: job.RunKey{Source: "h", Job: "j", Native: native}, Sighting: job.Sighting{OffsetMS: offset}}
		return &job.Run{Key: o.Run, Latest: o, Planned: planned, Started: started}
	}
	none := job.Moment{}
	runs := []*job.Run{ // in the order in which they began
		run("never began", none, none, nil),
		run("clock ahead", none, job.At(at.Add(5*time.Minute)), &ahead),
		run("a", none, job.At(at), nil),
		run("b", none, job.At(at), nil),
		run("c", job.At(at), job.At(at.Add(time.Hour)), nil),
		run("late", none, job.At(at.Add(time.Minute)), nil),
	}
	for i, a := range runs {
		if !supersedes(a, nil) {
			t.Errorf("%s does not stand where nothing is", a.Key.Native)
		}
		for j, b := range runs {
			if got := supersedes(a, b); got != (i > j) {
				t.Errorf("%s stands before %s: %v", a.Key.Native, b.Key.Native, got)
			}
		}
	}
}

// TestOrderAfterRestart checks that chains are decided about in one order, in whatever order they came to be
// known and their nodes were touched: a restart must not change the order of receipts.
func TestOrderAfterRestart(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	chains := []string{"m", "z", "a"}
	order := func(o *Outcome) (s string) {
		for _, r := range o.Receipts {
			s += r.Instance.Chain
		}
		return s
	}
	p := newShell(t, now)
	for _, name := range chains {
		def := parseDefinition(t, name, []string{"  up = h/up, watch", "  down = h/" + name + ", drive, after up"})
		p.feed(Defined{Definition: def})
	}
	o := job.Observation{
		Run: job.RunKey{Source: "h", Job: "up", Native: "1"}, Attempt: 1, State: job.Failed, Started: job.At(now), Sighting: job.Sighting{Seen: now},
	}
	first, hash := p.merge(o)
	p.feed(Observed{Run: first, Record: hash})
	// A person touches the node of the first chain, so that it was linked to the run last.
	c := Command{Actor: "ops", At: now, Instance: Key{Chain: "a", BusinessDate: "2026-11-22"}, Node: "up", Reason: "why", Verb: MarkOK}
	p.feed(Commanded{Command: c})
	o.Attempt, o.State = 2, job.Succeeded
	second, hash := p.merge(o)
	ev := Observed{Run: second, Record: hash}

	restarted := p.restored()
	live, err := Decide(p.state, ev, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decide(restarted, ev, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := order(&live); got != "mz" || order(&again) != got || outcomeText(t, &live) != outcomeText(t, &again) {
		t.Errorf("live %q, after a restart %q, want mz", got, order(&again))
	}

	r := Restore{Current: p.disk.current, Versions: []Definition{p.disk.versions[2], p.disk.versions[1], p.disk.versions[0]}}
	fresh, err := Restored(site, r)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Decide(fresh, Recheck{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Apply(&opened); err != nil {
		t.Fatal(err)
	}
	if out, err := Decide(fresh, ev, now); err != nil || order(&out) != "amz" {
		t.Errorf("chains known in another order are decided about in the order %q, want amz (%v)", order(&out), err)
	}
}
