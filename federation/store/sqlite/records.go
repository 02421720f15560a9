package sqlite

import (
	"context"
	"fmt"
	"strings"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

const entryColumns = "SELECT seq, at, kind, subject, hash, body FROM record"

// After implements [store.Ledger].
func (r *Reader) After(ctx context.Context, seq int64, limit int) ([]store.Entry, error) {
	return list(ctx, r, "read records", scanEntry, ask(entryColumns+" WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit))
}

// About implements [store.Ledger].
func (r *Reader) About(ctx context.Context, subject string, seq int64, limit int) ([]store.Entry, error) {
	return list(ctx, r, "read records about "+subject, scanEntry, ask(sqlAbout, shelf(subject), seq, limit))
}

const sqlAbout = entryColumns + " WHERE subject = ? AND seq > ? ORDER BY seq LIMIT ?"

// sqlByHash looks into each slice of the index, latest first.
const sqlByHash = `WITH RECURSIVE slice (n) AS (
		SELECT max(seq) >> 14 FROM record
		UNION ALL SELECT n - 1 FROM slice WHERE n > 0)
	SELECT seq, at, kind, subject, hash, body FROM slice CROSS JOIN record INDEXED BY record_hash
	ON seq >> 14 = slice.n AND substr(hash, 1, 8) = substr(?1, 1, 8) AND hash = ?1 LIMIT 1`

// ByHash implements [store.Ledger].
func (r *Reader) ByHash(ctx context.Context, h job.Hash) (store.Entry, error) {
	found, err := list(ctx, r, "read record "+h.Short(), scanEntry, ask(sqlByHash, h[:]))
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
	e.Subject = unshelf(e.Subject)
	e.Hash, err = hashOf(hash)
	return e, err
}

func hashOf(b []byte) (h job.Hash, err error) {
	if len(b) != len(h) {
		return h, fmt.Errorf("hash of %d bytes, want %d", len(b), len(h))
	}
	return job.Hash(b), nil
}

// shelf gives the form in which a subject is stored: that of a run with the native id before the job
// (see the schema), any other as it is.
func shelf(subject string) string {
	rest, isRun := strings.CutPrefix(subject, "run:")
	source, rest, hasJob := strings.Cut(rest, "/")
	job, native, hasNative := strings.Cut(rest, "#")
	if !isRun || !hasJob || !hasNative {
		return subject
	}
	return "run#" + source + "#" + native + "#" + job
}

// unshelf is the inverse of [shelf]. Neither job nor native id holds a "#": see [job.RunKey.String].
func unshelf(stored string) string {
	rest, isRun := strings.CutPrefix(stored, "run#")
	end := strings.LastIndexByte(rest, '#')
	if !isRun || end < 0 {
		return stored
	}
	start := strings.LastIndexByte(rest[:end], '#')
	if start < 0 {
		return stored
	}
	return "run:" + rest[:start] + "/" + rest[end+1:] + "#" + rest[start+1:end]
}
