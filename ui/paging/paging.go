// Package paging reads the ledger's lists a page at a time, latest first. The store's keyset is a
// time, and one poll gives many runs the same one; a page therefore never ends between two items of
// one time, so that none is lost at the border.
package paging

import (
	"context"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

const (
	// Default is the length of a page if nobody asks for another.
	Default = 50
	// Max is the longest page that may be asked for.
	Max = 500
	// fetchMax is what the store gives at most in one answer.
	fetchMax = 1000
)

// Page is a part of a list. It may be longer than asked for, if that many items share one time.
type Page[T any] struct {
	Items []T
	Next  time.Time // for the following page; zero on the last one
}

// Runs gives a page of runs, latest activity first. f.Limit is the length wanted.
func Runs(ctx context.Context, v store.View, f store.RunFilter) (Page[job.Run], error) {
	return read(f.Limit, func(limit int) ([]job.Run, error) {
		f.Limit = limit
		return v.Runs(ctx, f)
	}, Activity)
}

// Instances gives a page of instances, latest opened first. f.Limit is the length wanted.
func Instances(ctx context.Context, v store.View, f store.InstanceFilter) (Page[chain.Instance], error) {
	return read(f.Limit, func(limit int) ([]chain.Instance, error) {
		f.Limit = limit
		return v.Instances(ctx, f)
	}, func(in chain.Instance) time.Time { return in.Opened })
}

// Activity is when a run was last heard of: what lists of runs are sorted by.
func Activity(r job.Run) time.Time { return r.Latest.Sighting.Seen }

func read[T any](want int, fetch func(limit int) ([]T, error), at func(T) time.Time) (Page[T], error) {
	if want <= 0 {
		want = Default
	}
	items, err := fetch(want + 1)
	if err != nil {
		return Page[T]{}, err
	}
	end, ok := border(items, want, at)
	if !ok {
		if items, err = fetch(fetchMax); err != nil {
			return Page[T]{}, err
		}
		end = groupEnd(items, at)
	}
	p := Page[T]{Items: items[:end]}
	if end < len(items) {
		p.Next = at(items[end-1])
	}
	return p, nil
}

// border finds where a page of at most want items may end. ok is false if all of them share one time.
func border[T any](items []T, want int, at func(T) time.Time) (end int, ok bool) {
	if len(items) <= want {
		return len(items), true
	}
	for end = want; end > 0; end-- {
		if !at(items[end-1]).Equal(at(items[end])) {
			return end, true
		}
	}
	return 0, false
}

// groupEnd finds where the first time ends.
func groupEnd[T any](items []T, at func(T) time.Time) int {
	for i := 1; i < len(items); i++ {
		if !at(items[i]).Equal(at(items[0])) {
			return i
		}
	}
	return len(items)
}
