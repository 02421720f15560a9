package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks a file as a database of Signalbox ("SBOX"), for us and for file(1).
const applicationID = 0x53424f58

// migration is one step of the schema, forward only. It must not change once released.
type migration struct {
	number   int
	name     string
	text     string
	checksum string
}

// migrations reads dir/NNNN_name.sql of fsys, which must be numbered from 1 without gaps.
func migrations(fsys fs.FS, dir string) ([]migration, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.sql"))
	if err != nil {
		return nil, err
	}
	out := make([]migration, 0, len(names))
	for i, name := range names { // sorted
		base := path.Base(name)
		digits, _, _ := strings.Cut(base, "_")
		number, err := strconv.Atoi(digits)
		if err != nil || len(digits) != 4 || number != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", base, i+1)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		out = append(out, migration{number: number, name: base, text: string(text), checksum: hex.EncodeToString(sum[:])})
	}
	return out, nil
}

// builtIn gives the migrations of this version.
func builtIn() ([]migration, error) { return migrations(migrationFiles, "migrations") }

// errForeign means that the file holds something else.
var errForeign = errors.New("it is an SQLite database, but not one of Signalbox; choose another file")

// checkOwner refuses a database of another program. An empty one is welcome if empty is.
func checkOwner(ctx context.Context, c *sql.Conn, empty bool) error {
	var id, objects int64
	if err := c.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if err := c.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return err
	}
	switch {
	case id == applicationID:
		return nil
	case objects > 0 || id != 0:
		return errForeign
	case empty:
		return nil
	}
	return errors.New("the file is empty: no server has used it yet")
}

// applied reads which migrations the database has had, as number and checksum.
func applied(ctx context.Context, c *sql.Conn) (map[int]string, error) {
	var n int
	err := c.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").Scan(&n)
	if err != nil || n == 0 {
		return nil, err
	}
	rows, err := c.QueryContext(ctx, "SELECT number, checksum FROM migration ORDER BY number")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[int]string{}
	for rows.Next() {
		var number int
		var checksum string
		if err := rows.Scan(&number, &checksum); err != nil {
			return nil, err
		}
		out[number] = checksum
	}
	return out, rows.Err()
}

// missing compares what the database had with what this version knows, and gives what is still to be
// done. It refuses a database from a newer version, and one of which a migration was altered.
func missing(had map[int]string, known []migration) ([]migration, error) {
	for number := range had {
		if number > len(known) {
			return nil, fmt.Errorf("its schema %d is newer than this program knows (%d): run the newer version, or restore a backup from before the update",
				number, len(known))
		}
	}
	for i, m := range known {
		checksum, ok := had[m.number]
		switch {
		case !ok && len(had) > i:
			return nil, fmt.Errorf("migration %s is not recorded although later ones are: the schema was changed by hand; restore a backup", m.name)
		case !ok:
			return known[i:], nil
		case checksum != m.checksum:
			return nil, fmt.Errorf("migration %s was applied in another form than this program has: it runs on a changed build, or the record was edited; use the version that wrote the database",
				m.name)
		}
	}
	return nil, nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
func migrate(ctx context.Context, c *sql.Conn, known []migration) error {
	if err := checkOwner(ctx, c, true); err != nil {
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
	for _, m := range todo {
		if err := m.apply(ctx, c); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

// apply runs one migration and records it, or leaves everything as it was.
func (m migration) apply(ctx context.Context, c *sql.Conn) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := m.steps(ctx, c)
	if err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		return errors.Join(err, rollback(ctx, c))
	}
	return nil
}

func (m migration) steps(ctx context.Context, c *sql.Conn) error {
	const table = `CREATE TABLE IF NOT EXISTS migration (
		number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied INTEGER NOT NULL) STRICT`
	for _, s := range []string{table, "PRAGMA application_id = " + strconv.Itoa(applicationID), m.text} {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	_, err := c.ExecContext(ctx, "INSERT INTO migration (number, name, checksum, applied) VALUES (?, ?, ?, "+clock+")",
		m.number, m.name, m.checksum)
	return err
}

// rollback ends a transaction that failed; SQLite may have ended it already. It works although ctx
// may be cancelled.
func rollback(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil
	}
	return err
}
