package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	sqlite3 "modernc.org/sqlite/lib"
)

// writer owns the one connection that writes.
type writer struct {
	db     *sql.DB
	conn   *sql.Conn
	turn   chan struct{} // holds one token: whoever takes it may write
	broken error         // why no more may be written; guarded by turn
	stmts  *prepared
}

var errClosed = errors.New("the store is closed")

func openWriter(ctx context.Context, path string, o options) (_ *writer, err error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{
		"_pragma": {
			"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)",
			"recursive_triggers(1)", "cache_size(-16384)", "temp_store(memory)",
		},
	}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	w := &writer{db: db, turn: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			_ = w.shut()
		}
	}()
	if w.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	w.stmts = &prepared{on: w.conn}
	if err := w.prepareFile(ctx, path, o); err != nil {
		return nil, err
	}
	w.turn <- struct{}{}
	return w, nil
}

// prepareFile checks the file and brings its schema and its log into shape.
func (w *writer) prepareFile(ctx context.Context, path string, o options) error {
	var pages, size int64
	if err := w.conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	if err := w.conn.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size); err != nil {
		return err
	}
	if err := checkLength(path, pages, size); err != nil {
		return err
	}
	known, err := builtIn()
	if err != nil {
		return err
	}
	if err := migrate(ctx, w.conn, known); err != nil {
		return err
	}
	return extendWAL(path, o.wal)
}

// do runs the steps in one transaction. It looks at ctx while it waits for its turn and between the
// steps, never inside one and never in the commit itself, so that the answer is always clear: an
// error means that nothing was written.
func (w *writer) do(ctx context.Context, steps ...func(context.Context) error) error {
	select {
	case _, open := <-w.turn:
		if !open {
			return errClosed
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { w.turn <- struct{}{} }()
	if w.broken != nil {
		return fmt.Errorf("an earlier commit ended in doubt, the ledger must be opened again: %w", w.broken)
	}
	quiet := context.WithoutCancel(ctx)
	if _, err := w.stmts.exec(quiet, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, step := range steps {
		err := ctx.Err()
		if err == nil {
			err = step(quiet)
		}
		if err != nil {
			return w.undo(quiet, err)
		}
	}
	if _, err := w.stmts.exec(quiet, "COMMIT"); err != nil {
		if c := code(err); c != sqlite3.SQLITE_FULL && c != sqlite3.SQLITE_BUSY {
			w.broken = err // the log may or may not hold the batch
		}
		return w.undo(quiet, err)
	}
	return nil
}

// undo ends the transaction after err. If even that fails, nothing may be written any more.
func (w *writer) undo(ctx context.Context, err error) error {
	if e := rollback(ctx, w.conn); e != nil {
		w.broken = errors.Join(err, e)
		return w.broken
	}
	return err
}

// close waits for its turn and ends writing.
func (w *writer) close() error {
	<-w.turn
	close(w.turn)
	return w.shut()
}

func (w *writer) shut() error {
	var errs []error
	if w.conn != nil {
		errs = append(errs, w.stmts.close(), w.conn.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}
