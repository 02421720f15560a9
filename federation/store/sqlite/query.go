package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// query is a statement in the making.
type query struct {
	text string
	args []any
}

func (q *query) add(text string, args ...any) {
	q.text += text
	q.args = append(q.args, args...)
}

// and adds a condition to a WHERE clause that is begun.
func (q *query) and(condition string, args ...any) { q.add(" AND "+condition, args...) }

// in adds the condition that column is one of values.
func in[T ~string](q *query, column string, values []T) {
	q.and(column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")")
	for _, v := range values {
		q.args = append(q.args, string(v))
	}
}

// pageSize is the limit of a page: 100 unless told, at most 1000.
func pageSize(limit int) int {
	if limit <= 0 {
		return 100
	}
	return min(limit, 1000)
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// ask is a query that needs no making.
func ask(text string, args ...any) *query { return &query{text: text, args: args} }

// list reads all rows of a query. It gives nothing rather than a part.
func list[T any](ctx context.Context, r *Reader, op string, scan func(scanner) (T, error), q *query) ([]T, error) {
	stmt, err := r.stmts.stmt(ctx, q.text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, explain(err))
	}
	return listBy(ctx, stmt, op, scan, q.args...)
}

// listBy is list with a statement, which may belong to a transaction.
func listBy[T any](ctx context.Context, stmt *sql.Stmt, op string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, explain(err))
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, explain(err))
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, explain(err))
	}
	return out, nil
}

// scanDoc reads a row of one column that holds a JSON document.
func scanDoc[T any](row scanner) (v T, err error) {
	var doc sql.RawBytes
	if err := row.Scan(&doc); err != nil {
		return v, err
	}
	return v, json.Unmarshal(doc, &v)
}
