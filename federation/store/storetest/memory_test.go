package storetest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/storetest"
)

// memory is the smallest right ledger: it shows what the suite asks for without a database, and is
// what the wrong ones are made from. Opened again, it is the same ledger.
type memory struct {
	mu     sync.RWMutex
	data   data
	leases map[string]lease
	wrong  flaw
}

// flaw is a way in which a ledger is wrong.
type flaw string

type lease struct {
	owner string
	fence int64
	until time.Time
}

// data is everything that a commit changes. A commit works on a copy.
type data struct {
	records   []store.Entry
	current   map[string]job.Hash
	versions  map[job.Hash]chain.Definition
	sources   map[string]store.Source
	jobs      map[string][]job.Job
	runs      map[job.RunKey]job.Run
	order     []job.RunKey // of runs, as first seen
	instances map[chain.Key]chain.Instance
	opened    []chain.Key // of instances, as first seen
	intents   []store.Intent
	edges     []store.Edge
}

// handle is one opening of a memory.
type handle struct {
	*memory
	closed bool
}

var (
	_ storetest.Opener = (*memory)(nil)
	_ store.Store      = (*handle)(nil)
)

var errClosed = errors.New("closed")

func newMemory(wrong flaw) *memory {
	return &memory{wrong: wrong, leases: map[string]lease{}, data: data{
		current: map[string]job.Hash{}, versions: map[job.Hash]chain.Definition{}, sources: map[string]store.Source{},
		jobs: map[string][]job.Job{}, runs: map[job.RunKey]job.Run{}, instances: map[chain.Key]chain.Instance{},
	}}
}

func (d *data) clone() data {
	return data{
		records: slices.Clone(d.records), current: maps.Clone(d.current), versions: maps.Clone(d.versions),
		sources: maps.Clone(d.sources), jobs: maps.Clone(d.jobs), runs: maps.Clone(d.runs), order: slices.Clone(d.order),
		instances: maps.Clone(d.instances), opened: slices.Clone(d.opened), intents: slices.Clone(d.intents), edges: slices.Clone(d.edges),
	}
}

func (m *memory) Open(context.Context) (store.Store, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wrong == forgets {
		m.data.intents = nil
	}
	return &handle{memory: m}, nil
}

func (h *handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

// Commit implements store.Writer.
func (h *handle) Commit(ctx context.Context, b *store.Batch) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, errClosed
	}
	if err := ctx.Err(); err != nil && h.wrong != deafToCancel {
		return 0, err
	}
	l := h.leases[b.Fence.Lease]
	if (l.fence != b.Fence.Value || l.owner == "") && h.wrong != fenceIgnored {
		return 0, store.ErrFenced
	}
	next := h.data.clone()
	if h.wrong == halfApplied {
		h.data = next // shares its maps: what is written before an error stays
		if err := h.data.apply(b, h.wrong); err != nil {
			return 0, err
		}
	} else {
		if err := next.apply(b, h.wrong); err != nil {
			return 0, err
		}
		h.data = next
	}
	return int64(len(h.data.records)), nil
}

func (d *data) apply(b *store.Batch, wrong flaw) error {
	for _, step := range []func(*store.Batch, flaw) error{
		d.addRecords, d.setDefinitions, d.setSources, d.setRuns, d.setInstances, d.setNodes, d.addIntents, d.moveIntents, d.addEdges,
	} {
		if err := step(b, wrong); err != nil {
			return err
		}
	}
	return nil
}

func (d *data) addRecords(b *store.Batch, wrong flaw) error {
	for _, e := range b.Records {
		if job.HashOf(e.Kind, e.Body) != e.Hash && wrong != hashUnchecked {
			return errors.New("hash")
		}
		if wrong != storedTwice && slices.ContainsFunc(d.records, func(o store.Entry) bool { return o.Hash == e.Hash }) {
			continue
		}
		e.Seq = int64(len(d.records) + 1)
		d.records = append(d.records, e)
	}
	return nil
}

func (d *data) setDefinitions(b *store.Batch, _ flaw) error {
	for i := range b.Definitions {
		r, err := b.Definitions[i].Seal()
		if err != nil {
			return err
		}
		d.versions[r.Hash] = b.Definitions[i]
		d.current[b.Definitions[i].Chain] = r.Hash
	}
	for _, name := range b.Retired {
		delete(d.current, name)
	}
	return nil
}

