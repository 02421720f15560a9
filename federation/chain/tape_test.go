package chain

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// tape turns bytes into events, sensible ones and nonsense. A fuzzer writes tapes, and so does a random
// number generator. The end of the tape reads as zeroes.
type tape struct {
	*shell
	bytes  []byte
	jobs   []job.Ref
	names  []string // of nodes
	sample int      // every how many events everything is checked
}

func (p *tape) next(n int) int {
	if len(p.bytes) == 0 {
		return 0
	}
	b := p.bytes[0]
	p.bytes = p.bytes[1:]
	return int(b) % n
}

func (p *tape) chance(oneIn int) bool { return p.next(oneIn) == oneIn-1 }

func oneOf[T any](p *tape, of ...T) T { return of[p.next(len(of))] }

var tapeDefinitions = []string{
	`close keep_open=30h
  extract = ha/extract, watch
  load = hb/load, drive, after extract, not_before 02:00, give_up_at 05:00
  alarm = hb/alarm, drive, after load:failure
  report = hc/report, rehearse, after load alarm:any, give_up_at 06:00
  audit = hc/audit, watch, after extract:any, give_up_at 04:00`,
	`close keep_open=50h
  extract = ha/extract, watch
  load = hb/load, drive, after extract
  alarm = hb/alarm, watch, after load:failure
  report = hc/report, drive, after load, give_up_after 3h`,
	`sync keep_open=3h repeat=pull
  pull = ha/extract, watch
  check = hc/audit, watch, after pull
  push = hb/push, drive, after pull check:any, give_up_after 1h`,
	`sync keep_open=1h
  push = hb/push, drive`,
}

func newTape(tb testing.TB, bytes []byte) *tape {
	tb.Helper()
	p := &tape{shell: newShell(tb, time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)), bytes: bytes, sample: 10}
	for i := range tapeDefinitions {
		for _, n := range p.definition(i).Nodes {
			p.jobs, p.names = append(p.jobs, n.Job), append(p.names, n.Name)
		}
	}
	p.fed(Defined{Definition: p.definition(0), Record: p.seal(KindDefinition, p.definition(0))})
	p.fed(Defined{Definition: p.definition(2), Record: p.seal(KindDefinition, p.definition(2))})
	return p
}

func (p *tape) definition(i int) Definition {
	p.t.Helper()
	lines := strings.Split(tapeDefinitions[i], "\n")
	return parseDefinition(p.t, lines[0], lines[1:])
}

// play reads the tape to its end, or for so many events.
func (p *tape) play(events int) {
	p.t.Helper()
	for i := 0; i < events && len(p.bytes) > 0; i++ {
		p.careful = i%p.sample == 0
		p.event()
	}
}

// fed feeds an event, and checks every start that follows.
func (p *tape) fed(ev Event) {
	p.t.Helper()
	out := p.feed(ev)
	for _, in := range out.Intents {
		if c, ok := ev.(Commanded); !ok || c.Command.Verb != Force || c.Command.Node != in.Node {
			p.right(in)
		}
	}
	p.settled()
}

// right checks by a table of its own that a start was right.
func (p *tape) right(in Intent) {
	p.t.Helper()
	l := p.state.live[in.Key]
	node, ok := l.plan.def.Node(in.Node)
	state := l.Nodes[l.plan.index[in.Node]]
	if !ok || node.Stage != Drive || state.Held || state.Settled != "" || state.Run != nil || state.Attempt != in.Attempt {
		p.t.Fatalf("%+v must not start: %+v", in, state)
	}
	if midnight, err := time.Parse(time.DateOnly, in.Key.BusinessDate); err != nil ||
		clock(node.NotBefore, midnight, midnight).After(p.now) || !clock(node.GiveUpAt, midnight, p.now.Add(1)).After(p.now) {
		p.t.Fatalf("%+v must not start at %s: its window is %q to %q", in, p.now, node.NotBefore, node.GiveUpAt)
	}
	for _, dep := range node.After {
		if up := l.Nodes[l.plan.index[dep.Node]]; !meets(&up, dep.On) {
			p.t.Fatalf("%+v must not start: %s on %s is not met: %+v", in, dep.Node, dep.On, up)
		}
	}
}

