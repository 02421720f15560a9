package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

// runDoc is how a run is stored: its latest observation is left out if the ledger has it.
type runDoc struct {
	*job.Run
	Latest *job.Observation `json:"latest,omitempty"`
}

func (t *task) runs(ctx context.Context) error {
	args := make([]any, 0, len(t.b.Runs)*9)
	touched := map[int64]bool{}
	for i := range t.b.Runs {
		r := &t.b.Runs[i]
		doc, evidence := runDoc{Run: r, Latest: &r.Latest}, any(nil)
		if seq, ok := t.seen[r.Evidence]; ok {
			doc.Latest, evidence = nil, seq
		}
		text, err := json.Marshal(doc)
		if err != nil {
			return fmt.Errorf("run %s: %w", r.Key, err)
		}
		k, activity := &r.Key, nanos(store.Activity(r))
		touched[activity>>sliceBits] = true
		args = append(args, k.Source, k.Native, k.Job, k.Epoch, string(r.State()), activity, r.Token, evidence, string(text))
	}
	if _, err := t.db.rows(ctx, insertRuns, args); err != nil {
		return fmt.Errorf("write runs: %w", err)
	}
	args = args[:0]
	for n := range touched {
		args = append(args, n)
	}
	if _, err := t.db.rows(ctx, insertSlices, args); err != nil {
		return fmt.Errorf("write runs: %w", err)
	}
	return nil
}

func scanRun(row scanner) (r job.Run, err error) {
	var text, latest sql.RawBytes
	if err := row.Scan(&text, &latest); err != nil {
		return r, err
	}
	doc := runDoc{Run: &r, Latest: &r.Latest}
	if err := json.Unmarshal(text, &doc); err != nil {
		return r, err
	}
	if latest != nil {
		err = json.Unmarshal(latest, &r.Latest)
	}
	return r, err
}

const runColumns = "SELECT run.doc, e.body FROM run LEFT JOIN record e ON e.seq = run.evidence "

// Run implements [store.View].
func (r *Reader) Run(ctx context.Context, k job.RunKey) (job.Run, error) {
	found, err := list(ctx, r, "read run "+k.String(), scanRun,
		ask(runColumns+"WHERE source = ? AND native = ? AND job = ? AND epoch = ?", k.Source, k.Native, k.Job, k.Epoch))
	if err != nil {
		return job.Run{}, err
	}
	if len(found) == 0 {
		return job.Run{}, fmt.Errorf("read run %s: %w", k, store.ErrNotFound)
	}
	return found[0], nil
}

// Runs implements [store.View]. Each way to filter has an index that gives its rows in order, so that a
// page costs what it shows, however long the history is.
func (r *Reader) Runs(ctx context.Context, f store.RunFilter) ([]job.Run, error) {
	return list(ctx, r, "read runs", scanRun, runQuery(&f))
}

func runQuery(f *store.RunFilter) *query {
	limit := pageSize(f.Limit)
	q := ask(runColumns + "WHERE run.id IN (SELECT id FROM (")
	switch rare := len(f.States) > 0 && !slices.Contains(f.States, job.Succeeded); {
	case f.Token != "":
		runIDs(q, "run INDEXED BY run_token WHERE token <> ''", f, limit)
	case f.Source != "" && f.Job != "":
		runIDs(q, "run_slice s CROSS JOIN run INDEXED BY run_of_job WHERE activity >> 45 = +s.n", f, limit)
	case rare:
		for i, state := range f.States {
			if i > 0 {
				q.add(" UNION ALL ")
			}
			one := *f
			one.States = []job.State{state}
			runIDs(q, "run INDEXED BY run_state WHERE state <> 'succeeded'", &one, limit)
		}
	case f.Source != "":
		runIDs(q, "run INDEXED BY run_of_source WHERE true", f, limit)
	default:
		runIDs(q, "run INDEXED BY run_activity WHERE true", f, limit)
	}
	q.add(" ORDER BY activity DESC, id DESC LIMIT ?)) ORDER BY run.activity DESC, run.id DESC", limit)
	return q
}

// sliceBits is how the index of the runs of a job is cut: see the schema.
const sliceBits = 45

// runIDs adds a query for the ids of the first limit rows that a filter selects from a table.
func runIDs(q *query, from string, f *store.RunFilter, limit int) {
	q.add("SELECT * FROM (SELECT id, activity FROM " + from)
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
	order := "activity DESC, id DESC"
	if f.Job != "" && f.Token == "" {
		if !f.Before.IsZero() {
			q.and("s.n <= ?", nanos(f.Before)>>sliceBits)
		}
		order = "s.n DESC, " + order // the same order: slices are cut by activity
	}
	q.add(" ORDER BY "+order+" LIMIT ?)", limit)
}
