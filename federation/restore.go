package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// restore takes up the state from the store. Its cost grows with what is open, not with history.
func (e *Engine) restore(ctx context.Context) error {
	site, err := e.site(ctx)
	if err != nil {
		return err
	}
	return e.restoreState(ctx, site)
}

// reload throws the state in memory away and reads it again. A timer that fired in what was thrown away
// fires again: everything that a clock could decide is looked at with the next commit.
func (e *Engine) reload(ctx context.Context) error {
	err := e.restore(ctx)
	if err == nil {
		err = e.recall(ctx)
	}
	if err != nil {
		return fmt.Errorf("read the state again: %w", err)
	}
	for _, t := range e.state.All(time.Now().UTC()) {
		e.timers.add(t)
	}
	for name, s := range e.sources {
		s.SetFast(e.state.Awaited(name))
	}
	return nil
}

// site reads the installation's name, or makes one in an empty ledger.
func (e *Engine) site(ctx context.Context) (string, error) {
	found, err := e.opt.Store.About(ctx, store.SiteSubject, 0, 1)
	if err != nil {
		return "", err
	}
	var s chain.Site
	if len(found) == 1 {
		if err := found[0].Open(chain.KindSite, &s); err != nil {
			return "", err
		}
		return s.Name, nil
	}
	s = chain.Site{Created: time.Now().UTC().Round(0), Name: newSite()}
	rec, err := job.Seal(chain.KindSite, &s)
	if err != nil {
		return "", err
	}
	entry := store.Entry{At: s.Created, Subject: store.SiteSubject, Record: rec}
	_, err = e.opt.Store.Commit(ctx, &store.Batch{Fence: e.fence, Records: []store.Entry{entry}})
	return s.Name, err
}

func (e *Engine) restoreState(ctx context.Context, site string) error {
	now := time.Now().UTC()
	var r chain.Restore
	var err error
	if r.Instances, err = e.opt.Store.OpenInstances(ctx); err != nil {
		return err
	}
	// An instance opens at most CatchUp after its head run began, or when its business date begins.
	if r.Closed, err = e.opt.Store.ClosedKeys(ctx, now.Add(-chain.CatchUp-2*time.Hour)); err != nil {
		return err
	}
	if r.Versions, r.Current, err = e.versions(ctx, r.Instances); err != nil {
		return err
	}
	if err := e.restoreRows(ctx, &r); err != nil {
		return err
	}
	state, err := chain.Restored(site, r)
	if err != nil {
		return err
	}
	e.state, e.timers = state, timers{}
	for _, t := range state.Timers(now) {
		e.timers.add(t)
	}
	return nil
}

// restoreRows reads the sources' rows and which native schedules are in effect.
func (e *Engine) restoreRows(ctx context.Context, r *chain.Restore) error {
	rows, err := e.opt.Store.Sources(ctx)
	if err != nil {
		return err
	}
	e.rows, e.native = map[string]store.Source{}, map[string]map[string]bool{}
	for _, row := range rows {
		e.rows[row.Name] = row
		if _, told := e.contacts[row.Name]; !told && e.sources[row.Name] != nil && !row.Contact.Since.IsZero() {
			r.Contacts = append(r.Contacts, contactRecord(row.Name, row.Contact, row.Contact.Since))
		}
	}
	for _, c := range e.contacts { // what was recorded since we started says when, to the nanosecond
		r.Contacts = append(r.Contacts, c)
	}
	for _, name := range e.sourceNames() {
		if err := e.restoreJobs(ctx, name); err != nil {
			return err
		}
	}
	e.shown.reset(e.rows, e.native)
	return nil
}

func (e *Engine) restoreJobs(ctx context.Context, source string) error {
	known := map[string]bool{}
	e.native[source] = known
	f := store.JobFilter{Source: source, Limit: 1000}
	for {
		jobs, err := e.opt.Store.Jobs(ctx, f)
		if err != nil {
			return err
		}
		for i := range jobs {
			known[jobs[i].Job] = jobs[i].Enabled
		}
		if len(jobs) < f.Limit {
			return nil
		}
		f.After = jobs[len(jobs)-1].Ref
	}
}

// versions gives every definition that is current or that an open instance keeps, current ones last,
// and since when each chain is in service.
func (e *Engine) versions(ctx context.Context, open []chain.Instance) ([]chain.Definition, map[string]time.Time, error) {
	current, err := e.opt.Store.Definitions(ctx)
	if err != nil {
		return nil, nil, err
	}
	since := map[string]time.Time{}
	have := map[job.Hash]bool{}
	for i := range current {
		rec, err := current[i].Seal()
		if err != nil {
			return nil, nil, err
		}
		have[rec.Hash] = true
		if since[current[i].Chain], err = e.inService(ctx, current[i].Chain); err != nil {
			return nil, nil, err
		}
	}
	var versions []chain.Definition
	for i := range open {
		if v := open[i].Version; !have[v] {
			have[v] = true
			def, err := e.opt.Store.Definition(ctx, v)
			if err != nil {
				return nil, nil, fmt.Errorf("definition %s of %s: %w", v.Short(), open[i].Key, err)
			}
			versions = append(versions, def)
		}
	}
	return append(versions, current...), since, nil
}