func clock(hhmm string, midnight, none time.Time) time.Time {
	c, err := time.Parse("15:04", hhmm)
	if err != nil {
		return none
	}
	return midnight.Add(time.Duration(c.Hour())*time.Hour + time.Duration(c.Minute())*time.Minute)
}

func meets(up *NodeState, on On) bool {
	switch {
	case up.Settled == SettledGaveUp:
		return on != OnSuccess
	case up.Settled != "":
		return on != OnFailure && up.Settled != SettledNotNeeded
	case up.Run == nil:
		return false
	}
	o := up.Run.Latest
	if o.Releases != nil && !*o.Releases {
		return false
	}
	switch string(o.State) {
	case "succeeded", "warned":
		return on != OnFailure
	case "failed", "cancelled", "missed":
		return on != OnSuccess
	case "skipped":
		return on == OnAny || on == OnSuccess && o.Releases != nil
	case "unknown":
		return on == OnAny && o.Over
	}
	return false
}

func (p *tape) event() {
	p.t.Helper()
	switch p.next(16) {
	case 0, 1:
		p.pass(time.Duration(p.next(200)) * time.Minute)
	case 2: // nobody fires the timers
		p.now = p.now.Add(time.Duration(p.next(120)) * time.Minute)
		p.fed(Recheck{})
	case 3, 4, 5, 6, 7, 8:
		p.observation()
	case 9, 10:
		e := Effect{At: p.now, Token: p.token(), Note: oneOf(p, "", "note"), Send: oneOf[Send](p,
			SendSent, SendConfirmed, SendConfirmed, SendPending, SendRefused, SendInDoubt, "", "nonsense")}
		p.fed(Effected{Effect: e, Record: p.seal(KindEffect, e)})
	case 11, 12:
		k := p.key()
		c := Command{
			Actor: "ops", At: p.now, Instance: k, Node: p.node(k), Reason: "why",
			Verb: oneOf(p, append(Verbs(), Skip, MarkOK, Rerun, Force, Unhold, "dance")...),
		}
		p.fed(Commanded{Command: c, Record: p.seal(KindCommand, c)})
	case 13:
		p.chain()
	case 14:
		c := Contact{At: p.now, Blind: p.chance(2), Since: p.now, Source: oneOf(p, "ha", "hb", "")}
		p.fed(Contacted{Contact: c, Record: p.seal(KindContact, c)})
	case 15:
		p.nonsense()
	}
}

// pass lets time pass and fires every timer when it is due.
func (p *tape) pass(d time.Duration) {
	p.t.Helper()
	until := p.now.Add(d)
	for {
		timer, ok := p.due(until)
		if !ok {
			break
		}
		if timer.At.After(p.now) {
			p.now = timer.At
		}
		out := p.feed(Tick{Timer: timer})
		for _, in := range out.Intents {
			p.right(in)
		}
	}
	p.now = until
	p.settled()
}

func (p *tape) chain() {
	p.t.Helper()
	switch i := p.next(6); i {
	case 0, 1, 2, 3:
		def := p.definition(i)
		p.fed(Defined{Definition: def, Record: p.seal(KindDefinition, def)})
	case 4:
		r := Retirement{At: p.now, Chain: oneOf(p, "close", "sync", "nothing")}
		p.fed(Retired{Retirement: r, Record: p.seal(KindRetirement, r)})
	case 5:
		p.state = p.restored()
		p.timers = p.state.Timers(p.now)
		p.catchUp()
	}
}

// catchUp looks at everything after a restart: at once, or one timer after the other.
func (p *tape) catchUp() {
	p.t.Helper()
	if p.chance(2) {
		p.fed(Recheck{})
		return
	}
	for _, timer := range p.state.All(p.now) {
		out := p.feed(Tick{Timer: timer})
		for _, in := range out.Intents {
			p.right(in)
		}
	}
	p.settled()
}

