package chain

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// shell does around Decide what an engine does: it owns the state, merges observations into runs, keeps
// what a store would keep, and checks after every event what must hold after every event.
type shell struct {
	t      testing.TB
	now    time.Time
	state  *State
	timers []Timer
	runs   map[job.RunKey]job.Run
	disk   disk

	given    map[string]Intent // by token
	receipts []Receipt
	careful  bool // check everything that must hold after every event, at some cost
}

const site = "test-site"

// disk is what a store keeps, and what survives a restart.
type disk struct {
	versions  []Definition // in the order in which they came into force
	current   map[string]time.Time
	instances map[Key]Instance
	closed    map[Key]bool
	contacts  map[string]Contact
}

func newShell(tb testing.TB, now time.Time) *shell {
	tb.Helper()
	return &shell{
		t: tb, now: now, state: NewState(site), runs: map[job.RunKey]job.Run{}, given: map[string]Intent{}, careful: true,
		disk: disk{
			current: map[string]time.Time{}, instances: map[Key]Instance{}, closed: map[Key]bool{}, contacts: map[string]Contact{},
		},
	}
}

// feed decides, checks and applies.
func (s *shell) feed(ev Event) Outcome {
	s.t.Helper()
	before := ""
	if s.careful {
		before = snapshot(s.state)
	}
	out, err := Decide(s.state, ev, s.now)
	if err != nil {
		s.t.Fatalf("decide %T: %v", ev, err)
	}
	if s.careful {
		s.pure(ev, before, &out)
	}
	if err := s.state.Apply(&out); err != nil {
		s.t.Fatalf("apply the outcome of %T: %v", ev, err)
	}
	s.keep(&out)
	if s.careful {
		s.check()
	}
	return out
}

// pure checks that Decide changed nothing, and that the same arguments give the same outcome.
func (s *shell) pure(ev Event, before string, out *Outcome) {
	s.t.Helper()
	if after := snapshot(s.state); after != before {
		s.t.Fatalf("Decide changed the state that it was given\nevent: %+v\nbefore: %s\nafter:  %s", ev, before, after)
	}
	again, err := Decide(s.state, ev, s.now)
	if err != nil {
		s.t.Fatalf("decide again %T: %v", ev, err)
	}
	if a, b := outcomeText(s.t, out), outcomeText(s.t, &again); a != b {
		s.t.Fatalf("the same arguments gave two outcomes\nevent: %+v\nfirst:  %s\nsecond: %s", ev, a, b)
	}
}

func outcomeText(tb testing.TB, o *Outcome) string {
	tb.Helper()
	c := *o
	c.activated = time.Time{}
	return marshal(tb, c)
}

