package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// statements are all that Commit uses, prepared once.
type statements struct {
	fence, last                   *sql.Stmt
	uncurrent, define             *sql.Stmt
	shrinkListing, shrinkNodes    *sql.Stmt
	move, moved                   *sql.Stmt
	records, sources, jobs, runs  *bulk
	instances, nodes, nodeChanges *bulk
	intents, edges                *bulk
}

const (
	sqlFence = "SELECT count(*) FROM lease WHERE name = ? AND fence = ? AND owner <> ''"
	sqlLast  = "SELECT coalesce(max(seq), 0) FROM record"

	sqlUncurrent = "UPDATE definition SET current = 0 WHERE chain = ? AND current = 1"
	sqlDefine    = `INSERT INTO definition (version, chain, current, body) VALUES (?, ?, 1, ?)
		ON CONFLICT (version) DO UPDATE SET current = 1`

	sqlShrinkListing = "DELETE FROM job WHERE source = ? AND job NOT IN (SELECT value FROM json_each(?))"
	sqlShrinkNodes   = `DELETE FROM node WHERE place >= ?
		AND instance = (SELECT id FROM instance WHERE chain = ? AND business_date = ? AND cycle = ?)`

	sqlMove = `UPDATE intent SET state = ?3, updated = ?4,
		note = CASE ?5 WHEN '' THEN note ELSE ?5 END,
		run_source = CASE ?7 WHEN '' THEN run_source ELSE ?6 END,
		run_job = CASE ?7 WHEN '' THEN run_job ELSE ?8 END,
		run_epoch = CASE ?7 WHEN '' THEN run_epoch ELSE ?9 END,
		run_native = CASE ?7 WHEN '' THEN run_native ELSE ?7 END
		WHERE token = ?1 AND state = ?2`
	sqlMoved = "SELECT state FROM intent WHERE token = ?"
)

// bulkText is one statement that takes many rows.
type bulkText struct {
	into       **bulk
	width      int
	head, tail string
}

func (s *statements) bulks() []bulkText {
	return []bulkText{
		{&s.records, 5, "INSERT INTO record (at, kind, subject, hash, body)", "ON CONFLICT (hash) DO NOTHING"},
		{
			&s.sources, 6, "INSERT INTO source (name, cursor, cursor_at, listed_at, offset_ns, doc)",
			`ON CONFLICT DO UPDATE SET cursor = excluded.cursor, cursor_at = excluded.cursor_at,
			listed_at = excluded.listed_at, offset_ns = excluded.offset_ns, doc = excluded.doc`,
		},
		{
			&s.jobs, 3, "INSERT INTO job (source, job, doc)",
			"ON CONFLICT DO UPDATE SET doc = excluded.doc WHERE doc <> excluded.doc",
		},
		{
			&s.runs, 8, "INSERT INTO run (source, native, job, epoch, state, activity, token, doc)",
			`ON CONFLICT (source, native, job, epoch) DO UPDATE SET state = excluded.state,
			activity = excluded.activity, token = excluded.token, doc = excluded.doc`,
		},
		{
			&s.instances, 6, "INSERT INTO instance (chain, business_date, cycle, version, opened, closed)",
			`ON CONFLICT (chain, business_date, cycle) DO UPDATE SET version = excluded.version,
			opened = excluded.opened, closed = excluded.closed`,
		},
		{
			&s.nodes, 5, "WITH given (chain, business_date, cycle, place, doc) AS (",
			`) INSERT INTO node (instance, place, doc)
			SELECT i.id, given.place, given.doc FROM given CROSS JOIN instance i INDEXED BY instance_key
			ON i.chain = given.chain AND i.business_date = given.business_date AND i.cycle = given.cycle
			WHERE true ON CONFLICT DO UPDATE SET doc = excluded.doc`,
		},
		{
			&s.nodeChanges, 5, "WITH given (chain, business_date, cycle, place, doc) AS (",
			`) INSERT INTO node (instance, place, doc)
			SELECT n.instance, n.place, given.doc FROM given CROSS JOIN instance i INDEXED BY instance_key
			ON i.chain = given.chain AND i.business_date = given.business_date AND i.cycle = given.cycle
			CROSS JOIN node n ON n.instance = i.id AND n.place = given.place
			WHERE true ON CONFLICT DO UPDATE SET doc = excluded.doc`,
		},
		{
			&s.intents, 17, `INSERT INTO intent (token, chain, business_date, cycle, node, attempt, source, job, state,
			run_source, run_job, run_native, run_epoch, note, receipt, created, updated)`, "",
		},
		{
			&s.edges, 8, `INSERT INTO edge (down_token, up_source, up_native, up_job, up_epoch, up_attempt, evidence, receipt)`,
			"ON CONFLICT DO NOTHING",
		},
	}
}

func (s *statements) singles() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.fence: sqlFence, &s.last: sqlLast,
		&s.uncurrent: sqlUncurrent, &s.define: sqlDefine,
		&s.shrinkListing: sqlShrinkListing, &s.shrinkNodes: sqlShrinkNodes,
		&s.move: sqlMove, &s.moved: sqlMoved,
	}
}

func prepareAll(ctx context.Context, c *sql.Conn) (s statements, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for into, text := range s.singles() {
		if *into, err = c.PrepareContext(ctx, text); err != nil {
			return s, fmt.Errorf("prepare %q: %w", text, err)
		}
	}
	for _, b := range s.bulks() {
		if *b.into, err = prepareBulk(ctx, c, b.width, b.head, b.tail); err != nil {
			return s, fmt.Errorf("prepare %q: %w", b.head, err)
		}
	}
	return s, nil
}

func (s *statements) close() error {
	var errs []error
	for stmt := range s.singles() {
		if *stmt != nil {
			errs = append(errs, (*stmt).Close())
		}
	}
	for _, b := range s.bulks() {
		errs = append(errs, (*b.into).close())
	}
	return errors.Join(errs...)
}
