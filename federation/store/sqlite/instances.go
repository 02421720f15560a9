package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

const headColumns = "SELECT id, chain, business_date, cycle, version, opened, closed FROM instance "

// head is an instance without its nodes.
type head struct {
	id int64
	chain.Instance
}

func scanHead(row scanner) (h head, err error) {
	var opened, closed int64
	var version []byte
	if err := row.Scan(&h.id, &h.Key.Chain, &h.Key.BusinessDate, &h.Key.Cycle, &version, &opened, &closed); err != nil {
		return h, err
	}
	h.Opened, h.Closed = moment(opened), moment(closed)
	h.Version, err = hashOf(version)
	return h, err
}

// placed is a node with the instance that it belongs to.
type placed struct {
	instance int64
	state    chain.NodeState
}

func scanNode(row scanner) (n placed, err error) {
	var doc sql.RawBytes
	if err := row.Scan(&n.instance, &doc); err != nil {
		return n, err
	}
	return n, json.Unmarshal(doc, &n.state)
}

// Instance implements [store.View].
func (r *Reader) Instance(ctx context.Context, k chain.Key) (chain.Instance, error) {
	q := ask("WHERE chain = ? AND business_date = ? AND cycle = ?", k.Chain, k.BusinessDate, k.Cycle)
	found, err := r.instances(ctx, "read instance "+k.String(), q)
	if err != nil {
		return chain.Instance{}, err
	}
	if len(found) == 0 {
		return chain.Instance{}, fmt.Errorf("read instance %s: %w", k, store.ErrNotFound)
	}
	return found[0], nil
}

// Instances implements [store.View].
func (r *Reader) Instances(ctx context.Context, f store.InstanceFilter) ([]chain.Instance, error) {
	return r.instances(ctx, "read instances", instanceQuery(&f))
}

func instanceQuery(f *store.InstanceFilter) *query {
	q := &query{}
	switch {
	case f.Open:
		q.add("INDEXED BY instance_open WHERE closed = 0")
	case f.Chain != "":
		q.add("INDEXED BY instance_of_chain WHERE true")
	default:
		q.add("INDEXED BY instance_opened WHERE true")
	}
	if f.Chain != "" {
		q.and("chain = ?", f.Chain)
	}
	switch k := f.Behind; {
	case f.Before.IsZero():
	case k == chain.Key{}:
		q.and("opened < ?", nanos(f.Before))
	default:
		q.and("(opened, id) < (?, (SELECT id FROM instance WHERE chain = ? AND business_date = ? AND cycle = ?))",
			nanos(f.Before), k.Chain, k.BusinessDate, k.Cycle)
	}
	q.add(" ORDER BY opened DESC, id DESC LIMIT ?", pageSize(f.Limit))
	return q
}

const openOnly = "INDEXED BY instance_open WHERE closed = 0 ORDER BY opened, id"

// OpenInstances implements [store.Recovery]; the instance opened first comes first.
func (r *Reader) OpenInstances(ctx context.Context) ([]chain.Instance, error) {
	return r.instances(ctx, "read open instances", ask(openOnly))
}

// instances reads the instances that the rest of a query selects, with their nodes, as of one moment.
func (r *Reader) instances(ctx context.Context, op string, q *query) ([]chain.Instance, error) {
	heads, nodes, err := r.headsAndNodes(ctx, op, q)
	if err != nil {
		return nil, err
	}
	out := make([]chain.Instance, len(heads))
	at := make(map[int64]int, len(heads))
	for i, h := range heads {
		out[i] = h.Instance
		at[h.id] = i
	}
	for _, n := range nodes {
		in := &out[at[n.instance]]
		in.Nodes = append(in.Nodes, n.state)
	}
	return out, nil
}

func (r *Reader) headsAndNodes(ctx context.Context, op string, q *query) ([]head, []placed, error) {
	ofHeads, err := r.stmts.stmt(ctx, headColumns+q.text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", op, explain(err))
	}
	ofNodes, err := r.stmts.stmt(ctx, "SELECT n.instance, n.doc FROM (SELECT id FROM instance "+q.text+
		") i CROSS JOIN node n ON n.instance = i.id ORDER BY n.instance, n.place")
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", op, explain(err))
	}
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", op, explain(err))
	}
	defer func() { _ = tx.Rollback() }()
	heads, err := listBy(ctx, tx.StmtContext(ctx, ofHeads), op, scanHead, q.args...)
	if err != nil || len(heads) == 0 {
		return nil, nil, err
	}
	nodes, err := listBy(ctx, tx.StmtContext(ctx, ofNodes), op, scanNode, q.args...)
	return heads, nodes, err
}

const sqlClosedKeys = `SELECT chain, business_date, cycle FROM instance INDEXED BY instance_opened
	WHERE opened >= ? AND closed <> 0 ORDER BY opened, id`

// ClosedKeys implements [store.Recovery].
func (r *Reader) ClosedKeys(ctx context.Context, since time.Time) ([]chain.Key, error) {
	return list(ctx, r, "read closed instances", func(row scanner) (k chain.Key, err error) {
		return k, row.Scan(&k.Chain, &k.BusinessDate, &k.Cycle)
	}, ask(sqlClosedKeys, nanos(since)))
}

// Definitions implements [store.View].
func (r *Reader) Definitions(ctx context.Context) ([]chain.Definition, error) {
	return list(ctx, r, "read definitions", scanDefinition, ask("SELECT version, body FROM definition WHERE current = 1 ORDER BY chain"))
}

// Definition implements [store.Recovery].
func (r *Reader) Definition(ctx context.Context, version job.Hash) (chain.Definition, error) {
	found, err := list(ctx, r, "read definition "+version.Short(), scanDefinition,
		ask("SELECT version, body FROM definition WHERE version = ?", version[:]))
	if err != nil {
		return chain.Definition{}, err
	}
	if len(found) == 0 {
		return chain.Definition{}, fmt.Errorf("read definition %s: %w", version.Short(), store.ErrNotFound)
	}
	return found[0], nil
}

// scanDefinition opens the record that a definition is kept as, which proves its bytes.
func scanDefinition(row scanner) (d chain.Definition, err error) {
	var version, body []byte
	if err := row.Scan(&version, &body); err != nil {
		return d, err
	}
	h, err := hashOf(version)
	if err != nil {
		return d, err
	}
	return d, job.Record{Kind: chain.KindDefinition, Body: body, Hash: h}.Open(chain.KindDefinition, &d)
}
