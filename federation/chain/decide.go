package chain

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"signalbox/adapters/job"
)

// CatchUp bounds how far back a repeating chain looks: a head run that began longer ago than this when
// it is first seen opens nothing. It also bounds what a State must remember of closed instances.
const CatchUp = 24 * time.Hour

// settleAfterSight is how long after a source came back it is taken as not having started what it should.
const settleAfterSight = time.Minute

const cycleFormat = "20060102T150405Z"

// Decide looks at the whole state, one event and the time, and says what follows. It changes nothing:
// [State.Apply] makes the outcome come true. The same arguments give the same outcome, for ever. Its
// cost grows with what the event touches and what depends on that, not with the state.
func Decide(s *State, ev Event, now time.Time) (Outcome, error) {
	d := newDraft(s, now.UTC(), ev.cause())
	var err error
	switch e := ev.(type) {
	case Defined:
		err = d.define(e.Definition)
	case Retired:
		d.retire(e.Retirement.Chain)
	case Observed:
		d.observe(&e.Run)
	case Tick:
		d.tick(e.Timer)
	case Recheck:
		d.recheck()
	case Effected:
		d.effect(e.Effect)
	case Commanded:
		d.command(e.Command)
	case Contacted:
		d.contact(e.Contact)
	default:
		err = fmt.Errorf("decide: event %T is not known", ev)
	}
	if err != nil {
		return Outcome{}, err
	}
	d.settle()
	return d.finish(), nil
}

// draft is the state as this decision would leave it: the state itself below, changes on top.
type draft struct {
	s      *State
	now    time.Time
	cause  Cause
	out    Outcome
	nodes  map[place]*NodeState // changed
	order  []place              // of nodes, by first change
	opened map[Key]*live
	queue  []place // to evaluate
	queued map[place]bool
}

func newDraft(s *State, now time.Time, cause Cause) *draft {
	return &draft{s: s, now: now, cause: cause, nodes: map[place]*NodeState{}, opened: map[Key]*live{}, queued: map[place]bool{}}
}

func (d *draft) live(k Key) *live {
	if l, ok := d.opened[k]; ok {
		return l
	}
	return d.s.live[k]
}

// node gives a node to read.
func (d *draft) node(p place) *NodeState {
	if n, ok := d.nodes[p]; ok {
		return n
	}
	return &d.live(p.key).Nodes[p.index]
}

// edit gives a node to change, and sees to it that it and its successors are looked at.
func (d *draft) edit(p place) *NodeState {
	n, ok := d.nodes[p]
	if !ok {
		c := d.live(p.key).Nodes[p.index]
		n = &c
		d.nodes[p] = n
		d.order = append(d.order, p)
	}
	d.look(p)
	for _, next := range d.live(p.key).plan.successors[p.index] {
		d.look(place{p.key, next})
	}
	return n
}

func (d *draft) look(p place) {
	if !d.queued[p] {
		d.queued[p] = true
		d.queue = append(d.queue, p)
	}
}

// settle evaluates until nothing is left to look at. A node is released or judged at most once and looks
// at what stands before it only, so this ends.
func (d *draft) settle() {
	for len(d.queue) > 0 {
		p := d.queue[0]
		d.queue = d.queue[1:]
		delete(d.queued, p)
		d.evaluate(p)
	}
}

// finish closes what has nothing left to do, and puts the changes in order.
func (d *draft) finish() Outcome {
	left := map[Key]int{}
	var keys []Key
	for _, p := range d.order {
		l := d.live(p.key)
		if _, ok := left[p.key]; !ok {
			left[p.key] = l.left
			keys = append(keys, p.key)
		}
		if was := l.Nodes[p.index].final(); was != d.nodes[p].final() {
			if was {
				left[p.key]++
			} else {
				left[p.key]--
			}
		}
		d.out.Changed = append(d.out.Changed, Change{Key: p.key, Index: p.index, State: *d.nodes[p]})
	}
	for _, k := range keys {
		if left[k] == 0 {
			d.close(k, "every job is done")
		}
	}
	return d.out
}