// inService tells since when a chain is in service: when a definition of it came into force first after
// its last retirement.
func (e *Engine) inService(ctx context.Context, name string) (since time.Time, err error) {
	const page = 1000
	for seq := int64(0); ; {
		entries, err := e.opt.Store.About(ctx, store.ChainSubject(name), seq, page)
		if err != nil {
			return time.Time{}, err
		}
		for _, en := range entries {
			seq = en.Seq
			switch {
			case en.Kind == chain.KindRetirement:
				since = time.Time{}
			case (en.Kind == chain.KindDefinition || en.Kind == chain.KindActivation) && since.IsZero():
				since = en.At
			}
		}
		if len(entries) < page {
			return since, nil
		}
	}
}

// begin puts the configured chains into force, evaluates everything once, and hands unfinished starts
// to the workers. It gives each source's stored cursor.
func (e *Engine) begin(ctx context.Context) (map[string]adapters.Cursor, error) {
	cursors := map[string]adapters.Cursor{}
	defs, err := e.seal(ctx, e.opt.Definitions)
	if err != nil {
		return nil, err
	}
	err = e.submit(ctx, func(t *txn) error {
		if err := t.unseen(); err != nil {
			return err
		}
		if err := t.define(defs); err != nil {
			return err
		}
		for _, timer := range e.state.All(t.now) {
			t.decide(chain.Tick{Timer: timer})
		}
		e.begun = true
		for name, row := range e.rows {
			cursors[name] = slices.Clone(row.Cursor)
		}
		for name, s := range e.sources {
			s.SetFast(e.state.Awaited(name))
		}
		return nil
	})
	if err == nil {
		err = e.recall(ctx)
	}
	return cursors, err
}

// unseen records that no source was looked at while we were not there: what should have started
// meanwhile is not missed before it was read.
func (t *txn) unseen() error {
	for _, name := range t.e.sourceNames() {
		c := chain.Contact{At: t.now, Blind: true, Error: "not polled yet since Signalbox started", Since: t.now, Source: name}
		if err := t.contact(c); err != nil {
			return err
		}
	}
	return nil
}

// recall hands the starts that are not finished to their workers. A worker ignores what it has already.
func (e *Engine) recall(ctx context.Context) error {
	open, err := e.opt.Store.Intents(ctx, store.IntentFilter{
		States: []chain.Send{chain.SendPending, chain.SendSent}, Limit: math.MaxInt32,
	})
	if err != nil {
		return fmt.Errorf("read the unfinished starts: %w", err)
	}
	for _, in := range open {
		e.dispatch(in)
	}
	return nil
}

// dispatch hands a start to the worker of its source.
func (e *Engine) dispatch(in store.Intent) {
	if w := e.workers[in.Job.Source]; w != nil {
		w.add(in)
		return
	}
	e.log.Warn("a start waits for a source that is not configured: configure it, or skip the job",
		slog.String("job", in.Job.String()), slog.String("instance", in.Key.String()), slog.String("token", in.Token))
}

// version is a configured definition, sealed.
type version struct {
	chain.Definition
	job.Record
	known bool // the ledger holds it: it was in force before
}

// seal checks and encodes what is configured, and looks up what was in force before.
func (e *Engine) seal(ctx context.Context, defs []chain.Definition) ([]version, error) {
	out := make([]version, len(defs))
	var errs []error
	for i := range defs {
		v := version{Definition: defs[i]}
		err := v.Check()
		if err == nil {
			v.Record, err = v.Seal()
		}
		if err == nil {
			_, err = e.opt.Store.Definition(ctx, v.Hash)
			v.known = err == nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			errs = append(errs, err)
		}
		out[i] = v
	}
	return out, errors.Join(errs...)
}

// define brings the chains in force to what is configured.
func (t *txn) define(defs []version) error {
	current := map[string]job.Hash{}
	for _, def := range t.e.state.Current() {
		rec, err := def.Seal()
		if err != nil {
			return err
		}
		current[def.Chain] = rec.Hash
	}
	for i := range defs {
		had := current[defs[i].Chain]
		delete(current, defs[i].Chain)
		if had == defs[i].Hash {
			continue
		}
		if err := t.activate(&defs[i]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(current)) {
		if err := t.retire(name); err != nil {
			return err
		}
	}
	return nil
}

// activate puts a version into force. One that was in force before is named by a record of its own: the
// ledger holds each record once.
func (t *txn) activate(v *version) error {
	subject, h := store.ChainSubject(v.Chain), v.Hash
	if !v.known {
		t.batch.Records = append(t.batch.Records, store.Entry{At: t.now, Subject: subject, Record: v.Record})
	} else {
		var err error
		if h, err = t.record(subject, chain.KindActivation, &chain.Activation{At: t.now, Chain: v.Chain, Version: v.Hash}); err != nil {
			return err
		}
	}
	t.decide(chain.Defined{Definition: v.Definition, Record: h})
	return nil
}

func (t *txn) retire(name string) error {
	r := chain.Retirement{At: t.now, Chain: name}
	h, err := t.record(store.ChainSubject(name), chain.KindRetirement, &r)
	if err != nil {
		return err
	}
	t.decide(chain.Retired{Retirement: r, Record: h})
	return nil
}
