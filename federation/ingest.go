package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
// durable together.
func (e *Engine) Take(ctx context.Context, source string, b adapters.Batch) error {
	return e.do(ctx, func(t *txn) error {
		// Whatever can fail without having changed anything comes first.
		known, err := e.known(ctx, b.Observations)
		if err != nil {
			return err
		}
		for i := range b.Observations {
			if err := t.observe(&b.Observations[i], known); err != nil {
				t.broken = err
				return err
			}
		}
		return t.advance(source, &b)
	})
}

// known reads the runs that are observed, as far as they are not in memory.
func (e *Engine) known(ctx context.Context, obs []job.Observation) (map[job.RunKey]job.Run, error) {
	runs := make(map[job.RunKey]job.Run, len(obs))
	for i := range obs {
		k := obs[i].Run
		if _, ok := runs[k]; ok {
			continue
		}
		if r, ok := e.runs.run(k); ok {
			runs[k] = r
			continue
		}
		r, err := e.opt.Store.Run(ctx, k)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("read run %s: %w", k, err)
		}
		runs[k] = r
	}
	return runs, nil
}

// observe merges an observation into its run and decides. One that says what is known already leaves no
// trace; one that is late or contradicting is kept as evidence although it changes nothing.
func (t *txn) observe(o *job.Observation, known map[job.RunKey]job.Run) error {
	run := known[o.Run]
	if run.Fingerprint == o.Fingerprint() {
		return nil
	}
	rec, err := o.Seal()
	if err != nil {
		return err
	}
	t.batch.Records = append(t.batch.Records, store.Entry{At: t.now, Subject: store.RunSubject(o.Run), Record: rec})
	merged, changed := job.Merge(run, o, rec.Hash)
	if !changed {
		return nil
	}
	known[o.Run] = merged
	t.run(merged)
	t.decide(chain.Observed{Run: merged, Record: rec.Hash})
	return t.broken
}

// advance moves the source's row: cursor, offset, gaps.
func (t *txn) advance(source string, b *adapters.Batch) error {
	row := t.e.row(source)
	row.Cursor, row.CursorAt = slices.Clone(b.Next), t.now
	if s := t.e.sources[source]; s != nil {
		row.Offset, row.Properties = s.Health().Offset, s.Properties()
	}
	for _, g := range b.Gaps {
		rec := GapRecord{At: t.now, Since: g.Since, Source: source, Until: g.Until, What: g.What}
		if _, err := t.record(store.SourceSubject(source), KindGap, &rec); err != nil {
			t.broken = err
			return err
		}
		row.Gaps = slices.Insert(slices.Clone(row.Gaps), 0, g)
	}
	row.Gaps = row.Gaps[:min(len(row.Gaps), gapsKept)]
	t.source(row)
	return nil
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

// runCache keeps the runs touched last, so that the usual observation costs no read. It holds two
// generations of bounded size. The zero value is empty.
type runCache struct{ young, old map[job.RunKey]job.Run }

const generation = 8192

func (c *runCache) run(k job.RunKey) (job.Run, bool) {
	if r, ok := c.young[k]; ok {
		return r, true
	}
	r, ok := c.old[k]
	return r, ok
}

func (c *runCache) put(r job.Run) {
	if len(c.young) >= generation {
		c.old, c.young = c.young, nil
	}
	if c.young == nil {
		c.young = make(map[job.RunKey]job.Run)
	}
	c.young[r.Key] = r
}