func (d *draft) define(def Definition) error {
	rec, err := def.Seal()
	if err != nil {
		return err
	}
	had, ok := d.s.inForce[def.Chain]
	if ok && had.version == rec.Hash {
		return nil
	}
	p, err := compile(def, rec.Hash)
	if err != nil {
		return err
	}
	d.out.Defined = append(d.out.Defined, def)
	d.out.activated = d.now
	if t, timed := p.nextDate(d.now); timed {
		d.out.Timers = append(d.out.Timers, t)
		d.openDate(p)
	}
	return nil
}

func (d *draft) retire(name string) {
	if _, ok := d.s.inForce[name]; ok {
		d.out.Retired = append(d.out.Retired, name)
	}
}

// openDate opens the instance of the present business date, unless it was opened before.
func (d *draft) openDate(p *plan) {
	k := Key{Chain: p.def.Chain, BusinessDate: p.days.date(d.now)}
	if d.live(k) == nil && !d.s.closed[k] {
		d.openInstance(p, k, "business date "+k.BusinessDate+" began")
	}
}

func (d *draft) openInstance(p *plan, k Key, reason string) {
	in := &Instance{Key: k, Opened: d.now, Version: p.version, Nodes: make([]NodeState, len(p.def.Nodes))}
	for i := range in.Nodes {
		in.Nodes[i] = NodeState{Name: p.def.Nodes[i].Name, Attempt: 1}
	}
	l := &live{Instance: in, plan: p, windows: p.windows(in), left: len(in.Nodes)}
	d.opened[k] = l
	d.out.Opened = append(d.out.Opened, *in)
	d.out.Timers = append(d.out.Timers, l.timers()...)
	d.receipt(Receipt{Instance: k, Verdict: Opened, Reason: reason, Version: p.version})
	for i := range in.Nodes {
		d.look(place{k, i})
	}
}

func (d *draft) tick(t Timer) {
	switch {
	case t.Key == Key{}:
		f, ok := d.s.inForce[t.Chain]
		if !ok {
			return
		}
		if next, timed := d.s.plans[f.version].nextDate(d.now); timed {
			d.out.Timers = append(d.out.Timers, next)
			d.openDate(d.s.plans[f.version])
		}
	case d.live(t.Key) == nil:
	case t.Node < 0:
		d.expire(t.Key)
	case t.Node < len(d.live(t.Key).Nodes):
		d.look(place{t.Key, t.Node})
	}
}

func (d *draft) recheck() {
	for _, f := range d.s.Current() {
		p := d.s.plans[d.s.inForce[f.Chain].version]
		if _, timed := p.nextDate(d.now); timed {
			d.openDate(p)
		}
	}
	for _, k := range d.s.Open() {
		if d.expire(k) {
			continue
		}
		for i := range d.live(k).Nodes {
			d.look(place{k, i})
		}
	}
}

// expire closes an instance that was kept open for long enough, and tells whether it did.
func (d *draft) expire(k Key) bool {
	l := d.live(k)
	if d.now.Before(l.Opened.Add(l.plan.def.KeepOpen.Duration())) {
		return false
	}
	for i := range l.Nodes {
		p := place{k, i}
		if n := d.node(p); n.Run == nil && n.Settled == "" && (n.Send == "" || n.Send == SendPending) {
			n = d.edit(p)
			d.withdraw(n, "the instance closed")
			n.Settled, n.SettledAt = SettledGaveUp, d.now
		}
	}
	d.queue = slices.DeleteFunc(d.queue, func(p place) bool { // nothing is released by closing
		if p.key == k {
			delete(d.queued, p)
		}
		return p.key == k
	})
	d.close(k, "it was kept open for "+l.plan.def.KeepOpen.Duration().String())
	return true
}

func (d *draft) close(k Key, reason string) {
	d.out.Closed = append(d.out.Closed, Ended{Key: k, At: d.now})
	d.receipt(Receipt{Instance: k, Verdict: Closed, Reason: reason, Version: d.live(k).Version})
}

func (d *draft) receipt(r Receipt) int {
	r.Cause, r.DecidedAt = d.cause, d.now
	d.out.Receipts = append(d.out.Receipts, r)
	return len(d.out.Receipts) - 1
}

