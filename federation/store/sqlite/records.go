package sqlite

import (
	"context"
	"fmt"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

const entryColumns = "SELECT seq, at, kind, subject, hash, body FROM record"

// After implements [store.Ledger].
func (r *Reader) After(ctx context.Context, seq int64, limit int) ([]store.Entry, error) {
	return list(ctx, r, "read records", scanEntry, entryColumns+" WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
}

// About implements [store.Ledger].
func (r *Reader) About(ctx context.Context, subject string, seq int64, limit int) ([]store.Entry, error) {
	return list(ctx, r, "read records about "+subject, scanEntry,
		entryColumns+" WHERE subject = ? AND seq > ? ORDER BY seq LIMIT ?", subject, seq, limit)
}

// ByHash implements [store.Ledger].
func (r *Reader) ByHash(ctx context.Context, h job.Hash) (store.Entry, error) {
	found, err := list(ctx, r, "read record "+h.Short(), scanEntry, entryColumns+" WHERE hash = ?", h[:])
	if err != nil {
		return store.Entry{}, err
	}
	if len(found) == 0 {
		return store.Entry{}, fmt.Errorf("read record %s: %w", h.Short(), store.ErrNotFound)
	}
	return found[0], nil
}

// Last implements [store.Ledger].
func (r *Reader) Last(ctx context.Context) (last int64, err error) {
	if err := r.stmts.one(ctx, sqlLast, nil, &last); err != nil {
		return 0, fmt.Errorf("read last record: %w", explain(err))
	}
	return last, nil
}

func scanEntry(row scanner) (e store.Entry, err error) {
	var at int64
	var hash []byte
	if err := row.Scan(&e.Seq, &at, &e.Kind, &e.Subject, &hash, &e.Body); err != nil {
		return e, err
	}
	e.At = moment(at)
	e.Hash, err = hashOf(hash)
	return e, err
}

func hashOf(b []byte) (h job.Hash, err error) {
	if len(b) != len(h) {
		return h, fmt.Errorf("hash of %d bytes, want %d", len(b), len(h))
	}
	return job.Hash(b), nil
}