func (d *data) setSources(b *store.Batch, _ flaw) error {
	for _, s := range b.Sources {
		d.sources[s.Name] = s
	}
	for _, l := range b.Listings {
		for i := range l.Jobs {
			if l.Jobs[i].Source != l.Source {
				return errors.New("job of another source")
			}
		}
		d.jobs[l.Source] = l.Jobs
	}
	return nil
}

func (d *data) setRuns(b *store.Batch, _ flaw) error {
	for i := range b.Runs {
		k := b.Runs[i].Key
		if _, known := d.runs[k]; !known {
			d.order = append(d.order, k)
		}
		d.runs[k] = b.Runs[i]
	}
	return nil
}

func (d *data) setInstances(b *store.Batch, wrong flaw) error {
	for _, in := range b.Instances {
		old, known := d.instances[in.Key]
		if !known {
			d.opened = append(d.opened, in.Key)
		}
		if in.Nodes == nil && wrong != nodesLost {
			in.Nodes = old.Nodes
		}
		d.instances[in.Key] = in
	}
	return nil
}

func (d *data) setNodes(b *store.Batch, _ flaw) error {
	for _, c := range b.Nodes {
		in, known := d.instances[c.Key]
		if !known || c.Index >= len(in.Nodes) {
			return store.ErrNotFound
		}
		in.Nodes = slices.Clone(in.Nodes)
		in.Nodes[c.Index] = c.State
		d.instances[c.Key] = in
	}
	return nil
}

func (d *data) addIntents(b *store.Batch, _ flaw) error {
	for _, in := range b.Intents {
		if slices.ContainsFunc(d.intents, func(o store.Intent) bool {
			return o.Token == in.Token || (o.Key == in.Key && o.Node == in.Node && o.Attempt == in.Attempt)
		}) {
			return store.ErrConflict
		}
		d.intents = append(d.intents, in)
	}
	return nil
}

func (d *data) moveIntents(b *store.Batch, wrong flaw) error {
	for _, m := range b.Moves {
		i := slices.IndexFunc(d.intents, func(o store.Intent) bool { return o.Token == m.Token })
		if i < 0 {
			return store.ErrNotFound
		}
		in := &d.intents[i]
		if in.State != m.From && wrong != doubleClaim {
			return store.ErrConflict
		}
		in.State, in.Updated = m.To, m.At
		in.Note = cmp.Or(m.Note, in.Note)
		in.Run = cmp.Or(m.Run, in.Run)
	}
	return nil
}

func (d *data) addEdges(b *store.Batch, _ flaw) error {
	for _, e := range b.Edges {
		if !slices.Contains(d.edges, e) {
			d.edges = append(d.edges, e)
		}
	}
	return nil
}

// Acquire implements store.Leases.
func (h *handle) Acquire(_ context.Context, name, owner string, ttl time.Duration) (store.Fence, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name == "" || owner == "" || ttl <= 0 {
		return store.Fence{}, errors.New("incomplete")
	}
	l := h.leases[name]
	if l.owner != "" && l.owner != owner && l.until.After(time.Now()) && h.wrong != anyOwner {
		return store.Fence{}, &store.HeldError{Lease: name, Owner: l.owner, Until: l.until}
	}
	if l.owner != owner || h.wrong != fenceStays {
		l.fence++
	}
	h.leases[name] = lease{owner: owner, fence: l.fence, until: time.Now().Add(ttl)}
	return store.Fence{Lease: name, Value: l.fence}, nil
}

// Renew implements store.Leases.
func (h *handle) Renew(_ context.Context, f store.Fence, ttl time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.leases[f.Lease]
	late := l.until.Before(time.Now()) && h.wrong != lateRenewal
	if l.owner == "" || l.fence != f.Value || late {
		return store.ErrFenced
	}
	l.until = time.Now().Add(ttl)
	h.leases[f.Lease] = l
	return nil
}

// Release implements store.Leases.
func (h *handle) Release(_ context.Context, f store.Fence) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.leases[f.Lease]; l.fence == f.Value {
		h.leases[f.Lease] = lease{fence: l.fence}
	}
	return nil
}

func missing(what any) error { return fmt.Errorf("%v: %w", what, store.ErrNotFound) }
