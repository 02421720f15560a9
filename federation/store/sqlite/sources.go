package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/store"
)

// sourceDoc is what a source's row holds as a document. The inner types are written as the contract
// declares them; a test pins their form.
type sourceDoc struct {
	Contact    adapters.Contact    `json:"contact"`
	Properties adapters.Properties `json:"properties"`
	Problems   []adapters.Problem  `json:"problems,omitempty"`
	Gaps       []adapters.Gap      `json:"gaps,omitempty"`
}

func sourceRow(s *store.Source) ([]any, error) {
	doc, err := json.Marshal(sourceDoc{Contact: s.Contact, Properties: s.Properties, Problems: s.Problems, Gaps: s.Gaps})
	if err != nil {
		return nil, err
	}
	var offset, cursor any
	if s.Offset != nil {
		offset = int64(*s.Offset)
	}
	if s.Cursor != nil {
		cursor = []byte(s.Cursor)
	}
	return []any{s.Name, cursor, nanos(s.CursorAt), nanos(s.ListedAt), offset, string(doc)}, nil
}

// Sources implements [store.View], sorted by name.
func (r *Reader) Sources(ctx context.Context) ([]store.Source, error) {
	return list(ctx, r, "read sources", scanSource,
		ask("SELECT name, cursor, cursor_at, listed_at, offset_ns, doc FROM source ORDER BY name"))
}

func scanSource(row scanner) (s store.Source, err error) {
	var cursorAt, listedAt int64
	var offset sql.NullInt64
	var cursor, doc []byte
	if err := row.Scan(&s.Name, &cursor, &cursorAt, &listedAt, &offset, &doc); err != nil {
		return s, err
	}
	var d sourceDoc
	if err := json.Unmarshal(doc, &d); err != nil {
		return s, fmt.Errorf("source %s: %w", s.Name, err)
	}
	s.Cursor, s.CursorAt, s.ListedAt = cursor, moment(cursorAt), moment(listedAt)
	s.Contact, s.Properties, s.Problems, s.Gaps = d.Contact, d.Properties, d.Problems, d.Gaps
	if offset.Valid {
		s.Offset = new(time.Duration(offset.Int64))
	}
	return s, nil
}

// Jobs implements [store.View].
func (r *Reader) Jobs(ctx context.Context, f store.JobFilter) ([]job.Job, error) {
	q := ask("SELECT doc FROM job WHERE (source, job) > (?, ?)", f.After.Source, f.After.Job)
	if f.Source != "" {
		q.and("source = ?", f.Source)
	}
	q.add(" ORDER BY source, job LIMIT ?", pageSize(f.Limit))
	return list(ctx, r, "read jobs", scanDoc[job.Job], q)
}
