package sqlite

import (
	"context"
	"fmt"
	"slices"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

// Run implements [store.View].
func (r *Reader) Run(ctx context.Context, k job.RunKey) (job.Run, error) {
	found, err := list(ctx, r, "read run "+k.String(), scanDoc[job.Run],
		"SELECT doc FROM run WHERE source = ? AND native = ? AND job = ? AND epoch = ?", k.Source, k.Native, k.Job, k.Epoch)
	if err != nil {
		return job.Run{}, err
	}
	if len(found) == 0 {
		return job.Run{}, fmt.Errorf("read run %s: %w", k, store.ErrNotFound)
	}
	return found[0], nil
}

// Runs implements [store.View].
func (r *Reader) Runs(ctx context.Context, f store.RunFilter) ([]job.Run, error) {
	limit := pageSize(f.Limit)
	q := &query{text: "SELECT doc FROM run WHERE id IN (SELECT id FROM ("}
	if f.Token == "" && f.Job == "" && len(f.States) > 0 && !slices.Contains(f.States, job.Succeeded) {
		for i, state := range f.States {
			if i > 0 {
				q.add(" UNION ALL ")
			}
			one := f
			one.States = []job.State{state}
			runIDs(q, "INDEXED BY run_state WHERE state <> 'succeeded'", &one, limit)
		}
	} else {
		runIDs(q, runPath(&f), &f, limit)
	}
	q.add(" ORDER BY activity DESC, id DESC LIMIT ?)) ORDER BY activity DESC, id DESC", limit)
	return list(ctx, r, "read runs", scanDoc[job.Run], q.text, q.args...)
}

// runPath names the index that gives the rows of a filter in order, so that a page costs what it shows
// however long the history is.
func runPath(f *store.RunFilter) string {
	switch {
	case f.Token != "":
		return "INDEXED BY run_token WHERE token <> ''"
	case f.Source != "" && f.Job != "":
		return "INDEXED BY run_of_job WHERE true"
	case f.Source != "":
		return "INDEXED BY run_of_source WHERE true"
	}
	return "INDEXED BY run_activity WHERE true"
}

// runIDs adds a query for the ids of the first limit rows along one index.
func runIDs(q *query, path string, f *store.RunFilter, limit int) {
	q.add("SELECT * FROM (SELECT id, activity FROM run " + path)
	if f.Source != "" {
		q.and("source = ?", f.Source)
	}
	if f.Job != "" {
		q.and("job = ?", f.Job)
	}
	if f.Token != "" {
		q.and("token = ?", f.Token)
	}
	if len(f.States) > 0 {
		in(q, "state", f.States)
	}
	switch k := f.Behind; {
	case f.Before.IsZero():
	case k.IsZero():
		q.and("activity < ?", nanos(f.Before))
	default:
		q.and("(activity, id) < (?, (SELECT id FROM run WHERE source = ? AND native = ? AND job = ? AND epoch = ?))",
			nanos(f.Before), k.Source, k.Native, k.Job, k.Epoch)
	}
	q.add(" ORDER BY activity DESC, id DESC LIMIT ?)", limit)
}
