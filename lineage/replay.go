package lineage

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// replayPage is how many records are read at a time.
const replayPage = 1000

// Report is what [Replay] found.
type Report struct {
	Records   int64      // read
	Decisions int64      // receipts computed again
	Equal     int64      // of them, to the same bytes
	Faults    []Mismatch // the others, and what could not be read; at most [FaultsKept]
	More      bool       // there were more faults than are kept
}

// FaultsKept bounds how many mismatches a report holds.
const FaultsKept = 100

// Mismatch is a record that is not what the ledger before it leads to.
type Mismatch struct {
	Seq  int64 // of the record in the ledger
	Hash job.Hash
	What string // one sentence
}

// Replay computes every decision of a ledger again, from nothing but the records before it, and
// compares the bytes. It also checks each record against its hash and that no place is missing. It
// reads the whole ledger: its cost grows with history.
func Replay(ctx context.Context, l store.Ledger) (Report, error) {
	r := replay{runs: map[job.RunKey]job.Run{}, versions: map[job.Hash]chain.Definition{}}
	for {
		entries, err := l.After(ctx, r.seq, replayPage)
		if err != nil {
			return r.report, fmt.Errorf("replay after record %d: %w", r.seq, err)
		}
		for i := range entries {
			r.entry(&entries[i])
		}
		if len(entries) < replayPage {
			r.rest()
			return r.report, nil
		}
	}
}

// replay is the state of a replay: what the engine would know at this place of the ledger.
type replay struct {
	report   Report
	seq      int64
	state    *chain.State
	runs     map[job.RunKey]job.Run
	versions map[job.Hash]chain.Definition
	pending  []job.Record // receipts that the ledger must hold next
	at       int64        // record that led to them
}

func (r *replay) entry(e *store.Entry) {
	r.report.Records++
	if e.Seq != r.seq+1 {
		r.fault(e, fmt.Sprintf("records %d to %d are missing", r.seq+1, e.Seq-1))
	}
	r.seq = e.Seq
	if job.HashOf(e.Kind, e.Body) != e.Hash {
		r.fault(e, "its bytes do not match its hash")
		return
	}
	if e.Kind == chain.KindReceipt {
		r.receipt(e)
		return
	}
	r.rest()
	ev, err := r.event(e)
	if err == nil && ev != nil {
		err = r.decide(ev, e)
	}
	if err != nil {
		r.fault(e, err.Error())
	}
}

// event turns a record into what Decide was fed with; records that decide nothing give none.
func (r *replay) event(e *store.Entry) (chain.Event, error) {
	switch e.Kind {
	case chain.KindSite:
		var s chain.Site
		err := e.Open(e.Kind, &s)
		r.state = chain.NewState(s.Name)
		return nil, err
	case job.KindObservation:
		return r.observed(e)
	case chain.KindDefinition:
		ev := chain.Defined{Record: e.Hash}
		err := e.Open(e.Kind, &ev.Definition)
		r.versions[e.Hash] = ev.Definition
		return ev, err
	case chain.KindActivation:
		return r.activated(e)
	}
	return decode(e)
}

// activated finds the definition that came into force again.
func (r *replay) activated(e *store.Entry) (chain.Event, error) {
	var a chain.Activation
	if err := e.Open(e.Kind, &a); err != nil {
		return nil, err
	}
	def, ok := r.versions[a.Version]
	if !ok {
		return nil, fmt.Errorf("definition %s of chain %s, which came into force again, is not in the ledger before it", a.Version.Short(), a.Chain)
	}
	return chain.Defined{Definition: def, Record: e.Hash}, nil
}

func decode(e *store.Entry) (chain.Event, error) {
	switch e.Kind {
	case chain.KindRetirement:
		ev := chain.Retired{Record: e.Hash}
		err := e.Open(e.Kind, &ev.Retirement)
		return ev, err
	case chain.KindEffect:
		ev := chain.Effected{Record: e.Hash}
		err := e.Open(e.Kind, &ev.Effect)
		return ev, err
	case chain.KindCommand:
		ev := chain.Commanded{Record: e.Hash}
		err := e.Open(e.Kind, &ev.Command)
		return ev, err
	case chain.KindContact:
		ev := chain.Contacted{Record: e.Hash}
		err := e.Open(e.Kind, &ev.Contact)
		return ev, err
	}
	return nil, nil //nolint:nilnil // no event, no error: the record decides nothing
}

func (r *replay) observed(e *store.Entry) (chain.Event, error) {
	var o job.Observation
	if err := e.Open(e.Kind, &o); err != nil {
		return nil, err
	}
	run, changed := job.Merge(r.runs[o.Run], &o, e.Hash)
	if !changed {
		return nil, nil //nolint:nilnil // late or contradicting news: evidence, not an event
	}
	r.runs[o.Run] = run
	return chain.Observed{Run: run, Record: e.Hash}, nil
}

// decide feeds an event and notes the receipts that must follow.
func (r *replay) decide(ev chain.Event, e *store.Entry) error {
	if r.state == nil {
		return errors.New("the ledger does not begin with the record of its site")
	}
	out, err := chain.Decide(r.state, ev, e.At)
	if err != nil {
		return err
	}
	r.at = e.Seq
	for i := range out.Receipts {
		rec, err := job.Seal(chain.KindReceipt, &out.Receipts[i])
		if err != nil {
			return err
		}
		r.pending = append(r.pending, rec)
	}
	return r.state.Apply(&out)
}

// receipt compares a stored receipt with the one that is due. One that a clock caused has no record
// before it: the clock is moved to the time it names.
func (r *replay) receipt(e *store.Entry) {
	r.report.Decisions++
	var stored chain.Receipt
	if err := e.Open(chain.KindReceipt, &stored); err != nil {
		r.fault(e, err.Error())
		return
	}
	if len(r.pending) == 0 && stored.Cause.Clock {
		if err := r.clock(&stored, e); err != nil {
			r.fault(e, err.Error())
			return
		}
	}
	if len(r.pending) == 0 {
		r.fault(e, "nothing before it leads to this decision")
		return
	}
	due := r.pending[0]
	r.pending = r.pending[1:]
	if !bytes.Equal(due.Body, e.Body) {
		r.fault(e, fmt.Sprintf("the records lead to another decision: %s", due.Body))
		return
	}
	r.report.Equal++
}

// clock repeats the tick that a receipt came from.
func (r *replay) clock(stored *chain.Receipt, e *store.Entry) error {
	timer := chain.Timer{At: stored.DecidedAt, Key: stored.Instance, Node: -1}
	if stored.Verdict == chain.Opened {
		timer = chain.Timer{At: stored.DecidedAt, Chain: stored.Instance.Chain}
	}
	if stored.Node != "" && r.state != nil {
		if in, ok := r.state.Instance(stored.Instance); ok {
			for i := range in.Nodes {
				if in.Nodes[i].Name == stored.Node {
					timer.Node = i
				}
			}
		}
	}
	return r.decide(chain.Tick{Timer: timer}, e)
}

// rest reports receipts that are due but do not stand in the ledger.
func (r *replay) rest() {
	for _, due := range r.pending {
		r.fault(&store.Entry{Seq: r.at, Record: due}, fmt.Sprintf("the decision that follows from it is missing: %s", due.Body))
	}
	r.pending = nil
}

func (r *replay) fault(e *store.Entry, what string) {
	if len(r.report.Faults) >= FaultsKept {
		r.report.More = true
		return
	}
	r.report.Faults = append(r.report.Faults, Mismatch{Seq: e.Seq, Hash: e.Hash, What: what})
}
