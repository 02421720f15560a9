package chain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"signalbox/adapters/job"
)

// State is everything that [Decide] looks at: definitions, open instances, and which sources are out of
// sight. It is not safe for concurrent use; one goroutine owns it.
type State struct {
	site     string
	plans    map[job.Hash]*plan
	inForce  map[string]force // current version by chain
	live     map[Key]*live
	closed   map[Key]bool       // recently: what must not open again
	heads    map[string]bool    // head runs that opened an instance, closed ones included: see Key.head
	sight    map[string]Contact // last heard of each source
	byToken  map[string]place
	byRun    map[job.RunKey][]place
	watchers map[job.Ref][]watcher // of every plan
	cycles   map[string][]Key      // open instances of repeating chains, oldest first
	waits    map[string]int        // by source: runs there that a chain waits for
	turned   map[string]bool       // sources for which that began or ended

	expected map[string]map[place]bool // by source: watched nodes of open instances that may be given up
}

type force struct {
	version   job.Hash
	activated time.Time
}

// live is an open instance.
type live struct {
	*Instance
	plan    *plan
	windows []span
	left    int // nodes that keep it open
}

// place is a node of an instance.
type place struct {
	key   Key
	index int
}

// watcher is a node of some plan that binds natively started runs of a job.
type watcher struct {
	plan  *plan
	index int
}

// NewState gives an empty state. Site is the random name of this installation; tokens are derived from
// it, so that two installations that start jobs on one host never share a token.
func NewState(site string) *State {
	return &State{
		site: site, plans: map[job.Hash]*plan{}, inForce: map[string]force{}, live: map[Key]*live{}, closed: map[Key]bool{}, heads: map[string]bool{},
		sight: map[string]Contact{}, byToken: map[string]place{}, byRun: map[job.RunKey][]place{},
		watchers: map[job.Ref][]watcher{}, cycles: map[string][]Key{}, waits: map[string]int{}, turned: map[string]bool{},
		expected: map[string]map[place]bool{},
	}
}

// Restore takes up what was stored: for use before the first event only.
type Restore struct {
	Versions  []Definition         // every version that is current or that an open instance has
	Current   map[string]time.Time // chains in service, and since when
	Instances []Instance           // open ones
	Closed    []Key                // of the last [CatchUp]
	Contacts  []Contact            // last heard of each source
}

// Restored builds a state from what was stored. Versions of one chain must stand in the order in
// which they came into force.
func Restored(site string, r Restore) (*State, error) {
	s := NewState(site)
	for i := range r.Versions {
		def := r.Versions[i]
		p, err := s.addPlan(def)
		if err != nil {
			return nil, err
		}
		if since, ok := r.Current[def.Chain]; ok {
			s.inForce[def.Chain] = force{p.version, since}
		}
	}
	for i := range r.Instances {
		if s.plans[r.Instances[i].Version] == nil {
			return nil, fmt.Errorf("restore %s: its definition %s is missing", r.Instances[i].Key, r.Instances[i].Version.Short())
		}
		s.open(r.Instances[i])
	}
	for _, k := range r.Closed {
		s.closed[k] = true
		if k.Cycle != "" {
			s.heads[k.head()] = true
		}
	}
	for _, c := range r.Contacts {
		s.see(c)
	}
	return s, nil
}

// Instance gives an open instance. The caller must not change it.
func (s *State) Instance(k Key) (*Instance, bool) {
	if l, ok := s.live[k]; ok {
		return l.Instance, true
	}
	return nil, false
}

