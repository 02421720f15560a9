package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"signalbox/federation/store"
)

// Store writes and reads the ledger. It implements [store.Store].
type Store struct {
	*Reader
	w    *writer
	lock *lock
	once sync.Once
}

// Reader reads the ledger: records, projections and what a restart needs. Its methods may be called
// from any goroutine; each sees one moment of the database, committed batches only.
type Reader struct {
	db    *sql.DB
	stmts *prepared
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Ledger   = (*Reader)(nil)
	_ store.View     = (*Reader)(nil)
	_ store.Recovery = (*Reader)(nil)
)

// clock is the database's time in nanoseconds.
const clock = "CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000000"

type options struct {
	wal int64
}

// Option changes how a database is opened.
type Option func(*options)

// WithWAL sets how many bytes the write-ahead log is extended to at start; 8 MiB without it. More
// pays where batches are large, less where disk is scarce.
func WithWAL(bytes int64) Option { return func(o *options) { o.wal = bytes } }

// Open opens the database at path for writing, creates it if there is none, and brings its schema up
// to date. The folder must exist. While another process has it open the error is [store.ErrLocked]
// and names that process. ctx bounds the opening only.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	o := options{wal: defaultWAL}
	for _, opt := range opts {
		opt(&o)
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, explain(err))
	}
	return s, nil
}

func open(ctx context.Context, path string, o options) (_ *Store, err error) {
	path, err = place(path)
	if err != nil {
		return nil, err
	}
	l, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	s := &Store{lock: l}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := create(path); err != nil {
		return nil, err
	}
	if s.w, err = openWriter(ctx, path, o); err != nil {
		return nil, err
	}
	if s.Reader, err = openReader(path); err != nil {
		return nil, err
	}
	return s, nil
}

// place resolves links, so that two names of one file have one lock.
func place(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("%w: create the folder first", err)
	}
	path = filepath.Join(dir, filepath.Base(path))
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	return path, nil
}

// create makes an empty file that only its owner can read: the ledger holds commands and log lines.
// SQLite gives the files beside it the same mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// OpenReadOnly opens the database at path for reading, also while a server writes it. It creates
// nothing and takes no lock. It refuses a schema of another version than its own.
func OpenReadOnly(ctx context.Context, path string) (*Reader, error) {
	r, err := openReadOnly(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, explain(err))
	}
	return r, nil
}

func openReadOnly(ctx context.Context, path string) (_ *Reader, err error) {
	path, err = place(path)
	if err != nil {
		return nil, err
	}
	if there, err := exists(path); err != nil || !there {
		return nil, errors.Join(err, errors.New("there is no such file: name the data file of the server, or start one"))
	}
	r, err := openReader(path)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// check refuses a database that this version cannot read.
func (r *Reader) check(ctx context.Context) error {
	known, err := builtIn()
	if err != nil {
		return err
	}
	c, err := r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := checkOwner(ctx, c, false); err != nil {
		return err
	}
	had, err := applied(ctx, c)
	if err != nil {
		return err
	}
	todo, err := missing(had, known)
	if err != nil {
		return err
	}
	if len(todo) > 0 {
		return fmt.Errorf("its schema %d is older than this program's (%d): start the server of this version once, it brings it up to date",
			len(had), len(known))
	}
	return nil
}

// readers is how many queries may run at the same time.
const readers = 4

func openReader(path string) (*Reader, error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{
		"mode":    {"ro"},
		"_pragma": {"busy_timeout(5000)", "query_only(1)", "cache_size(-4096)"},
	}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return &Reader{db: db, stmts: &prepared{on: db}}, nil
}

// dsn names the file in SQLite's URI form, whatever characters its path holds.
func dsn(path string, q url.Values) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	return u.String()
}

// Close ends all reading. It may be called twice.
func (r *Reader) Close() error { return errors.Join(r.stmts.close(), r.db.Close()) }

// Close waits for a running commit, then releases the files and the lock. It may be called twice.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		if s.Reader != nil {
			err = s.Reader.Close()
		}
		if s.w != nil {
			err = errors.Join(err, s.w.close())
		}
		s.lock.release()
	})
	return err
}

// nanos is how times are stored: 0 for an absent one; sources tell times far outside of what 64 bits
// hold ("9999-12-31"), which become the first or the last that they do.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Before(time.Unix(0, -1<<63)):
		return -1 << 63
	case t.After(time.Unix(0, 1<<63-1)):
		return 1<<63 - 1
	}
	return t.UnixNano()
}

// moment is the inverse of [nanos].
func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
