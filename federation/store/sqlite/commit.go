package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Commit implements [store.Writer]. Records with the hash of one that is stored already are ignored:
// they get no new place. The steps run in the order of the batch's fields.
func (s *Store) Commit(ctx context.Context, b *store.Batch) (last int64, err error) {
	for i := range b.Records {
		r := &b.Records[i]
		if job.HashOf(r.Kind, r.Body) != r.Hash {
			return 0, fmt.Errorf("commit: record %d of the batch (%s about %s): the bytes do not match the hash", i, r.Kind, r.Subject)
		}
		if unshelf(shelf(r.Subject)) != r.Subject {
			return 0, fmt.Errorf("commit: record %d of the batch: %q is not a subject of this contract", i, r.Subject)
		}
	}
	t := &task{db: s.w.stmts, b: b}
	err = s.w.do(ctx, t.fence, t.records, t.definitions, t.sources, t.listings, t.runs, t.instances, t.nodes,
		t.intents, t.moves, t.edges, func(ctx context.Context) error {
			return t.db.one(ctx, sqlLast, nil, &last)
		})
	if err != nil {
		return 0, fmt.Errorf("commit: %w", explain(err))
	}
	return last, nil
}

// task is one batch on its way into the tables.
type task struct {
	db   *prepared
	b    *store.Batch
	seen map[job.Hash]int64 // places of the batch's observations; may lack any
}

const sqlLast = "SELECT coalesce(max(seq), 0) FROM record"

func (t *task) fence(ctx context.Context) error {
	var valid int
	const text = "SELECT count(*) FROM lease WHERE name = ? AND fence = ? AND owner <> ''"
	if err := t.db.one(ctx, text, []any{t.b.Fence.Lease, t.b.Fence.Value}, &valid); err != nil {
		return err
	}
	if valid == 0 {
		return fmt.Errorf("fence %d of lease %q: %w", t.b.Fence.Value, t.b.Fence.Lease, store.ErrFenced)
	}
	return nil
}

func (t *task) records(ctx context.Context) error {
	var last int64
	if err := t.db.one(ctx, sqlLast, nil, &last); err != nil {
		return err
	}
	args := make([]any, 0, len(t.b.Records)*5)
	for i := range t.b.Records {
		r := &t.b.Records[i]
		args = append(args, nanos(r.At), r.Kind, shelf(r.Subject), r.Hash[:], r.Body)
	}
	written, err := t.db.rows(ctx, insertRecords, args)
	if err != nil {
		return fmt.Errorf("append records: %w", err)
	}
	if int(written) == len(t.b.Records) && len(t.b.Runs) > 0 { // none was ignored, so places are known
		t.seen = make(map[job.Hash]int64, written)
		for i := range t.b.Records {
			if t.b.Records[i].Kind == job.KindObservation {
				t.seen[t.b.Records[i].Hash] = last + int64(i) + 1
			}
		}
	}
	return nil
}

func (t *task) definitions(ctx context.Context) error {
	for i := range t.b.Definitions {
		d := &t.b.Definitions[i]
		r, err := d.Seal()
		if err != nil {
			return fmt.Errorf("definition %s: %w", d.Chain, err)
		}
		if _, err := t.db.exec(ctx, sqlUncurrent, d.Chain); err != nil {
			return fmt.Errorf("definition %s: %w", d.Chain, err)
		}
		if _, err := t.db.exec(ctx, sqlDefine, r.Hash[:], d.Chain, r.Body); err != nil {
			return fmt.Errorf("definition %s: %w", d.Chain, err)
		}
	}
	for _, name := range t.b.Retired {
		if _, err := t.db.exec(ctx, sqlUncurrent, name); err != nil {
			return fmt.Errorf("retire chain %s: %w", name, err)
		}
	}
	return nil
}

func (t *task) sources(ctx context.Context) error {
	args := make([]any, 0, len(t.b.Sources)*6)
	for i := range t.b.Sources {
		row, err := sourceRow(&t.b.Sources[i])
		if err != nil {
			return fmt.Errorf("source %s: %w", t.b.Sources[i].Name, err)
		}
		args = append(args, row...)
	}
	if _, err := t.db.rows(ctx, insertSources, args); err != nil {
		return fmt.Errorf("write sources: %w", err)
	}
	return nil
}

// listings writes only what differs, since most listings bring nothing new.
func (t *task) listings(ctx context.Context) error {
	for _, l := range t.b.Listings {
		keys := make([]string, len(l.Jobs))
		args := make([]any, 0, len(l.Jobs)*3)
		for i := range l.Jobs {
			j := &l.Jobs[i]
			if j.Source != l.Source {
				return fmt.Errorf("listing of %s: job %s belongs to another source", l.Source, j.Ref)
			}
			doc, err := json.Marshal(j)
			if err != nil {
				return fmt.Errorf("job %s: %w", j.Ref, err)
			}
			keys[i] = j.Job
			args = append(args, j.Source, j.Job, string(doc))
		}
		all, err := json.Marshal(keys)
		if err != nil {
			return err
		}
		if _, err := t.db.exec(ctx, sqlShrinkListing, l.Source, string(all)); err != nil {
			return fmt.Errorf("listing of %s: %w", l.Source, err)
		}
		if _, err := t.db.rows(ctx, insertJobs, args); err != nil {
			return fmt.Errorf("listing of %s: %w", l.Source, err)
		}
	}
	return nil
}

