// Package uitest is a canned site to draw pages and API answers from: an in-memory ledger, an engine
// that records what it is asked, and a night's worth of chains in every state. It is for tests and for
// the storybook.
package uitest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Store is an in-memory ledger with its projections. Its methods may be called from any goroutine.
type Store struct {
	mu          sync.Mutex
	entries     []store.Entry
	sources     []store.Source
	jobs        []job.Job
	runs        map[job.RunKey]job.Run
	definitions map[job.Hash]chain.Definition
	current     map[string]job.Hash
	instances   map[chain.Key]chain.Instance
	intents     []store.Intent
	fail        error
}

// NewStore gives an empty one.
func NewStore() *Store {
	return &Store{
		runs: map[job.RunKey]job.Run{}, definitions: map[job.Hash]chain.Definition{},
		current: map[string]job.Hash{}, instances: map[chain.Key]chain.Instance{},
	}
}

// Fail makes every later call give err; nil ends it.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Append adds a record and gives its hash.
func (s *Store) Append(at time.Time, subject string, r job.Record, err error) job.Hash {
	if err != nil {
		r = job.Record{Kind: "broken", Body: []byte(err.Error())}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, store.Entry{Seq: int64(len(s.entries)) + 1, At: at, Subject: subject, Record: r})
	return r.Hash
}

// Observe appends an observation and merges it into its run.
func (s *Store) Observe(o job.Observation) job.Hash {
	r, err := o.Seal()
	h := s.Append(o.Sighting.Seen, store.RunSubject(o.Run), r, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[o.Run], _ = job.Merge(s.runs[o.Run], &o, h)
	return h
}

// Define makes a definition current and gives its version.
func (s *Store) Define(at time.Time, d chain.Definition) job.Hash {
	r, err := d.Seal()
	h := s.Append(at, store.ChainSubject(d.Chain), r, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.definitions[h], s.current[d.Chain] = d, h
	return h
}

// Put sets an instance.
func (s *Store) Put(in chain.Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instances[in.Key] = in
}

// PutIntent adds a start.
func (s *Store) PutIntent(in store.Intent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intents = append(s.intents, in)
}

// PutJobs adds jobs.
func (s *Store) PutJobs(jobs ...job.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, jobs...)
	slices.SortFunc(s.jobs, func(a, b job.Job) int { return compareRefs(a.Ref, b.Ref) })
}

// PutSource adds a source's row.
func (s *Store) PutSource(src store.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, src)
}

// After implements store.Ledger.
func (s *Store) After(_ context.Context, seq int64, limit int) ([]store.Entry, error) {
	return s.pick(limit, func(e store.Entry) bool { return e.Seq > seq })
}

// About implements store.Ledger.
func (s *Store) About(_ context.Context, subject string, seq int64, limit int) ([]store.Entry, error) {
	return s.pick(limit, func(e store.Entry) bool { return e.Seq > seq && e.Subject == subject })
}

func (s *Store) pick(limit int, match func(store.Entry) bool) ([]store.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []store.Entry
	for _, e := range s.entries {
		if match(e) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, s.fail
}

// ByHash implements store.Ledger.
func (s *Store) ByHash(_ context.Context, h job.Hash) (store.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.Hash == h {
			return e, s.fail
		}
	}
	return store.Entry{}, fmt.Errorf("read record %s: %w", h.Short(), store.ErrNotFound)
}

// Last implements store.Ledger.
func (s *Store) Last(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.entries)), s.fail
}

// Sources implements store.View.
func (s *Store) Sources(context.Context) ([]store.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sources), s.fail
}

// Jobs implements store.View.
func (s *Store) Jobs(_ context.Context, f store.JobFilter) ([]job.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []job.Job
	for _, j := range s.jobs {
		if (f.Source == "" || j.Source == f.Source) && compareRefs(j.Ref, f.After) > 0 && len(out) < size(f.Limit) {
			out = append(out, j)
		}
	}
	return out, s.fail
}

// Run implements store.View.
func (s *Store) Run(_ context.Context, k job.RunKey) (job.Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.runs[k]
	if !ok {
		return r, fmt.Errorf("read run %s: %w", k, store.ErrNotFound)
	}
	return r, s.fail
}

