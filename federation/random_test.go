package federation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// world is an installation to which things happen by chance.
type world struct {
	*bench
	dice    *dice
	peers   []*rude
	ledger  *ledger
	quiet   atomic.Bool // no more trouble
	natives int
	asked   map[string]bool           // "instance node" that a person may have settled or forced
	all     map[string]chain.Instance // at the end, by key
}

// TestRandomNights lets chance play nights with chains over three peers: lost answers, outages, news that
// come twice or late, commits that fail or of which the answer is lost, restarts, people. MODEL_ROUNDS and
// MODEL_SEED make it longer, or play much the same night again with a log (goroutines take turns as they
// like, so that it is not quite the same).
func TestRandomNights(t *testing.T) {
	t.Parallel()
	first, rounds := uint64(1), uint64(6)
	for name, value := range map[string]*uint64{"MODEL_SEED": &first, "MODEL_ROUNDS": &rounds} {
		if s := os.Getenv(name); s != "" {
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			*value = n
		}
	}
	for seed := first; seed < first+rounds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			inBubble(t, adapters.StartNone, func(b *bench) { newWorld(b, seed).play() })
		})
	}
}

func newWorld(b *bench, seed uint64) *world {
	w := &world{bench: b, dice: &dice{r: rand.New(rand.NewPCG(seed, 7))}, asked: map[string]bool{}, all: map[string]chain.Instance{}}
	classes := []adapters.StartClass{adapters.StartDeduplicated, adapters.StartSearchable, adapters.StartInDoubt}
	for i, name := range []string{"a", "b", "c"} {
		p := newPeer(name, classes[(i+w.dice.below(3))%3])
		w.peers = append(w.peers, &rude{peer: p, dice: w.dice, later: map[string]bool{}})
	}
	b.a, b.b, b.more = w.peers[0].peer, w.peers[1].peer, []*peer{w.peers[2].peer}
	b.adapt = func(p *peer) adapters.Adapter {
		i := slices.IndexFunc(w.peers, func(r *rude) bool { return r.peer == p })
		return rudeAdapter{w.peers[i]}
	}
	if os.Getenv("MODEL_ROUNDS") == "1" {
		b.opt.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	b.defs = nil
	for i := range 1 + w.dice.below(3) {
		b.defs = append(b.defs, w.chain(fmt.Sprintf("c%d", i)))
	}
	w.ledger = b.troubled(w.trouble)
	return w
}

// chain makes a chain whose first job runs natively and opens an instance each time. The others are driven.
func (w *world) chain(name string) chain.Definition {
	d := chain.Definition{Chain: name, DayCut: "00:00", Timezone: "UTC", KeepOpen: 6 * 3600, Repeat: "n0"}
	for i := range 2 + w.dice.below(4) {
		n := chain.Node{
			Name: fmt.Sprintf("n%d", i), Stage: chain.Drive,
			Job: job.Ref{Source: w.peers[w.dice.below(3)].name, Job: fmt.Sprintf("%s-j%d", name, i)},
		}
		if i == 0 {
			n.Stage = chain.Watch
		}
		for up := range i {
			if up == i-1 || w.dice.below(3) == 0 {
				on := []chain.On{chain.OnSuccess, chain.OnSuccess, chain.OnAny, chain.OnFailure}[w.dice.below(4)]
				n.After = append(n.After, chain.Dependency{Node: fmt.Sprintf("n%d", up), On: on})
			}
		}
		if i > 0 && w.dice.below(6) == 0 {
			n.GiveUpAfter = 1200
		}
		d.Nodes = append(d.Nodes, n)
	}
	return d
}

func (w *world) trouble(int, *store.Batch) trouble {
	if w.quiet.Load() {
		return ""
	}
	switch w.dice.below(40) {
	case 0:
		return fails
	case 1:
		return loses
	case 2:
		return diesBefore
	case 3:
		return diesAfter
	}
	return ""
}

func (w *world) play() {
	w.begin()
	for range 120 {
		w.event()
		pass(w.dice.upTo(15 * time.Second))
		w.keepAlive()
	}
	w.quiet.Store(true)
	for _, r := range w.peers {
		r.behave()
		r.set(func(p *peer) { p.down = nil })
	}
	w.keepAlive()
	for range 30 {
		for _, r := range w.peers {
			r.move(true)
		}
		pass(time.Minute)
	}
	w.judge()
}

// keepAlive starts the next process where one is gone.
func (w *world) keepAlive() {
	for range 50 {
		if !w.gone(w.ledger) {
			return
		}
		w.ledger.set(func(l *ledger) { l.plan = w.trouble })
		_ = w.stop()
		w.begin()
		pass(time.Millisecond)
	}
	w.t.Fatal("it cannot begin any more")
}

// event lets one thing happen.
func (w *world) event() {
	r := w.peers[w.dice.below(3)]
	switch w.dice.below(12) {
	case 0, 1, 2:
		w.nativeRun()
	case 3:
		r.set(func(p *peer) { p.down = adapters.Errorf(adapters.Unavailable, "connect", p.name, "no route to host") })
	case 4, 5:
		r.set(func(p *peer) { p.down = nil })
	case 6:
		w.command()
	case 7:
		if w.dice.below(4) == 0 {
			_ = w.stop()
			w.begin()
		}
	default:
		for _, r := range w.peers {
			r.move(false)
		}
	}
}

// nativeRun lets the first job of a chain begin; its end, and sometimes its beginning, is told later.
func (w *world) nativeRun() {
	d := w.defs[w.dice.below(len(w.defs))]
	ref, _ := d.Node("n0")
	w.natives++
	id, began := fmt.Sprintf("native-%d", w.natives), time.Now()
	for _, r := range w.peers {
		if r.name == ref.Job.Source {
			time.AfterFunc(w.dice.upTo(time.Minute), func() { r.native(ref.Job.Job, id, job.Running, began) })
		}
	}
}

// command lets a person do something to a job of an open instance.
func (w *world) command() {
	open, err := w.st.Instances(context.Background(), store.InstanceFilter{Open: true})
	if err != nil || len(open) == 0 {
		return
	}
	in := open[w.dice.below(len(open))]
	node := in.Nodes[w.dice.below(len(in.Nodes))].Name
	verb := []chain.Verb{chain.Skip, chain.MarkOK, chain.Rerun, chain.Rerun, chain.Force}[w.dice.below(5)]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = w.e.Command(ctx, chain.Command{Actor: "ops", Instance: in.Key, Node: node, Reason: "chance", Verb: verb})
	if verb != chain.Rerun && !errors.Is(err, federation.ErrRefused) { // after a failed commit it may have come through
		w.asked[in.Key.String()+" "+node] = true
	}
}

// judge looks at everything after the peers behaved for half an hour.
func (w *world) judge() {
	w.t.Helper()
	for _, in := range w.instances() {
		w.all[in.Key.String()] = in
	}
	for _, r := range w.peers {
		if _, most := r.runs(); most > 1 {
			w.t.Errorf("%s (%s): a start led to %d runs", r.name, r.class, most)
		}
		for _, c := range r.started {
			w.justify(c)
		}
		w.remembered(r)
	}
	for _, in := range w.intents() {
		if in.State == chain.SendPending || in.State == chain.SendSent {
			w.t.Errorf("start %s of %s %s is %s at the end", in.Token, in.Key, in.Node, in.State)
		}
	}
	w.prove(0)
	w.sameAfterRestart()
	w.halt()
}

// justify demands that whatever a started job depends on had really ended as it should, or that a person
// said so.
func (w *world) justify(c call) {
	w.t.Helper()
	key, err := chain.ParseKey(c.key)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(w.defs, func(d chain.Definition) bool { return d.Chain == key.Chain })
	for _, n := range w.defs[i].Nodes {
		if n.Job != c.job || w.asked[c.key+" "+n.Name] {
			continue
		}
		for _, dep := range n.After {
			up, _ := w.defs[i].Node(dep.Node)
			if !w.asked[c.key+" "+dep.Node] && !w.ended(up, dep.On, c) && !w.givenUp(up, dep.On, c) {
				w.t.Errorf("%s %s was started at %s although %s had not ended (%s)", c.key, n.Name, c.at, dep.Node, dep.On)
			}
		}
	}
}

// ended tells whether a run of an upstream job in the same instance had ended so before the call.
func (w *world) ended(up *chain.Node, on chain.On, c call) bool {
	good := map[chain.On][]job.State{
		chain.OnSuccess: {job.Succeeded, job.Warned}, chain.OnFailure: {job.Failed, job.Cancelled},
		chain.OnAny: {job.Succeeded, job.Warned, job.Failed, job.Cancelled},
	}[on]
	tokens := map[string]bool{}
	for _, r := range w.peers {
		for _, s := range r.started {
			if s.key == c.key && s.job == up.Job {
				tokens[s.token] = true
			}
		}
	}
	for _, r := range w.peers {
		for _, o := range r.log {
			mine := tokens[o.Token] || (up.Name == "n0" && w.opened(c.key) == o.Run)
			if o.Run.Ref() == up.Job && mine && slices.Contains(good, o.State) {
				return true
			}
		}
	}
	return false
}

// opened gives the run of the first job that opened an instance.
func (w *world) opened(key string) job.RunKey {
	if in, ok := w.all[key]; ok && in.Nodes[0].Run != nil {
		return in.Nodes[0].Run.Key
	}
	return job.RunKey{}
}

// givenUp tells whether an upstream job had run out of its time before the call: that counts as a failure.
func (w *world) givenUp(up *chain.Node, on chain.On, c call) bool {
	late := w.all[c.key].Opened.Add(up.GiveUpAfter.Duration())
	return up.GiveUpAfter > 0 && on != chain.OnSuccess && c.at.Add(time.Second).After(late)
}

// remembered demands that the ledger holds whatever the peer told, and says of each run what the peer says.
func (w *world) remembered(r *rude) {
	w.t.Helper()
	latest := map[job.RunKey]job.Observation{}
	for _, o := range r.log {
		if o.Seq >= latest[o.Run].Seq {
			latest[o.Run] = o
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(latest), func(a, b job.RunKey) int { return slices.Compare([]byte(a.String()), []byte(b.String())) }) {
		run, err := w.st.Run(w.t.Context(), k)
		if err != nil || run.State() != latest[k].State {
			w.t.Errorf("run %s is %s in the ledger, %s at its source: %v", k, run.State(), latest[k].State, err)
		}
		about, err := w.st.About(w.t.Context(), store.RunSubject(k), 0, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		have := map[int64]bool{}
		for _, e := range about {
			var o job.Observation
			if e.Kind == job.KindObservation && e.Open(e.Kind, &o) == nil {
				have[o.Seq] = true
			}
		}
		for _, o := range r.log {
			if o.Run == k && !have[o.Seq] {
				w.t.Errorf("run %s: observation %d is not in the ledger", k, o.Seq)
			}
		}
	}
}

// sameAfterRestart demands that what was read back is what was in memory.
func (w *world) sameAfterRestart() {
	w.t.Helper()
	before := w.explained()
	w.halt()
	w.begin()
	<-w.e.Ready()
	if after := w.explained(); !slices.Equal(before, after) {
		w.t.Errorf("before the restart:\n%q\nafter it:\n%q", before, after)
	}
}

func (w *world) explained() []string {
	w.t.Helper()
	var out []string
	for _, in := range w.instances() {
		why, err := w.e.Explain(w.t.Context(), in.Key)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, x := range why {
			out = append(out, fmt.Sprint(in.Key, " ", x.Node, " ", x.State, " ", x.Value))
		}
	}
	return out
}