func (t *task) instances(ctx context.Context) error {
	heads := make([]any, 0, len(t.b.Instances)*6)
	var nodes []any
	for i := range t.b.Instances {
		in := &t.b.Instances[i]
		k := in.Key
		heads = append(heads, k.Chain, k.BusinessDate, k.Cycle, in.Version[:], nanos(in.Opened), nanos(in.Closed))
		for place := range in.Nodes {
			row, err := nodeRow(k, place, &in.Nodes[place])
			if err != nil {
				return err
			}
			nodes = append(nodes, row...)
		}
	}
	if _, err := t.db.rows(ctx, insertInstances, heads); err != nil {
		return fmt.Errorf("write instances: %w", err)
	}
	for i := range t.b.Instances {
		in := &t.b.Instances[i]
		if in.Nodes == nil {
			continue
		}
		k := in.Key
		if _, err := t.db.exec(ctx, sqlShrinkNodes, len(in.Nodes), k.Chain, k.BusinessDate, k.Cycle); err != nil {
			return fmt.Errorf("nodes of %s: %w", k, err)
		}
	}
	if _, err := t.db.rows(ctx, insertNodes, nodes); err != nil {
		return fmt.Errorf("write nodes: %w", err)
	}
	return nil
}

func nodeRow(k chain.Key, place int, n *chain.NodeState) ([]any, error) {
	doc, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("node %d of %s: %w", place, k, err)
	}
	return []any{k.Chain, k.BusinessDate, k.Cycle, place, string(doc)}, nil
}

func (t *task) nodes(ctx context.Context) error {
	args := make([]any, 0, len(t.b.Nodes)*5)
	for i := range t.b.Nodes {
		c := &t.b.Nodes[i]
		row, err := nodeRow(c.Key, c.Index, &c.State)
		if err != nil {
			return err
		}
		args = append(args, row...)
	}
	written, err := t.db.rows(ctx, changeNodes, args)
	if err != nil {
		return fmt.Errorf("change nodes: %w", err)
	}
	if written != int64(len(t.b.Nodes)) {
		return fmt.Errorf("change nodes: %d of %d belong to an instance or a place that does not exist: %w",
			int64(len(t.b.Nodes))-written, len(t.b.Nodes), store.ErrNotFound)
	}
	return nil
}

func (t *task) intents(ctx context.Context) error {
	args := make([]any, 0, len(t.b.Intents)*17)
	for i := range t.b.Intents {
		in := &t.b.Intents[i]
		args = append(args, in.Token, in.Key.Chain, in.Key.BusinessDate, in.Key.Cycle, in.Node, in.Attempt,
			in.Job.Source, in.Job.Job, string(in.State), in.Run.Source, in.Run.Job, in.Run.Native, in.Run.Epoch,
			in.Note, in.Receipt[:], nanos(in.Created), nanos(in.Updated))
	}
	_, err := t.db.rows(ctx, insertIntents, args)
	if duplicate(err) {
		return fmt.Errorf("an intent of the batch exists already: %w: %w", store.ErrConflict, err)
	}
	if err != nil {
		return fmt.Errorf("write intents: %w", err)
	}
	return nil
}

func (t *task) moves(ctx context.Context) error {
	for i := range t.b.Moves {
		m := &t.b.Moves[i]
		moved, err := t.db.exec(ctx, sqlMove, m.Token, string(m.From), string(m.To), nanos(m.At), m.Note,
			m.Run.Source, m.Run.Native, m.Run.Job, m.Run.Epoch)
		if err != nil {
			return fmt.Errorf("move intent %s: %w", m.Token, err)
		}
		if moved == 0 {
			return t.refuse(ctx, m)
		}
	}
	return nil
}

// refuse says why a move did not find what it expected.
func (t *task) refuse(ctx context.Context, m *store.Move) error {
	var state string
	if err := t.db.one(ctx, "SELECT state FROM intent WHERE token = ?", []any{m.Token}, &state); err != nil {
		return fmt.Errorf("move intent %s: %w", m.Token, errors.Join(store.ErrNotFound, err))
	}
	return fmt.Errorf("move intent %s from %s to %s: it is %s: %w", m.Token, m.From, m.To, state, store.ErrConflict)
}

func (t *task) edges(ctx context.Context) error {
	args := make([]any, 0, len(t.b.Edges)*8)
	for i := range t.b.Edges {
		e := &t.b.Edges[i]
		args = append(args, e.DownToken, e.Up.Source, e.Up.Native, e.Up.Job, e.Up.Epoch, e.UpAttempt, e.Evidence[:], e.Receipt[:])
	}
	if _, err := t.db.rows(ctx, insertEdges, args); err != nil {
		return fmt.Errorf("write edges: %w", err)
	}
	return nil
}