// Open gives the keys of the open instances, sorted.
func (s *State) Open() []Key {
	keys := make([]Key, 0, len(s.live))
	for k := range s.live {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// Current gives the definitions in force, sorted by chain.
func (s *State) Current() []Definition {
	defs := make([]Definition, 0, len(s.inForce))
	for _, f := range s.inForce {
		defs = append(defs, s.plans[f.version].def)
	}
	slices.SortFunc(defs, func(a, b Definition) int { return cmp.Compare(a.Chain, b.Chain) })
	return defs
}

// Awaited tells whether a chain waits for a run at the source: it should be polled often.
func (s *State) Awaited(source string) bool { return s.waits[source] > 0 }

// Turned gives the sources for which [State.Awaited] may have changed since the last call, in no order.
// It spares a walk over all sources after each event.
func (s *State) Turned() []string {
	if len(s.turned) == 0 {
		return nil
	}
	out := slices.Collect(maps.Keys(s.turned))
	clear(s.turned)
	return out
}

// Place tells which node a token was given to, while its instance is open.
func (s *State) Place(token string) (Key, int, bool) {
	p, ok := s.byToken[token]
	return p.key, p.index, ok
}

// Timers gives every timer that the present state needs, in no order: for use after [Restored]. Later
// ones come with each [Outcome].
func (s *State) Timers(now time.Time) []Timer {
	var out []Timer
	for _, l := range s.live {
		out = append(out, l.timers()...)
	}
	for _, c := range s.sight {
		if !c.Blind {
			out = append(out, s.lateTimers(c, now)...)
		}
	}
	for _, f := range s.inForce {
		if t, ok := s.plans[f.version].nextDate(now); ok {
			out = append(out, t)
		}
	}
	return out
}

// All gives a timer for everything that a clock could decide about, due now or not, in a fixed order: for
// the time after a restart, when a wake-up may have been lost. Feeding each to [Decide] changes nothing
// that was decided already.
func (s *State) All(now time.Time) []Timer {
	var out []Timer
	for _, def := range s.Current() {
		if _, ok := s.plans[s.inForce[def.Chain].version].nextDate(now); ok {
			out = append(out, Timer{At: now, Chain: def.Chain})
		}
	}
	for _, k := range s.Open() {
		out = append(out, Timer{At: now, Key: k, Node: -1})
		for i := range s.live[k].Nodes {
			out = append(out, Timer{At: now, Key: k, Node: i})
		}
	}
	return out
}

// Apply makes an outcome of [Decide] come true. Its cost grows with the outcome, not with the state.
func (s *State) Apply(o *Outcome) error {
	for i := range o.Defined {
		p, err := s.addPlan(o.Defined[i])
		if err != nil {
			return err
		}
		f, had := s.inForce[o.Defined[i].Chain]
		if !had {
			f.activated = o.activated
		}
		f.version = p.version
		s.inForce[o.Defined[i].Chain] = f
	}
	for _, name := range o.Retired {
		delete(s.inForce, name)
	}
	for i := range o.Opened {
		s.open(o.Opened[i])
	}
	for i := range o.Changed {
		s.change(&o.Changed[i])
	}
	for i := range o.Closed {
		s.close(o.Closed[i].Key)
	}
	for _, c := range o.Contacts {
		s.see(c)
	}
	return nil
}

func (s *State) addPlan(def Definition) (*plan, error) {
	rec, err := def.Seal()
	if err != nil {
		return nil, err
	}
	if p, ok := s.plans[rec.Hash]; ok {
		return p, nil
	}
	p, err := compile(def, rec.Hash)
	if err != nil {
		return nil, err
	}
	s.plans[p.version] = p
	for i := range def.Nodes {
		if ref := def.Nodes[i].Job; def.Nodes[i].Stage != Drive {
			s.watchers[ref] = append(s.watchers[ref], watcher{p, i})
			slices.SortFunc(s.watchers[ref], compareWatchers)
		}
	}
	return p, nil
}

func (s *State) open(in Instance) {
	in.Nodes = slices.Clone(in.Nodes)
	p := s.plans[in.Version]
	l := &live{Instance: &in, plan: p, windows: p.windows(&in)}
	s.live[in.Key] = l
	for i := range l.Nodes {
		s.count(l, i, 1)
		s.link(place{in.Key, i}, &l.Nodes[i])
		s.expect(l, i)
	}
	if in.Key.Cycle != "" {
		s.heads[in.Key.head()] = true
		keys := s.cycles[in.Key.Chain]
		i, _ := slices.BinarySearchFunc(keys, in.Key, compareKeys)
		s.cycles[in.Key.Chain] = slices.Insert(keys, i, in.Key)
	}
}

func (s *State) change(c *Change) {
	l, ok := s.live[c.Key]
	if !ok {
		return
	}
	p := place{c.Key, c.Index}
	s.count(l, c.Index, -1)
	s.unlink(p, &l.Nodes[c.Index])
	l.Nodes[c.Index] = c.State
	s.link(p, &l.Nodes[c.Index])
	s.count(l, c.Index, 1)
}

func (s *State) close(k Key) {
	l, ok := s.live[k]
	if !ok {
		return
	}
	for i := range l.Nodes {
		s.count(l, i, -1)
		s.unlink(place{k, i}, &l.Nodes[i])
		delete(s.expected[l.plan.def.Nodes[i].Job.Source], place{k, i})
	}
	delete(s.live, k)
	s.closed[k] = true
	if k.Cycle != "" {
		keys := s.cycles[k.Chain]
		if i, ok := slices.BinarySearchFunc(keys, k, compareKeys); ok {
			s.cycles[k.Chain] = slices.Delete(keys, i, i+1)
		}
	}
}

// expect notes a node that its source should start before a time.
func (s *State) expect(l *live, index int) {
	node := &l.plan.def.Nodes[index]
	if node.Stage == Drive || l.windows[index].giveUp.IsZero() {
		return
	}
	if s.expected[node.Job.Source] == nil {
		s.expected[node.Job.Source] = map[place]bool{}
	}
	s.expected[node.Job.Source][place{l.Key, index}] = true
}

// count keeps the derived numbers that spare a walk over all nodes.
func (s *State) count(l *live, index, by int) {
	n := &l.Nodes[index]
	if !n.final() {
		l.left += by
	}
	if n.awaited() {
		source := l.plan.def.Nodes[index].Job.Source
		before := s.Awaited(source)
		if s.waits[source] += by; s.waits[source] == 0 {
			delete(s.waits, source)
		}
		if s.Awaited(source) != before {
			s.turned[source] = true
		}
	}
}

func (s *State) link(p place, n *NodeState) {
	if n.Token != "" {
		s.byToken[n.Token] = p
	}
	if k := n.bound(); !k.IsZero() {
		s.byRun[k] = append(s.byRun[k], p)
	}
}

func (s *State) unlink(p place, n *NodeState) {
	if n.Token != "" && s.byToken[n.Token] == p {
		delete(s.byToken, n.Token)
	}
	k := n.bound()
	if k.IsZero() {
		return
	}
	if rest := slices.DeleteFunc(s.byRun[k], func(o place) bool { return o == p }); len(rest) > 0 {
		s.byRun[k] = rest
	} else {
		delete(s.byRun, k)
	}
}

// bound names the run that belongs to the node: seen, or named by its source when it accepted the start.
func (n *NodeState) bound() job.RunKey {
	if n.Run != nil {
		return n.Run.Key
	}
	return n.Answer
}

func (s *State) see(c Contact) { s.sight[c.Source] = c }

// unseen tells since when nothing that the source should have started can be missed: it is out of sight,
// or what happened meanwhile is still being read; until is when that is over, zero while it is blind.
func (s *State) unseen(source string, now time.Time) (until time.Time, unseen bool) {
	c, ok := s.sight[source]
	if !ok || c.Blind {
		return time.Time{}, ok
	}
	until = c.At.Add(settleAfterSight)
	return until, now.Before(until)
}

// lateTimers gives the timers at which watched nodes of a source are looked at whose time passed while it
// was out of sight.
func (s *State) lateTimers(c Contact, now time.Time) []Timer {
	at := c.At.Add(settleAfterSight)
	if at.Before(now) {
		return nil
	}
	var out []Timer
	for _, p := range slices.SortedFunc(maps.Keys(s.expected[c.Source]), comparePlaces) {
		l := s.live[p.key]
		if l.windows[p.index].passed(at) && l.Nodes[p.index].undecided(l.plan.def.Nodes[p.index].Stage) {
			out = append(out, Timer{At: at, Key: p.key, Node: p.index})
		}
	}
	return out
}

// Forget drops what is too old to matter: keys closed for chains' cycles before the limit. It bounds
// memory; see [CatchUp].
func (s *State) Forget(before time.Time) {
	limit := before.UTC().Format(cycleFormat)
	date := before.UTC().AddDate(0, 0, -2).Format(time.DateOnly)
	for k := range s.closed {
		if (k.Cycle != "" && k.Cycle < limit) || (k.Cycle == "" && k.BusinessDate < date) {
			delete(s.closed, k)
			delete(s.heads, k.head())
		}
	}
}

// final tells whether the node lets its instance close: good, or left out on purpose. Anything bad or
// unclear keeps it open for a person, until keep_open.
func (n *NodeState) final() bool {
	switch n.Settled {
	case SettledSkipped, SettledOK, SettledNotNeeded:
		return true
	case SettledGaveUp:
		return false
	}
	return n.Run != nil && n.Run.Terminal() && (n.Run.State().Good() || n.Run.State() == job.Skipped)
}

// awaited tells whether something is expected from the source soon.
func (n *NodeState) awaited() bool {
	if n.Settled != "" {
		return false
	}
	if n.Run != nil {
		return !n.Run.Terminal()
	}
	return n.Send == SendPending || n.Send == SendSent || n.Send == SendConfirmed
}

func (l *live) timers() []Timer {
	out := []Timer{{At: l.Opened.Add(l.plan.def.KeepOpen.Duration()), Key: l.Key, Node: -1}}
	for i, w := range l.windows {
		if !w.notBefore.IsZero() {
			out = append(out, Timer{At: w.notBefore, Key: l.Key, Node: i})
		}
		if !w.giveUp.IsZero() {
			out = append(out, Timer{At: w.giveUp, Key: l.Key, Node: i})
		}
	}
	return out
}

// nextDate gives the timer that opens the next business date of a chain that does not repeat.
func (p *plan) nextDate(now time.Time) (Timer, bool) {
	if p.def.Repeat != "" {
		return Timer{}, false
	}
	_, until := p.days.span(p.days.date(now))
	return Timer{At: until, Chain: p.def.Chain}, true
}
