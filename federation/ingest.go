package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// gapsKept bounds how many gaps a source's row holds; all of them stand in the ledger.
const gapsKept = 20

// Record kinds about sources.
const (
	KindGap    = "gap/1"
	KindCancel = "cancel/1"
)

// GapRecord is the record of something that can no longer be read from a source.
type GapRecord struct {
	At     time.Time `json:"at"` // UTC, when it was noticed
	Since  time.Time `json:"since,omitzero"`
	Source string    `json:"source"`
	Until  time.Time `json:"until,omitzero"`
	What   string    `json:"what"`
}

// Take implements [adapters.Sink]: observations, the decisions that follow, and the cursor become
// durable together. What can be worked out without the committer is, before its turn comes: a run belongs
// to one source, which hands over one batch at a time.
func (e *Engine) Take(ctx context.Context, source string, b adapters.Batch) error {
	runs, news, err := e.merge(ctx, b.Observations)
	if err != nil {
		return err
	}
	gaps, err := gapRecords(source, b.Gaps)
	if err != nil {
		return err
	}
	err = e.do(ctx, func(t *txn) error {
		for i := range news {
			if t.observe(&news[i]); t.broken != nil {
				return t.broken
			}
		}
		for i := range gaps {
			gaps[i].At = t.now
			if _, err := t.record(store.SourceSubject(source), KindGap, &gaps[i]); err != nil {
				t.broken = err
				return err
			}
		}
		t.advance(source, &b)
		return nil
	})
	e.runs.settle(runs, err == nil)
	return err
}

// sighted is an observation that is to be kept, with the run that it makes.
type sighted struct {
	job.Record
	run     job.Run
	changed bool // it says something new about the run
}

// merge folds observations into their runs. One that says what is known already leaves no trace; one that
// is late or contradicting is kept as evidence although it changes nothing.
func (e *Engine) merge(ctx context.Context, obs []job.Observation) (map[job.RunKey]job.Run, []sighted, error) {
	runs, err := e.known(ctx, obs)
	if err != nil {
		return nil, nil, err
	}
	news := make([]sighted, 0, len(obs))
	for i := range obs {
		o := &obs[i]
		run := runs[o.Run]
		if !run.Key.IsZero() && run.Fingerprint == o.Fingerprint() {
			continue
		}
		rec, err := o.Seal()
		if err != nil {
			return nil, nil, fmt.Errorf("observation of run %s: %w", o.Run, err)
		}
		merged, changed := job.Merge(run, o, rec.Hash)
		news = append(news, sighted{rec, merged, changed})
		runs[o.Run] = merged
	}
	return runs, news, nil
}

// known reads the runs that are observed, as far as they are not in memory.
func (e *Engine) known(ctx context.Context, obs []job.Observation) (map[job.RunKey]job.Run, error) {
	runs := make(map[job.RunKey]job.Run, len(obs))
	var unread []job.RunKey
	for i := range obs {
		k := obs[i].Run
		if _, ok := runs[k]; ok {
			continue
		}
		r, ok := e.runs.run(k)
		if !ok {
			unread = append(unread, k)
		}
		runs[k] = r
	}
	found, err := e.read(ctx, unread)
	for i := range found {
		runs[found[i].Key] = found[i]
	}
	return runs, err
}

// manyReader is a store that reads many runs at once for less than one by one. Those that are not stored
// are left out.
type manyReader interface {
	RunsOf(ctx context.Context, keys []job.RunKey) ([]job.Run, error)
}

