package chain

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// seed gives the seed of a property test: a new one each time, printed so that a failure can be repeated
// with SIGNALBOX_SEED.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64()
	if text := os.Getenv("SIGNALBOX_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SIGNALBOX_SEED=%d", n)
	return n
}

// worlds says how many random worlds a test goes through.
func worlds(t *testing.T, n int) int {
	t.Helper()
	if testing.Short() || racing {
		return n / 10
	}
	return n
}

// TestAnyOrder feeds the same history in random interleavings, with duplicates and out of order, at one
// moment. Whatever the order: the same decisions, the same tokens, the same final states, and they are
// those that the model works out without Decide.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	from := seed(t)
	for i := range worlds(t, 2500) {
		r := rand.New(rand.NewPCG(from, uint64(i)))
		w := randomWorld(r)
		first := ""
		for turn := range 3 {
			p := newTrial(t, w)
			p.careful = i%32 == 0
			p.run(r)
			p.compareWithModel(i)
			if got := p.summary(); turn == 0 {
				first = got
			} else if got != first {
				t.Fatalf("world %d: another order, another end\nchain: %s\nfirst:\n%s\nnow:\n%s", i, marshal(t, w.def), first, got)
			}
		}
	}
}

// TestReplay plays a world, then the same events again: straight, and with a restart before any of them.
// The receipts are the same to the byte, in the same order.
func TestReplay(t *testing.T) {
	t.Parallel()
	from := seed(t)
	for i := range worlds(t, 1000) {
		r := rand.New(rand.NewPCG(from, uint64(i)))
		p := newTrial(t, randomWorld(r))
		p.careful = false
		p.run(r)
		for _, restarts := range []bool{false, true} {
			again := newShell(t, p.now)
			again.careful = false
			for _, ev := range p.events {
				if restarts && r.IntN(3) == 0 {
					again.state = again.restored()
				}
				again.feed(ev)
			}
			if a, b := receiptBytes(t, p.receipts), receiptBytes(t, again.receipts); a != b {
				t.Fatalf("world %d: the same events gave other receipts (restarts: %v)\nfirst:\n%s\nagain:\n%s", i, restarts, a, b)
			}
			if a, b := snapshot(p.state), snapshot(again.state); a != b {
				t.Fatalf("world %d: the same events gave another state (restarts: %v)\nfirst:\n%s\nagain:\n%s", i, restarts, a, b)
			}
		}
	}
}

func receiptBytes(t *testing.T, receipts []Receipt) string {
	t.Helper()
	var b strings.Builder
	for i := range receipts {
		rec, err := job.Seal(KindReceipt, &receipts[i])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", rec.Hash, rec.Body)
	}
	return b.String()
}

// trial is a world on its way.
type trial struct {
	*shell
	w      *world
	events []Event // as fed
	pool   []func()
	ended  map[string]bool // nodes whose end was told
	end    *Instance       // as it stood when it closed
}

func newTrial(t *testing.T, w *world) *trial {
	t.Helper()
	return &trial{shell: newShell(t, w.now), w: w, ended: map[string]bool{}}
}

// run feeds everything, some of it more than once, in a random order.
func (p *trial) run(r *rand.Rand) {
	p.t.Helper()
	rec, err := p.w.def.Seal()
	if err != nil {
		p.t.Fatal(err)
	}
	p.take(Defined{Definition: p.w.def, Record: rec.Hash})
	for i, node := range p.w.def.Nodes {
		if node.Stage != Drive {
			p.expect(i, "")
		}
	}
	for len(p.pool) > 0 {
		i := r.IntN(len(p.pool))
		next := p.pool[i]
		if r.IntN(5) > 0 { // or it comes once more
			p.pool = slices.Delete(p.pool, i, i+1)
		}
		next()
	}
}

// expect puts what a source will tell about a node's run into the pool.
func (p *trial) expect(i int, token string) {
	for _, o := range p.w.history(i, token) {
		p.pool = append(p.pool, func() {
			if o.Terminal() || o.State == job.Unknown {
				p.ended[p.w.def.Nodes[i].Name] = true
			}
			run, hash := p.merge(o)
			p.take(Observed{Run: run, Record: hash})
		})
	}
}

