package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// bulkRows is how many rows one statement writes at most. One statement for many rows costs about half
// of one each, and 64 is where it stops to gain.
const bulkRows = 64

// bulk writes rows with as few statements as possible: each takes bulkRows of them, the rest goes row
// by row.
type bulk struct {
	width     int // parameters a row
	one, many *sql.Stmt
}

// prepareBulk prepares a statement in both sizes; its text is head, the rows as a VALUES clause, and
// tail.
func prepareBulk(ctx context.Context, c *sql.Conn, width int, head, tail string) (*bulk, error) {
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	one, err := c.PrepareContext(ctx, head+" VALUES "+row+" "+tail)
	if err != nil {
		return nil, err
	}
	many, err := c.PrepareContext(ctx, head+" VALUES "+row+strings.Repeat(", "+row, bulkRows-1)+" "+tail)
	if err != nil {
		return nil, errors.Join(err, one.Close())
	}
	return &bulk{width: width, one: one, many: many}, nil
}

// exec writes rows, given one behind the other, and tells how many were written.
func (b *bulk) exec(ctx context.Context, args []any) (written int64, err error) {
	for len(args) > 0 {
		stmt, n := b.one, b.width
		if len(args) >= bulkRows*b.width {
			stmt, n = b.many, bulkRows*b.width
		}
		res, err := stmt.ExecContext(ctx, args[:n]...)
		if err != nil {
			return written, err
		}
		affected, err := res.RowsAffected()
		if err != nil {
			return written, err
		}
		written += affected
		args = args[n:]
	}
	return written, nil
}

func (b *bulk) close() error {
	if b == nil {
		return nil
	}
	return errors.Join(b.one.Close(), b.many.Close())
}
