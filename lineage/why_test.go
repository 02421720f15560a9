package lineage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/lineage"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// ledger is a store in memory, of which single records can be lost or altered.
type ledger struct {
	entries     []store.Entry
	runs        map[job.RunKey]job.Run
	intents     []store.Intent
	definitions map[job.Hash]chain.Definition
	instances   []chain.Instance
	fail        error
}

func newLedger() *ledger {
	return &ledger{runs: map[job.RunKey]job.Run{}, definitions: map[job.Hash]chain.Definition{}}
}

func (l *ledger) append(subject string, r job.Record, err error) job.Hash {
	if err != nil {
		r.Body = []byte(err.Error())
	}
	n := len(l.entries) + 1
	l.entries = append(l.entries, store.Entry{Seq: int64(n), At: noon.Add(time.Duration(n) * time.Second), Subject: subject, Record: r})
	return r.Hash
}

func (l *ledger) About(_ context.Context, subject string, seq int64, limit int) ([]store.Entry, error) {
	var out []store.Entry
	for _, e := range l.entries {
		if e.Subject == subject && e.Seq > seq && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, l.fail
}

func (l *ledger) ByHash(_ context.Context, h job.Hash) (store.Entry, error) {
	for _, e := range l.entries {
		if e.Hash == h {
			return e, nil
		}
	}
	return store.Entry{}, store.ErrNotFound
}

func (l *ledger) Run(_ context.Context, k job.RunKey) (job.Run, error) {
	if r, ok := l.runs[k]; ok {
		return r, nil
	}
	return job.Run{}, fmt.Errorf("read run %s: %w", k, store.ErrNotFound)
}

func (l *ledger) Intents(_ context.Context, f store.IntentFilter) ([]store.Intent, error) {
	var out []store.Intent
	for _, in := range l.intents {
		if (f.Token == "" || f.Token == in.Token) && (f.Run.IsZero() || f.Run == in.Run) {
			out = append(out, in)
		}
	}
	return out, nil
}

func (l *ledger) Definition(_ context.Context, v job.Hash) (chain.Definition, error) {
	if d, ok := l.definitions[v]; ok {
		return d, nil
	}
	return chain.Definition{}, store.ErrNotFound
}

func (l *ledger) Definitions(context.Context) ([]chain.Definition, error) {
	var out []chain.Definition
	for _, d := range l.definitions {
		out = append(out, d)
	}
	return out, nil
}

func (l *ledger) Instances(_ context.Context, f store.InstanceFilter) ([]chain.Instance, error) {
	var out []chain.Instance
	for _, in := range l.instances {
		if in.Key.Chain == f.Chain && in.Opened.Before(f.Before) && len(out) < f.Limit {
			out = append(out, in)
		}
	}
	return out, nil
}

func key(name string) job.RunKey { return job.RunKey{Source: "host", Job: name, Native: name + "-1"} }

// ended records a run that ended well; token marks one of ours.
func (l *ledger) ended(name, token string, cause job.Cause) {
	for i, s := range []job.State{job.Running, job.Succeeded} {
		o := job.Observation{
			Run: key(name), Attempt: 1, State: s, Seq: int64(i) + 1, Token: token, Cause: cause,
			Sighting: job.Sighting{Seen: noon.Add(time.Duration(i) * time.Minute)},
		}
		r, err := o.Seal()
		h := l.append(store.RunSubject(o.Run), r, err)
		l.runs[o.Run], _ = job.Merge(l.runs[o.Run], &o, h)
	}
}

// released records that a run was started because of others.
func (l *ledger) released(name string, up ...string) {
	token := "token-" + name
	version := l.define()
	rec := chain.Receipt{
		Instance: chain.Key{Chain: "night", BusinessDate: "2026-11-24"}, Node: name, Attempt: 1, Verdict: chain.Released, Token: token,
		DecidedAt: noon, Reason: strings.Join(up, " and ") + " succeeded", Version: version,
	}
	for _, u := range up {
		rec.Inputs = append(rec.Inputs, chain.Input{Node: u, On: chain.OnSuccess, Run: key(u), Evidence: l.runs[key(u)].Evidence, Value: chain.Met})
	}
	r, err := job.Seal(chain.KindReceipt, rec)
	h := l.append(store.InstanceSubject(rec.Instance), r, err)
	l.intents = append(l.intents, store.Intent{Token: token, Receipt: h, State: chain.SendConfirmed, Node: name, Key: rec.Instance})
	l.ended(name, token, job.CauseBridge)
}

func (l *ledger) define() job.Hash {
	d := chain.Definition{Chain: "night", Timezone: "UTC", DayCut: "18:00", Nodes: []chain.Node{
		{Name: "a", Job: key("a").Ref(), Stage: chain.Watch}, {Name: "b", Job: key("b").Ref(), Stage: chain.Drive},
	}}
	r, _ := d.Seal()
	l.definitions[r.Hash] = d
	return r.Hash
}

// picture draws a step and what is upstream, one run a line.
func picture(s *lineage.Step, indent string) string {
	out := fmt.Sprintf("%s%s by %s, %d seen", indent, s.Run.Key.Job, s.Origin, len(s.Observations))
	if s.MoreObservations {
		out += " and more"
	}
	for _, f := range s.Faults {
		out += "; fault: " + f
	}
	out += "\n"
	for _, in := range s.Inputs {
		mark := indent + "  " + in.Node + " " + string(in.Value)
		if in.Evidence != nil {
			mark += " by entry " + fmt.Sprint(in.Evidence.Seq)
		}
		switch {
		case in.Again:
			mark += " (again)"
		case in.More:
			mark += " (more)"
		}
		out += mark + "\n"
		if in.Step != nil {
			out += picture(in.Step, indent+"    ")
		}
	}
	return out
}

// diamond: a starts natively; b and c after a; d after both.
func diamond() *ledger {
	l := newLedger()
	l.ended("a", "", job.CauseSchedule)
	l.released("b", "a")
	l.released("c", "a")
	l.released("d", "b", "c")
	return l
}

func TestWhy(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		of     string
		make   func(*ledger)
		limits lineage.Limits
		want   string
	}{
		{name: "native", of: "a", want: "a by schedule, 2 seen\n"},
		{name: "one step", of: "b", want: `b by signalbox, 2 seen
  a met by entry 2
    a by schedule, 2 seen
`},
		{name: "a run that two depend on stands once", of: "d", want: `d by signalbox, 2 seen
  b met by entry 5
    b by signalbox, 2 seen
      a met by entry 2
        a by schedule, 2 seen
  c met by entry 8
    c by signalbox, 2 seen
      a met by entry 2 (again)
`},
		{name: "depth", of: "d", limits: lineage.Limits{Depth: 1}, want: `d by signalbox, 2 seen
  b met by entry 5
    b by signalbox, 2 seen
      a met by entry 2 (more)
  c met by entry 8
    c by signalbox, 2 seen
      a met by entry 2 (more)
`},
		{name: "runs, nearest first", of: "d", limits: lineage.Limits{Runs: 3}, want: `d by signalbox, 2 seen
  b met by entry 5
    b by signalbox, 2 seen
      a met by entry 2 (more)
  c met by entry 8
    c by signalbox, 2 seen
      a met by entry 2 (more)
`},
		{name: "observations", of: "a", limits: lineage.Limits{Observations: 1}, want: "a by schedule, 1 seen and more\n"},
		{name: "altered evidence is named", of: "b", make: func(l *ledger) {
			l.entries[1].Body = slices.Concat(l.entries[1].Body, []byte(" "))
		}, want: "b by signalbox, 2 seen; fault: the evidence for a: open record " + hashOf(diamond(), 1) + `: the bytes do not match the hash
  a met
    a by schedule, 1 seen; fault: entry 2: open record ` + hashOf(diamond(), 1) + `: the bytes do not match the hash
`},
		{name: "lost evidence is named", of: "b", make: func(l *ledger) { l.entries[1].Hash = job.Hash{1}; l.entries[1].Kind = "gone" }, want: "b by signalbox, 2 seen; fault: the evidence for a: record " + hashOf(diamond(), 1) + ` is not in the ledger
  a met
    a by schedule, 1 seen
`},
		{name: "a lost upstream run is named", of: "b", make: func(l *ledger) { delete(l.runs, key("a")) }, want: `b by signalbox, 2 seen; fault: the upstream run host/a#a-1: it is not stored
  a met by entry 2
`},
		{name: "a lost receipt is named", of: "b", make: func(l *ledger) { l.intents[0].Receipt = job.Hash{7} }, want: "b by signalbox, 2 seen; fault: the receipt of the release: record 070000000000 is not in the ledger\n"},
		{name: "a foreign token is named", of: "b", make: func(l *ledger) { l.intents = nil }, want: "b by signalbox, 2 seen; fault: the run carries token token-b, of which no start is stored: another installation may have started it\n"},
		{name: "a lost definition is named", of: "b", make: func(l *ledger) { clear(l.definitions) }, want: "b by signalbox, 2 seen; fault: the definition: version " + versionOf() + ` is not stored
  a met by entry 2
    a by schedule, 2 seen
`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := diamond()
			if c.make != nil {
				c.make(l)
			}
			got, err := lineage.Why(t.Context(), l, key(c.of), c.limits)
			if err != nil {
				t.Fatal(err)
			}
			if p := picture(got, ""); p != c.want {
				t.Errorf("got\n%s\nwant\n%s", p, c.want)
			}
		})
	}
}

