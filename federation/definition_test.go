package federation_test

import (
	"strings"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
)

// run lets extract run once, natively, and gives what the latest instance says then.
func (b *bench) night(id string) chain.Instance {
	b.t.Helper()
	b.a.native("extract", id, job.Running, time.Now())
	pass(time.Minute)
	b.a.native("extract", id, job.Succeeded, time.Now().Add(-time.Minute))
	pass(2 * time.Minute)
	if all := b.instances(); len(all) > 0 {
		return all[0]
	}
	return chain.Instance{}
}

func (b *bench) restart(defs ...chain.Definition) {
	b.t.Helper()
	b.halt()
	b.defs = defs
	b.start()
	pass(time.Minute)
}

// TestDefinitionsComeAndGo: a chain is changed, put back, retired and put into service again, each time with
// a restart between. The ledger explains every instance, and nothing that ran out of service opens one.
func TestDefinitionsComeAndGo(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		first, second := nightly(), nightly()
		second.Nodes = second.Nodes[:2]
		b.start()
		pass(time.Minute)
		one := b.night("r1")
		b.restart(second)
		two := b.night("r2")
		if len(one.Nodes) != 3 || len(two.Nodes) != 2 || one.Version == two.Version {
			t.Fatalf("versions %s and %s", one.Version, two.Version)
		}
		b.restart(first)
		if three := b.night("r3"); three.Version != one.Version || len(b.instances()) != 3 {
			t.Errorf("put back: %d instances, version %s; want %s", len(b.instances()), three.Version, one.Version)
		}
		b.prove(9)
		b.restart()
		b.night("r4")
		b.a.native("extract", "r5", job.Running, time.Now()) // still runs when the chain is in service again
		pass(time.Minute)
		b.restart(first)
		b.a.native("extract", "r5", job.Succeeded, time.Now().Add(-2*time.Minute))
		pass(2 * time.Minute)
		if got := len(b.instances()); got != 3 {
			t.Errorf("%d instances; want 3: the others ran while the chain was retired", got)
		}
		b.restart(first)
		six := b.night("r6")
		if len(b.instances()) != 4 || six.Version != one.Version || !b.closed() {
			t.Errorf("in service again: %+v", b.instances())
		}
		b.prove(13)
	})
}

// TestOpenInstanceKeepsItsVersion: what is open when its chain is changed or retired goes on as it began.
func TestOpenInstanceKeepsItsVersion(t *testing.T) {
	t.Parallel()
	changed := nightly()
	changed.Nodes = changed.Nodes[:2]
	for name, defs := range map[string][]chain.Definition{"changed": {changed}, "retired": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, adapters.StartSearchable, func(b *bench) {
				t := b.t
				b.start()
				pass(time.Minute)
				b.a.native("extract", "r1", job.Running, time.Now())
				pass(time.Minute)
				b.restart(defs...)
				b.a.native("extract", "r1", job.Succeeded, time.Now().Add(-3*time.Minute))
				pass(2 * time.Minute)
				if all := b.instances(); len(all) != 1 || len(all[0].Nodes) != 3 || !b.closed() {
					t.Errorf("instances %+v", all)
				}
				b.once(2)
				b.prove(4)
			})
		})
	}
}

// TestSourceNotConfigured: a start at a source that is not there waits, survives, and goes on when it is.
func TestSourceNotConfigured(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		b.defs[0].Nodes[1].Job.Source = "c"
		b.start()
		pass(time.Minute)
		b.night("r1")
		if n := b.node("load"); n.Send != chain.SendPending {
			t.Fatalf("load is %s", n.Send)
		}
		c := newPeer("c", adapters.StartSearchable)
		b.more = []*peer{c}
		b.restart(b.defs...)
		pass(time.Minute)
		if !b.closed() {
			t.Errorf("instance %+v", b.instances())
		}
		if all, most := c.runs(); all != 1 || most != 1 {
			t.Errorf("%d runs at c", all)
		}
		b.once(1)
		b.prove(4)
	})
}

// quick is an adapter that many calls may use at once.
type quick struct{ adapter }

func (q quick) Properties() adapters.Properties {
	p := q.adapter.Properties()
	p.Budget.Concurrent = 200
	return p
}

// TestManyUnfinishedStarts: all of them are taken up again after a restart.
func TestManyUnfinishedStarts(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		const many = 1010
		wide := b.defs[0]
		wide.Nodes = wide.Nodes[:1]
		for i := range many {
			n := nightly().Nodes[1]
			n.Name = "load" + strings.Repeat("i", i)
			n.Name = n.Name[:4] + string(rune('a'+i/100)) + string(rune('a'+i/10%10)) + string(rune('a'+i%10))
			n.Job.Job = n.Name
			wide.Nodes = append(wide.Nodes, n)
		}
		b.defs = []chain.Definition{wide}
		b.adapt = func(p *peer) adapters.Adapter { return quick{adapter{p}} }
		b.b.down = adapters.Errorf(adapters.Unavailable, "connect", "b", "no route to host")
		b.start()
		pass(time.Minute)
		b.night("r1")
		if got := len(b.node("loadaaa").Token); got == 0 {
			t.Fatal("nothing was released")
		}
		b.b.set(func(p *peer) { p.down = nil })
		b.restart(b.defs...)
		pass(2 * time.Minute)
		b.once(many)
		if !b.closed() {
			t.Error("the instance did not close")
		}
	})
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		want string
		opt  func(b *bench)
	}{
		{"chain nightly is there twice", func(b *bench) { b.defs = append(b.defs, nightly()) }},
		{"source a is there twice", func(b *bench) { b.more = []*peer{b.a} }},
	} {
		b := newBench(t, adapters.StartSearchable)
		tc.opt(b)
		opt := federation.Options{Definitions: b.defs}
		for _, p := range append([]*peer{b.a, b.b}, b.more...) {
			opt.Sources = append(opt.Sources, b.source(p))
		}
		if _, err := federation.New(opt); err == nil || !strings.Contains(err.Error(), "no store") {
			t.Errorf("%v; want that there is no store", err)
		}
		opt.Store = &ledger{}
		if _, err := federation.New(opt); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v; want %q", err, tc.want)
		}
	}
}

// TestWrongDefinition: what cannot be carried out is not put into service; the engine says what is wrong.
func TestWrongDefinition(t *testing.T) {
	t.Parallel()
	inBubble(t, adapters.StartSearchable, func(b *bench) {
		t := b.t
		bad := nightly()
		bad.Chain, bad.Nodes[1].After[0].Node = "bad", "extrakt"
		b.defs = append(b.defs, bad)
		b.begin()
		pass(time.Second)
		if err := b.ended(); err == nil || !strings.Contains(err.Error(), `"extrakt"`) {
			t.Errorf("%v", err)
		}
		if defs, err := b.st.Definitions(t.Context()); err != nil || len(defs) != 0 {
			t.Errorf("in service: %v %v", defs, err)
		}
	})
}