// nodeReceipt fills what every receipt about a node says.
func (d *draft) nodeReceipt(p place, v Verdict, inputs []Input, reason string) Receipt {
	l := d.live(p.key)
	node := &l.plan.def.Nodes[p.index]
	n := d.node(p)
	r := Receipt{
		Instance: p.key, Node: node.Name, Job: &node.Job, Stage: node.Stage, Attempt: n.Attempt, Verdict: v,
		Inputs: inputs, Reason: reason, Version: l.Version, Token: n.Token,
	}
	if nb := l.windows[p.index].notBefore; !nb.IsZero() && !d.now.Before(nb) {
		r.NotBefore = nb
	}
	return r
}

// token names a release. It depends on nothing but what is released and by which installation.
func (d *draft) token(p place, attempt int) string {
	text := fmt.Sprintf("token/1\n%s\n%s\n%s\n%d", d.s.site, p.key, d.live(p.key).plan.def.Nodes[p.index].Name, attempt)
	sum := sha256.Sum256([]byte(text))
	return "sb-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

func (d *draft) effect(e Effect) {
	p, ok := d.s.byToken[e.Token]
	if !ok {
		return // its instance is closed, or a rerun replaced it: the record stands in the ledger
	}
	n := d.node(p)
	if n.Send == e.Send && n.SendNote == e.Note {
		return
	}
	if n.Run != nil && e.Send != SendConfirmed {
		return // the run was seen: what we thought of the sending does not matter any more
	}
	if !n.Send.mayBecome(e.Send) {
		return // old news
	}
	n = d.edit(p)
	n.Send, n.SendNote = e.Send, e.Note
	if n.Run == nil && !e.Run.IsZero() {
		n.Answer = e.Run
	}
}

// contact takes in that a source went out of sight or came back. What its own clock should have started
// by now is judged only after the time that it takes to read what happened meanwhile.
func (d *draft) contact(c Contact) {
	d.out.Contacts = append(d.out.Contacts, c)
	if !c.Blind {
		d.out.Timers = append(d.out.Timers, d.s.lateTimers(c, d.now)...)
	}
}

// mayBecome tells whether a source's answer, or its absence, may move a start from one value to the
// next. What was refused or withdrawn is over; a confirmed start does not become doubtful again.
func (s Send) mayBecome(next Send) bool {
	switch s {
	case SendPending, SendSent:
		return slices.Contains([]Send{SendPending, SendSent, SendConfirmed, SendRefused, SendInDoubt}, next)
	case SendInDoubt:
		return next == SendConfirmed || next == SendRefused
	case SendConfirmed:
		return next == SendConfirmed
	case SendRefused:
	}
	return false
}

// observe takes in how a run stands.
func (d *draft) observe(r *job.Run) {
	bound := slices.Clone(d.s.byRun[r.Key])
	if r.Token != "" {
		if p, ok := d.s.byToken[r.Token]; ok && !slices.Contains(bound, p) && supersedes(r, d.node(p).Run) {
			bound = append(bound, p)
		}
	}
	slices.SortFunc(bound, comparePlaces)
	for _, p := range bound {
		if r.Cause.AdHoc() && r.Token == "" && d.node(p).Answer != r.Key {
			d.edit(p).Run = nil // it was taken for a scheduled one until its source told
			continue
		}
		d.bind(p, r)
	}
	if r.Cause.AdHoc() {
		return
	}
	for _, w := range d.s.watchers[r.Key.Ref()] {
		if slices.ContainsFunc(bound, func(p place) bool { return p.key.Chain == w.plan.def.Chain }) {
			continue // it belongs to one instance of a chain, whatever becomes known about its times
		}
		if p, ok := d.match(w, r); ok {
			d.bind(p, r)
		}
	}
}

func (d *draft) bind(p place, r *job.Run) {
	n := d.node(p)
	if n.Run != nil && n.Run.Key == r.Key && n.Run.Evidence == r.Evidence && n.Run.Started == r.Started && n.Run.Planned == r.Planned {
		return
	}
	n = d.edit(p)
	c := *r
	n.Run = &c
	if n.Settled != "" && n.open() {
		n.Settled, n.SettledAt = "", time.Time{} // it runs after all
	}
	if n.Token == r.Token && n.Token != "" && n.Send != SendConfirmed {
		if n.Send != SendSent { // a sent one is being answered by its worker
			d.out.Moves = append(d.out.Moves, Move{Token: n.Token, From: n.Send, To: SendConfirmed, Run: r.Key, Note: "its run was seen"})
			n.Send, n.SendNote = SendConfirmed, "its run was seen"
		}
	}
}
