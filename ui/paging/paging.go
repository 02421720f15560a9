// Package paging reads the ledger's lists a page at a time and tells whether there is more.
package paging

import (
	"context"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

const (
	// Default is the length of a page if nobody asks for another.
	Default = 50
	// Max is the longest page that may be asked for.
	Max = 500
)

// Runs gives a page of at most f.Limit runs, latest activity first, and whether more follow.
func Runs(ctx context.Context, v store.View, f store.RunFilter) (items []job.Run, more bool, err error) {
	want := length(f.Limit)
	f.Limit = want + 1
	items, err = v.Runs(ctx, f)
	return cut(items, want), len(items) > want, err
}

// Instances gives a page of at most f.Limit instances, latest opened first, and whether more follow.
func Instances(ctx context.Context, v store.View, f store.InstanceFilter) (items []chain.Instance, more bool, err error) {
	want := length(f.Limit)
	f.Limit = want + 1
	items, err = v.Instances(ctx, f)
	return cut(items, want), len(items) > want, err
}

// Jobs gives a page of at most f.Limit jobs, by source and key, and whether more follow.
func Jobs(ctx context.Context, v store.View, f store.JobFilter) (items []job.Job, more bool, err error) {
	want := length(f.Limit)
	f.Limit = want + 1
	items, err = v.Jobs(ctx, f)
	return cut(items, want), len(items) > want, err
}

func length(limit int) int {
	if limit <= 0 {
		return Default
	}
	return min(limit, Max)
}

func cut[T any](items []T, want int) []T { return items[:min(len(items), want)] }