func hashOf(l *ledger, i int) string { return l.entries[i].Hash.Short() }
func versionOf() string              { return newLedger().define().Short() }

// A release that names its own run, or a ring of them, must end.
func TestWhyRing(t *testing.T) {
	t.Parallel()
	l := newLedger()
	l.ended("a", "token-a", job.CauseBridge)
	l.released("b", "a")
	l.released("a", "b", "a")
	got, err := lineage.Why(t.Context(), l, key("a"), lineage.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p := picture(got, ""); strings.Count(p, "(again)") != 2 {
		t.Errorf("the ring is not cut where it closes:\n%s", p)
	}
}

func TestWhyErrors(t *testing.T) {
	t.Parallel()
	if _, err := lineage.Why(t.Context(), newLedger(), key("a"), lineage.Limits{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown run: %v, want not found", err)
	}
	l := diamond()
	l.fail = errors.New("disk on fire")
	if _, err := lineage.Why(t.Context(), l, key("d"), lineage.Limits{}); !errors.Is(err, l.fail) {
		t.Errorf("a broken store: %v, want its error", err)
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	for cause, want := range map[job.Cause]lineage.Origin{
		job.CauseSchedule: lineage.BySchedule, job.CauseManual: lineage.ByPerson, job.CauseUnknown: lineage.ByUnknown, job.CauseBridge: lineage.ByUnknown,
	} {
		l := newLedger()
		l.ended("a", "", cause)
		got, err := lineage.Why(t.Context(), l, key("a"), lineage.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Origin != want || got.Sentence == "" {
			t.Errorf("cause %q: %s (%s), want %s", cause, got.Origin, got.Sentence, want)
		}
	}
}

// Long histories are read in pages; the latest observations stay.
func TestWhyManyObservations(t *testing.T) {
	t.Parallel()
	l := newLedger()
	for i := range 1234 {
		o := job.Observation{Run: key("a"), Attempt: 1, State: job.Running, Seq: int64(i) + 1, Sighting: job.Sighting{Seen: noon}}
		r, err := o.Seal()
		h := l.append(store.RunSubject(o.Run), r, err)
		l.runs[o.Run], _ = job.Merge(l.runs[o.Run], &o, h)
	}
	got, err := lineage.Why(t.Context(), l, key("a"), lineage.Limits{Observations: 10})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Observations); n != 10 || !got.MoreObservations || got.Observations[9].Seq != 1234 {
		t.Errorf("%d observations, more %t, last %d", n, got.MoreObservations, got.Observations[n-1].Seq)
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	l := diamond()
	k := chain.Key{Chain: "night", BusinessDate: "2026-11-24"}
	a := l.runs[key("a")]
	l.instances = []chain.Instance{
		{Key: chain.Key{Chain: "night", BusinessDate: "2026-11-25"}, Opened: noon, Nodes: []chain.NodeState{{Name: "a"}, {Name: "b"}}},
		{Key: k, Opened: noon.Add(-time.Hour), Nodes: []chain.NodeState{{Name: "a", Run: &a}, {Name: "b"}}},
	}
	for _, v := range []chain.Verdict{chain.Opened, chain.Overlapped, chain.InOrder} {
		r, err := job.Seal(chain.KindReceipt, chain.Receipt{Instance: k, Node: "a", Verdict: v, DecidedAt: noon, Reason: string(v), Cause: chain.Cause{Clock: true}})
		l.append(store.InstanceSubject(k), r, err)
	}
	got, err := lineage.Uses(t.Context(), l, &a)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Key != k || got[0].Node != "a" || got[0].Stage != chain.Watch {
		t.Fatalf("uses: %+v", got)
	}
	if j := got[0].Judged; j == nil || j.Receipt.Verdict != chain.InOrder {
		t.Errorf("judged: %+v, want the last judgement", j)
	}
	stranger := l.runs[key("d")]
	if got, err := lineage.Uses(t.Context(), l, &stranger); err != nil || len(got) != 0 {
		t.Errorf("a run that no chain names: %v, %v", got, err)
	}
}