// read reads the runs of some keys, as far as they are stored.
func (e *Engine) read(ctx context.Context, keys []job.RunKey) ([]job.Run, error) {
	if many, ok := e.opt.Store.(manyReader); ok {
		return many.RunsOf(ctx, keys)
	}
	var out []job.Run
	for _, k := range keys {
		r, err := e.opt.Store.Run(ctx, k)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read run %s: %w", k, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// observe keeps an observation and decides.
func (t *txn) observe(s *sighted) {
	t.batch.Records = append(t.batch.Records, store.Entry{At: t.now, Subject: store.RunSubject(s.run.Key), Record: s.Record})
	if s.changed {
		t.run(s.run)
		t.decide(chain.Observed{Run: s.run, Record: s.Hash})
	}
}

// gapRecords makes the records of gaps, and finds out before the commit whether they can be written.
func gapRecords(source string, gaps []adapters.Gap) ([]GapRecord, error) {
	out := make([]GapRecord, len(gaps))
	for i, g := range gaps {
		out[i] = GapRecord{Since: g.Since, Source: source, Until: g.Until, What: g.What}
		if _, err := job.Seal(KindGap, &out[i]); err != nil {
			return nil, fmt.Errorf("gap %q: %w", g.What, err)
		}
	}
	return out, nil
}

// advance moves the source's row: cursor, offset, gaps.
func (t *txn) advance(source string, b *adapters.Batch) {
	row := t.e.row(source)
	row.Cursor, row.CursorAt = slices.Clone(b.Next), t.now
	if s := t.e.sources[source]; s != nil {
		row.Offset, row.Properties = s.Health().Offset, s.Properties()
	}
	for _, g := range b.Gaps {
		row.Gaps = slices.Insert(slices.Clone(row.Gaps), 0, g)
	}
	row.Gaps = row.Gaps[:min(len(row.Gaps), gapsKept)]
	t.source(row)
}

func (e *Engine) row(source string) store.Source {
	row := e.rows[source]
	row.Name = source
	return row
}

// TakeListing implements [adapters.Sink].
func (e *Engine) TakeListing(ctx context.Context, source string, l adapters.Listing) error {
	err := e.do(ctx, func(t *txn) error {
		jobs := make(map[string]bool, len(l.Jobs))
		for i := range l.Jobs {
			jobs[l.Jobs[i].Job] = l.Jobs[i].Enabled
		}
		e.native[source] = jobs
		row := e.row(source)
		row.ListedAt, row.Problems = t.now, l.Problems
		if s := e.sources[source]; s != nil {
			row.Properties = s.Properties()
		}
		t.batch.Listings = append(t.batch.Listings, store.Listing{Source: source, Jobs: l.Jobs})
		t.source(row)
		return nil
	})
	if w := e.workers[source]; w != nil && err == nil {
		w.wake()
	}
	return err
}

// TakeContact implements [adapters.Sink].
func (e *Engine) TakeContact(ctx context.Context, source string, c adapters.Contact) error {
	err := e.do(ctx, func(t *txn) error {
		row := e.row(source)
		row.Contact = c
		if s := e.sources[source]; s != nil {
			row.Properties = s.Properties()
		}
		if err := t.contact(contactRecord(source, c, t.now)); err != nil {
			return err
		}
		t.source(row)
		return nil
	})
	if w := e.workers[source]; w != nil && err == nil && !c.Blind {
		w.wake()
	}
	return err
}

func contactRecord(source string, c adapters.Contact, at time.Time) chain.Contact {
	return chain.Contact{At: at.UTC(), Blind: c.Blind, Error: c.Error, Kind: string(c.Kind), Since: c.Since.UTC(), Source: source}
}

// runCache keeps the runs touched last as the ledger has them, so that the usual observation costs no
// read. It holds two generations of bounded size. The zero value is empty; it may be used from any
// goroutine.
type runCache struct {
	mu         sync.Mutex
	young, old map[job.RunKey]job.Run
}

const generation = 2048

func (c *runCache) run(k job.RunKey) (job.Run, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.young[k]; ok {
		return r, true
	}
	r, ok := c.old[k]
	return r, ok
}

// settle takes in what became durable; what may or may not have is read again when it is needed.
func (c *runCache) settle(runs map[job.RunKey]job.Run, durable bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, r := range runs {
		switch {
		case !durable:
			delete(c.young, k)
			delete(c.old, k)
			continue
		case r.Terminal():
			delete(c.young, k) // little more will be heard of it
			delete(c.old, k)
			continue
		case len(c.young) >= generation:
			c.old, c.young = c.young, nil
		}
		if c.young == nil {
			c.young = make(map[job.RunKey]job.Run)
		}
		c.young[k] = r
	}
}
