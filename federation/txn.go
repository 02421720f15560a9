package federation

import (
	"context"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// txn collects what one group of requests writes.
type txn struct {
	e       *Engine
	now     time.Time
	batch   store.Batch
	broken  error // Decide or Apply failed: the whole group is lost
	nodes   map[nodeKey]int
	runs    map[job.RunKey]int
	sources map[string]int
	changes []Change
	heard   []chain.Contact
	last    int64
}

type nodeKey struct {
	key   chain.Key
	index int
}

func newTxn(e *Engine) *txn {
	return &txn{
		e: e, now: e.now(), batch: store.Batch{Fence: e.fence},
		nodes: map[nodeKey]int{}, runs: map[job.RunKey]int{}, sources: map[string]int{},
	}
}

// tick fires the timers that are due.
func (t *txn) tick() error {
	if !t.e.begun {
		return nil
	}
	for _, timer := range t.e.timers.due(t.now) {
		if t.decide(chain.Tick{Timer: timer}); t.broken != nil {
			return t.broken
		}
	}
	return nil
}

// record appends a record to the ledger and gives its hash.
func (t *txn) record(subject, kind string, v any) (job.Hash, error) {
	rec, err := job.Seal(kind, v)
	if err != nil {
		return job.Hash{}, err
	}
	t.batch.Records = append(t.batch.Records, store.Entry{At: t.now, Subject: subject, Record: rec})
	return rec.Hash, nil
}

// decide feeds an event to Decide and takes its outcome into the batch and the state.
func (t *txn) decide(ev chain.Event) *chain.Outcome {
	out, err := chain.Decide(t.e.state, ev, t.now)
	if err == nil {
		err = t.take(&out)
	}
	if err == nil {
		err = t.e.state.Apply(&out)
	}
	if err != nil {
		t.broken = err
		return &chain.Outcome{}
	}
	if len(out.Intents) > 0 {
		t.e.opt.OnStep(StepDecided)
	}
	return &out
}

// take puts an outcome into the batch.
func (t *txn) take(out *chain.Outcome) error {
	b := &t.batch
	receipts := make([]job.Hash, len(out.Receipts))
	for i := range out.Receipts {
		h, err := t.record(store.InstanceSubject(out.Receipts[i].Instance), chain.KindReceipt, &out.Receipts[i])
		if err != nil {
			return err
		}
		receipts[i] = h
		t.edges(&out.Receipts[i], h)
	}
	b.Definitions = append(b.Definitions, out.Defined...)
	b.Retired = append(b.Retired, out.Retired...)
	b.Instances = append(b.Instances, out.Opened...)
	for _, c := range out.Changed {
		t.node(c)
	}
	for _, ended := range out.Closed {
		t.close(ended, out.Opened)
	}
	for _, in := range out.Intents {
		b.Intents = append(b.Intents, store.Intent{
			Token: in.Token, Key: in.Key, Node: in.Node, Attempt: in.Attempt, Job: in.Job, State: chain.SendPending,
			Receipt: receipts[in.Receipt], Created: t.now, Updated: t.now,
		})
	}
	for _, m := range out.Moves {
		b.Moves = append(b.Moves, store.Move{Token: m.Token, From: m.From, To: m.To, Run: m.Run, Note: m.Note, At: t.now})
	}
	for _, timer := range out.Timers {
		t.e.timers.add(timer)
	}
	t.note(out)
	return nil
}

func (t *txn) edges(r *chain.Receipt, h job.Hash) {
	if r.Verdict != chain.Released {
		return
	}
	for _, in := range r.Inputs {
		if !in.Run.IsZero() {
			t.batch.Edges = append(t.batch.Edges, store.Edge{
				DownToken: r.Token, Up: in.Run, UpAttempt: in.Attempt, Evidence: in.Evidence, Receipt: h,
			})
		}
	}
}

func (t *txn) node(c chain.Change) {
	k := nodeKey{c.Key, c.Index}
	change := store.NodeChange{Key: c.Key, Index: c.Index, State: c.State}
	if i, ok := t.nodes[k]; ok {
		t.batch.Nodes[i] = change
		return
	}
	t.nodes[k] = len(t.batch.Nodes)
	t.batch.Nodes = append(t.batch.Nodes, change)
}

// close writes the end of an instance, which may have been opened by the same event.
func (t *txn) close(ended chain.Ended, opened []chain.Instance) {
	row := chain.Instance{Key: ended.Key, Closed: ended.At}
	if in, ok := t.e.state.Instance(ended.Key); ok {
		row.Opened, row.Version = in.Opened, in.Version
	}
	for i := range opened {
		if opened[i].Key == ended.Key {
			row.Opened, row.Version = opened[i].Opened, opened[i].Version
		}
	}
	t.batch.Instances = append(t.batch.Instances, row)
}

// note remembers what subscribers should look at again.
func (t *txn) note(out *chain.Outcome) {
	seen := map[chain.Key]bool{}
	touch := func(k chain.Key) {
		if !seen[k] {
			seen[k] = true
			t.changes = append(t.changes, Change{Kind: ChangedInstance, ID: k.String()})
		}
	}
	for i := range out.Opened {
		touch(out.Opened[i].Key)
	}
	for i := range out.Changed {
		touch(out.Changed[i].Key)
	}
	for i := range out.Closed {
		touch(out.Closed[i].Key)
	}
	for i := range out.Defined {
		t.changes = append(t.changes, Change{Kind: ChangedChain, ID: out.Defined[i].Chain})
	}
	for _, name := range out.Retired {
		t.changes = append(t.changes, Change{Kind: ChangedChain, ID: name})
	}
}

func (t *txn) run(r job.Run) {
	if i, ok := t.runs[r.Key]; ok {
		t.batch.Runs[i] = r
	} else {
		t.runs[r.Key] = len(t.batch.Runs)
		t.batch.Runs = append(t.batch.Runs, r)
		t.changes = append(t.changes, Change{Kind: ChangedRun, ID: r.Key.String()})
	}
}

func (t *txn) source(row store.Source) {
	t.e.rows[row.Name] = row
	if i, ok := t.sources[row.Name]; ok {
		t.batch.Sources[i] = row
		return
	}
	t.sources[row.Name] = len(t.batch.Sources)
	t.batch.Sources = append(t.batch.Sources, row)
	t.changes = append(t.changes, Change{Kind: ChangedSource, ID: row.Name})
}

// contact records that a source went out of sight or came back.
func (t *txn) contact(c chain.Contact) error {
	h, err := t.record(store.SourceSubject(c.Source), chain.KindContact, &c)
	if err != nil {
		return err
	}
	t.heard = append(t.heard, c)
	t.decide(chain.Contacted{Contact: c, Record: h})
	return t.broken
}

// write makes the batch durable, if there is anything in it.
func (t *txn) write(ctx context.Context) error {
	b := &t.batch
	if len(b.Records)+len(b.Sources)+len(b.Listings)+len(b.Runs)+len(b.Moves)+len(b.Nodes)+len(b.Instances) == 0 {
		return nil
	}
	last, err := t.e.opt.Store.Commit(ctx, b)
	t.last = last
	return err
}

// publish tells workers and subscribers what became durable.
func (t *txn) publish() {
	if len(t.batch.Intents) > 0 {
		t.e.opt.OnStep(StepCommitted)
	}
	for _, in := range t.batch.Intents {
		t.e.dispatch(in)
	}
	for _, name := range t.e.state.Turned() {
		if s := t.e.sources[name]; s != nil {
			s.SetFast(t.e.state.Awaited(name))
		}
	}
	for i := range t.batch.Listings {
		t.e.listed[t.batch.Listings[i].Source] = true
	}
	for _, c := range t.heard {
		t.e.contacts[c.Source] = c
	}
	t.e.shown.take(&t.batch)
	for i := range t.changes {
		t.changes[i].Seq = t.last
	}
	t.e.hub.publish(t.changes)
}