// Runs implements store.View.
func (s *Store) Runs(_ context.Context, f store.RunFilter) ([]job.Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []job.Run
	for _, r := range s.runs {
		if matchRun(f, r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b job.Run) int {
		return cmp.Or(store.Activity(&b).Compare(store.Activity(&a)), strings.Compare(b.Key.String(), a.Key.String()))
	})
	return out[:min(len(out), size(f.Limit))], s.fail
}

func matchRun(f store.RunFilter, r job.Run) bool {
	return (f.Source == "" || r.Key.Source == f.Source) && (f.Job == "" || r.Key.Job == f.Job) &&
		(f.Token == "" || r.Token == f.Token) && (len(f.States) == 0 || slices.Contains(f.States, r.State())) &&
		(f.Before.IsZero() || behind(store.Activity(&r), f.Before, r.Key.String(), f.Behind.String(), f.Behind.IsZero()))
}

// Definitions implements store.View.
func (s *Store) Definitions(context.Context) ([]chain.Definition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []chain.Definition
	for _, h := range s.current {
		out = append(out, s.definitions[h])
	}
	slices.SortFunc(out, func(a, b chain.Definition) int { return strings.Compare(a.Chain, b.Chain) })
	return out, s.fail
}

// Definition implements store.Recovery.
func (s *Store) Definition(_ context.Context, version job.Hash) (chain.Definition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.definitions[version]
	if !ok {
		return d, fmt.Errorf("read definition %s: %w", version.Short(), store.ErrNotFound)
	}
	return d, s.fail
}

// Instance implements store.View.
func (s *Store) Instance(_ context.Context, k chain.Key) (chain.Instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.instances[k]
	if !ok {
		return in, fmt.Errorf("read instance %s: %w", k, store.ErrNotFound)
	}
	return in, s.fail
}

// Instances implements store.View.
func (s *Store) Instances(_ context.Context, f store.InstanceFilter) ([]chain.Instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []chain.Instance
	for _, in := range s.instances {
		if (f.Chain == "" || in.Key.Chain == f.Chain) && (!f.Open || in.Closed.IsZero()) &&
			(f.Before.IsZero() || behind(in.Opened, f.Before, in.Key.String(), f.Behind.String(), f.Behind == chain.Key{})) {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b chain.Instance) int {
		return cmp.Or(b.Opened.Compare(a.Opened), strings.Compare(b.Key.String(), a.Key.String()))
	})
	return out[:min(len(out), size(f.Limit))], s.fail
}

// Intents implements store.View.
func (s *Store) Intents(_ context.Context, f store.IntentFilter) ([]store.Intent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []store.Intent
	for _, in := range s.intents {
		if (f.Token == "" || in.Token == f.Token) && (f.Key == chain.Key{} || in.Key == f.Key) &&
			(f.Run.IsZero() || in.Run == f.Run) && (len(f.States) == 0 || slices.Contains(f.States, in.State)) {
			out = append(out, in)
		}
	}
	return out, s.fail
}

func compareRefs(a, b job.Ref) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Job, b.Job))
}

func size(limit int) int {
	if limit <= 0 {
		return 100
	}
	return min(limit, 1000)
}

// behind tells whether something stands behind the last thing of a page.
func behind(at, before time.Time, key, last string, noLast bool) bool {
	return at.Before(before) || !noLast && at.Equal(before) && key < last
}

// Batch gives everything that is stored, for a store of the real kind.
func (s *Store) Batch(f store.Fence) *store.Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &store.Batch{Fence: f, Records: slices.Clone(s.entries), Sources: slices.Clone(s.sources), Intents: slices.Clone(s.intents)}
	for _, h := range s.current {
		b.Definitions = append(b.Definitions, s.definitions[h])
	}
	listings := map[string][]job.Job{}
	for _, j := range s.jobs {
		listings[j.Source] = append(listings[j.Source], j)
	}
	for name, jobs := range listings {
		b.Listings = append(b.Listings, store.Listing{Source: name, Jobs: jobs})
	}
	for _, r := range s.runs {
		b.Runs = append(b.Runs, r)
	}
	for _, in := range s.instances {
		b.Instances = append(b.Instances, in)
	}
	return b
}