func (p *tape) observation() {
	p.t.Helper()
	ref := oneOf(p, p.jobs...)
	o := job.Observation{
		Run:     job.RunKey{Source: ref.Source, Job: ref.Job, Native: fmt.Sprint(p.next(4))},
		Attempt: 1 + p.next(2), Sighting: job.Sighting{Seen: p.now},
		State: oneOf(p, append(job.States(), job.Succeeded, job.Succeeded, job.Failed, job.Running)...),
		Cause: oneOf(p, job.CauseUnknown, job.CauseUnknown, job.CauseSchedule, job.CauseBridge, job.CauseManual),
		At:    job.At(p.now),
	}
	o.Over = o.State == job.Unknown && p.chance(2)
	if !p.chance(6) {
		o.Started = job.At(p.now.Add(time.Duration(-p.next(180)) * time.Minute))
	}
	if p.chance(4) {
		o.Planned = job.At(p.now.Add(time.Duration(60-p.next(200)) * time.Minute))
	}
	if o.Terminal() {
		o.Ended = job.At(p.now)
	}
	if p.chance(3) {
		o.Token = p.token()
	}
	if p.chance(5) {
		ms := int64(p.next(100)-50) * 10_000
		o.Sighting.OffsetMS = &ms
	}
	if p.chance(8) {
		b := p.chance(2)
		o.Releases = &b
	}
	rec, err := o.Seal()
	if err != nil {
		p.t.Fatal(err)
	}
	merged, _ := job.Merge(p.runs[o.Run], &o, rec.Hash)
	p.runs[o.Run] = merged
	p.fed(Observed{Run: merged, Record: rec.Hash})
}

func (p *tape) nonsense() {
	p.t.Helper()
	switch p.next(5) {
	case 0:
		p.fed(Observed{})
	case 1:
		p.fed(Tick{Timer: Timer{Key: p.key(), Node: p.next(9) - 2, Chain: "nothing"}})
	case 2:
		p.fed(Tick{Timer: Timer{Chain: oneOf(p, "close", "sync", "nothing")}})
	case 3:
		_, err := Decide(p.state, Defined{Definition: Definition{Chain: "bad"}}, p.now)
		if err == nil {
			p.t.Fatal("a definition without jobs was taken")
		}
	case 4:
		p.fed(Recheck{})
	}
}

// token gives one of those that were given, or none that was.
func (p *tape) token() string {
	tokens := append(slices.Sorted(maps.Keys(p.given)), "sb-nonsense")
	return tokens[p.next(len(tokens))]
}

// key gives one of an open instance, mostly; else a closed one, or none at all.
func (p *tape) key() Key {
	if open := p.state.Open(); len(open) > 0 && !p.chance(8) {
		return open[p.next(len(open))]
	}
	keys := append(slices.SortedFunc(maps.Keys(p.state.closed), compareKeys), Key{}, Key{Chain: "close", BusinessDate: "nonsense"})
	return keys[p.next(len(keys))]
}

// node gives the name of one of the instance's nodes, mostly.
func (p *tape) node(k Key) string {
	if in, ok := p.state.Instance(k); ok && !p.chance(16) {
		return in.Nodes[p.next(len(in.Nodes))].Name
	}
	return oneOf(p, append(p.names, "nothing")...)
}

// TestAnyEvents plays random tapes: whatever happens, what must always hold holds.
func TestAnyEvents(t *testing.T) {
	t.Parallel()
	from := seed(t)
	for i := range worlds(t, 1000) {
		r := rand.New(rand.NewPCG(from, uint64(i)))
		bytes := make([]byte, 400)
		for j := range bytes {
			bytes[j] = byte(r.Uint32())
		}
		newTape(t, bytes).play(60)
	}
}

// FuzzDecide lets a fuzzer write the tape.
func FuzzDecide(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		bytes := make([]byte, 200)
		for j := range bytes {
			bytes[j] = byte(r.Uint32())
		}
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) { newTape(t, bytes).play(50) })
}