func marshal(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// keep writes an outcome to the disk, and remembers what was promised to the outside.
func (s *shell) keep(o *Outcome) {
	s.t.Helper()
	for _, def := range o.Defined {
		if _, ok := s.disk.current[def.Chain]; !ok {
			s.disk.current[def.Chain] = o.activated
		}
		s.disk.versions = append(s.disk.versions, def)
	}
	for _, name := range o.Retired {
		delete(s.disk.current, name)
	}
	for _, in := range o.Opened {
		in.Nodes = slices.Clone(in.Nodes)
		if _, twice := s.disk.instances[in.Key]; twice || s.disk.closed[in.Key] {
			s.t.Fatalf("instance %s opened twice", in.Key)
		}
		s.disk.instances[in.Key] = in
	}
	for _, c := range o.Changed {
		s.disk.instances[c.Key].Nodes[c.Index] = c.State
	}
	for _, e := range o.Closed {
		delete(s.disk.instances, e.Key)
		if s.disk.closed[e.Key] {
			s.t.Fatalf("instance %s closed twice", e.Key)
		}
		s.disk.closed[e.Key] = true
	}
	for _, c := range o.Contacts {
		s.disk.contacts[c.Source] = c
	}
	for _, in := range o.Intents {
		if old, twice := s.given[in.Token]; twice {
			s.t.Fatalf("token %s was given twice: to %+v and to %+v", in.Token, old, in)
		}
		s.given[in.Token] = in
		if r := o.Receipts[in.Receipt]; r.Token != in.Token || r.Verdict != Released || r.Node != in.Node {
			s.t.Fatalf("intent %+v names a receipt that is not its own: %+v", in, r)
		}
	}
	s.receipts = append(s.receipts, o.Receipts...)
	s.timers = append(s.timers, o.Timers...)
}

// check is what must hold after every event: the derived numbers are right, a restart would find the
// same state, and evaluating everything again finds nothing to decide that a clock has not brought.
func (s *shell) check() {
	s.t.Helper()
	recount(s.t, s.state)
	if a, b := snapshot(s.state), snapshot(s.restored()); a != b {
		s.t.Fatalf("a restart would find another state\nlive:     %s\nrestored: %s", a, b)
	}
	for _, k := range s.state.Open() {
		if ex := Explain(s.state, k, s.now); len(ex) == 0 {
			s.t.Fatalf("instance %s is open and has no explanation", k)
		}
	}
}

// settled checks that everything was decided that can be decided now.
func (s *shell) settled() {
	s.t.Helper()
	out, err := Decide(s.state, Recheck{}, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(out.Receipts)+len(out.Intents)+len(out.Changed)+len(out.Closed)+len(out.Opened)+len(out.Moves) > 0 {
		s.t.Fatalf("evaluating everything again found something that was missed: %s", outcomeText(s.t, &out))
	}
}

// restored builds a state from the disk, through the bytes that a store would keep.
func (s *shell) restored() *State {
	s.t.Helper()
	r := Restore{Versions: slices.Clone(s.disk.versions), Current: maps.Clone(s.disk.current)}
	for _, k := range slices.SortedFunc(maps.Keys(s.disk.instances), compareKeys) {
		var in Instance
		if err := json.Unmarshal([]byte(marshal(s.t, s.disk.instances[k])), &in); err != nil {
			s.t.Fatal(err)
		}
		r.Instances = append(r.Instances, in)
	}
	r.Closed = slices.SortedFunc(maps.Keys(s.disk.closed), compareKeys)
	for _, name := range slices.Sorted(maps.Keys(s.disk.contacts)) {
		r.Contacts = append(r.Contacts, s.disk.contacts[name])
	}
	st, err := Restored(site, r)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// restart throws away what is in memory.
func (s *shell) restart() Outcome {
	s.t.Helper()
	s.state = s.restored()
	s.timers = s.state.Timers(s.now)
	return s.feed(Recheck{})
}

// due takes out the next timer that is due, if any.
func (s *shell) due(until time.Time) (Timer, bool) {
	if len(s.timers) == 0 {
		return Timer{}, false
	}
	slices.SortStableFunc(s.timers, compareTimers)
	next := s.timers[0]
	if next.At.After(until) {
		return Timer{}, false
	}
	s.timers = s.timers[1:]
	return next, true
}

func compareTimers(a, b Timer) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	if c := compareKeys(a.Key, b.Key); c != 0 {
		return c
	}
	return a.Node - b.Node
}

func (s *shell) merge(o job.Observation) (job.Run, job.Hash) {
	s.t.Helper()
	if err := o.Check(); err != nil {
		s.t.Fatalf("an observation that no source may report: %v", err)
	}
	rec, err := o.Seal()
	if err != nil {
		s.t.Fatal(err)
	}
	merged, _ := job.Merge(s.runs[o.Run], &o, rec.Hash)
	s.runs[o.Run] = merged
	return merged, rec.Hash
}

func (s *shell) seal(kind string, v any) job.Hash {
	s.t.Helper()
	rec, err := job.Seal(kind, v)
	if err != nil {
		s.t.Fatal(err)
	}
	return rec.Hash
}