// take feeds an event, checks what was released, and lets the outside answer to what was sent.
func (p *trial) take(ev Event) {
	p.t.Helper()
	p.events = append(p.events, ev)
	out := p.feed(ev)
	p.settled()
	for _, in := range out.Intents {
		p.justified(&out.Receipts[in.Receipt])
		i := slices.IndexFunc(p.w.def.Nodes, func(n Node) bool { return n.Name == in.Node })
		p.expect(i, in.Token)
		for _, send := range []Send{SendSent, SendConfirmed} { // in any order, too
			p.pool = append(p.pool, func() {
				e := Effect{At: p.now, Send: send, Token: in.Token}
				p.take(Effected{Effect: e, Record: p.seal(KindEffect, e)})
			})
		}
	}
	if in, ok := p.state.Instance(worldKey); ok {
		c := *in
		c.Nodes = slices.Clone(in.Nodes)
		p.end = &c
	} else if len(out.Closed) > 0 {
		for _, c := range out.Changed {
			p.end.Nodes[c.Index] = c.State
		}
		p.end.Closed = out.Closed[0].At
	}
}

// justified checks by what was told so far that a release was right at this moment.
func (p *trial) justified(r *Receipt) {
	p.t.Helper()
	outcomes := p.w.outcomes()
	i := slices.IndexFunc(p.w.def.Nodes, func(n Node) bool { return n.Name == r.Node })
	node := p.w.def.Nodes[i]
	if node.Stage != Drive || p.w.early[i] || p.w.late[i] {
		p.t.Fatalf("%s was released: stage %s, early %v, late %v", r.Node, node.Stage, p.w.early[i], p.w.late[i])
	}
	for _, dep := range node.After {
		up := slices.IndexFunc(p.w.def.Nodes, func(n Node) bool { return n.Name == dep.Node })
		told := p.ended[dep.Node] || outcomes[up].decided == "gave up"
		if !told || p.w.means(up, &outcomes[up], dep.On) != "met" {
			p.t.Fatalf("%s was released although %s on %s was not met: %+v, told: %v", r.Node, dep.Node, dep.On, p.w.fates[up], told)
		}
	}
}

// summary is what must not depend on the order.
func (p *trial) summary() string {
	lines := map[string]bool{}
	for _, r := range p.receipts {
		lines[fmt.Sprintf("%s %s attempt %d token %q not before %s: %s", r.Verdict, r.Node, r.Attempt, r.Token, r.NotBefore, r.Reason)] = true
	}
	for _, n := range p.end.Nodes {
		if n.Run != nil {
			n.Send = "" // an instance may close before the last answer to a start is told
		}
		lines[fmt.Sprintf("node %s %s settled %q send %q token %q judged %v released %s",
			n.Name, n.State(), n.Settled, n.Send, n.Token, n.Judged, n.Released.Format(time.RFC3339))] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "\n")
}

// compareWithModel checks that what was decided is what the model says, no more and no less.
func (p *trial) compareWithModel(world int) {
	p.t.Helper()
	verdicts := map[Verdict]string{Released: "released", Rehearsed: "rehearsed", GaveUp: "gave up", NotNeeded: "not needed"}
	got := map[string]string{}
	for _, r := range p.receipts {
		if v, ok := verdicts[r.Verdict]; ok {
			if old, twice := got[r.Node]; twice {
				p.t.Fatalf("world %d: two decisions about %s: %s and %s", world, r.Node, old, v)
			}
			got[r.Node] = v
		}
	}
	for i, o := range p.w.outcomes() {
		if name := p.w.def.Nodes[i].Name; got[name] != o.decided {
			p.t.Fatalf("world %d: %s was decided %q, the model says %q (%+v, %+v)\nchain: %s\nend: %s",
				world, name, got[name], o.decided, o, p.w.fates, marshal(p.t, p.w.def), marshal(p.t, p.end))
		}
	}
}
