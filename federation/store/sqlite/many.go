package sqlite

import (
	"context"
	"errors"
	"strings"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

const (
	// manyRuns is how many runs one statement looks up.
	manyRuns = 64
	// fewRuns is how many are looked up one by one rather than by a statement for many.
	fewRuns = 8
)

// sqlManyRuns looks up manyRuns keys. One that is given twice is found twice.
var sqlManyRuns = "WITH given (source, native, job, epoch) AS (VALUES (?, ?, ?, ?)" + strings.Repeat(", (?, ?, ?, ?)", manyRuns-1) + `)
	SELECT run.doc, e.body FROM given CROSS JOIN run INDEXED BY run_key ON run.source = given.source
	AND run.native = given.native AND run.job = given.job AND run.epoch = given.epoch LEFT JOIN record e ON e.seq = run.evidence`

// RunsOf reads the runs of many keys for a third of what it costs to read them one by one. Those that are
// not stored are left out; the order is not told.
func (r *Reader) RunsOf(ctx context.Context, keys []job.RunKey) ([]job.Run, error) {
	var out []job.Run
	for len(keys) >= fewRuns {
		n := min(len(keys), manyRuns)
		args := make([]any, 0, 4*manyRuns)
		for i := range manyRuns {
			k := &keys[min(i, n-1)] // the last one fills up
			args = append(args, k.Source, k.Native, k.Job, k.Epoch)
		}
		found, err := list(ctx, r, "read runs", scanRun, ask(sqlManyRuns, args...))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
		keys = keys[n:]
	}
	for _, k := range keys {
		run, err := r.Run(ctx, k)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, run)
	}
	return out, nil
}
