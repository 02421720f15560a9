package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// code gives the primary SQLite result code of an error, 0 if it is none of SQLite's.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// duplicate tells whether err says that a unique key exists already.
func duplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// explain adds what a person can do to errors of the file and the disk.
func explain(err error) error {
	switch code(err) {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: the file is not an SQLite database, or its beginning is damaged; if it was one, restore a backup", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: the database is damaged; keep a copy of it with its -wal file and restore a backup", err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: the disk or the quota is full; nothing was written", err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%w: the disk refused; look at the free space, the quota and the log of the system", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: check owner and mode of the file and of its folder", err)
	}
	return err
}
