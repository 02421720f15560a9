package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
)

// prepared keeps the statements of one database by their text, which are few: to prepare one costs
// more than most of them cost to run. It may be used from any goroutine.
type prepared struct {
	on interface {
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

// stmt gives the statement of a text, and prepares it the first time. That may wait for a connection:
// whoever holds one must not call it.
func (p *prepared) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := p.known(text); ok { //nolint:sqlclosecheck // kept for the next time, closed by close
		return s, nil
	}
	s, err := p.on.PrepareContext(ctx, text) // without the lock, for the same reason
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first, ok := p.byText[text]; ok {
		return first, s.Close() //nolint:sqlclosecheck // another goroutine was faster
	}
	if p.byText == nil {
		p.byText = map[string]*sql.Stmt{}
	}
	p.byText[text] = s
	return s, nil
}

func (p *prepared) known(text string) (*sql.Stmt, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.byText[text]
	return s, ok
}

// exec runs a statement and tells how many rows it wrote.
func (p *prepared) exec(ctx context.Context, text string, args ...any) (int64, error) {
	s, err := p.stmt(ctx, text) //nolint:sqlclosecheck // kept for the next time, closed by close
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// one runs a query that gives one row, into dest.
func (p *prepared) one(ctx context.Context, text string, args []any, dest ...any) error {
	s, err := p.stmt(ctx, text) //nolint:sqlclosecheck // kept for the next time, closed by close
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx, args...).Scan(dest...)
}

// close may be called twice.
func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.byText {
		errs = append(errs, s.Close())
	}
	p.byText = nil
	return errors.Join(errs...)
}

// bulkRows is how many rows one statement writes at most.
const bulkRows = 64

// bulk is a statement that takes many rows: head, the rows as a VALUES clause, tail.
type bulk struct {
	width      int // parameters a row
	head, tail string
}

// text is the statement for n rows.
func (b *bulk) text(n int) string {
	row := "(?" + strings.Repeat(", ?", b.width-1) + ")"
	return b.head + " VALUES " + row + strings.Repeat(", "+row, n-1) + " " + b.tail
}

// rows writes rows, given one behind the other, with as few statements as possible: each takes bulkRows
// of them, the rest goes row by row. It tells how many were written.
func (p *prepared) rows(ctx context.Context, b bulk, args []any) (written int64, err error) {
	many, one := "", b.text(1)
	for len(args) > 0 {
		text, n := one, b.width
		if len(args) >= bulkRows*b.width {
			if many == "" {
				many = b.text(bulkRows)
			}
			text, n = many, bulkRows*b.width
		}
		affected, err := p.exec(ctx, text, args[:n]...)
		if err != nil {
			return written, err
		}
		written += affected
		args = args[n:]
	}
	return written, nil
}
