package store

import (
	"context"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// Ledger reads records. They are never changed or removed.
type Ledger interface {
	// After gives at most limit entries with a sequence number above seq, in order.
	After(ctx context.Context, seq int64, limit int) ([]Entry, error)
	// About gives at most limit entries of a subject above seq, in order.
	About(ctx context.Context, subject string, seq int64, limit int) ([]Entry, error)
	// ByHash finds a record by its hash, or ErrNotFound.
	ByHash(ctx context.Context, h job.Hash) (Entry, error)
	// Last is the highest sequence number, 0 in an empty ledger.
	Last(ctx context.Context) (int64, error)
}

// View reads projections, a page at a time.
type View interface {
	Sources(ctx context.Context) ([]Source, error)
	Jobs(ctx context.Context, f JobFilter) ([]job.Job, error)
	Run(ctx context.Context, k job.RunKey) (job.Run, error)
	Runs(ctx context.Context, f RunFilter) ([]job.Run, error)
	Definitions(ctx context.Context) ([]chain.Definition, error) // current versions, sorted by name
	Instance(ctx context.Context, k chain.Key) (chain.Instance, error)
	Instances(ctx context.Context, f InstanceFilter) ([]chain.Instance, error)
	Intents(ctx context.Context, f IntentFilter) ([]Intent, error)
}

// JobFilter selects jobs, sorted by source and key.
type JobFilter struct {
	Source string  // empty = all
	After  job.Ref // keyset: strictly behind this one
	Limit  int     // 0 = 100, at most 1000
}

// RunFilter selects runs, latest activity first.
type RunFilter struct {
	Source string
	Job    string // needs Source
	States []job.State
	Token  string
	Before time.Time // keyset: last activity ([Activity]) strictly before; zero = from the latest
	// Behind, with Before, is the last run of the page before: runs active exactly at Before follow if
	// they stand behind it. Without it, those would be lost at the border of a page.
	Behind job.RunKey
	Limit  int // 0 = 100, at most 1000
}

// Activity is when something last happened to a run, for sorting: the source's time of its latest
// observation, corrected by the measured offset of the source's clock; without such a time, when we
// saw it. UTC.
func Activity(r *job.Run) time.Time {
	o := &r.Latest
	if o.At.IsZero() {
		return o.Sighting.Seen
	}
	if o.Sighting.OffsetMS == nil {
		return o.At.At
	}
	return o.At.At.Add(-time.Duration(*o.Sighting.OffsetMS) * time.Millisecond)
}

// Next gives the filter of the page that follows the given one, which f selected.
func (f RunFilter) Next(page []job.Run) RunFilter {
	if len(page) > 0 {
		last := &page[len(page)-1]
		f.Before, f.Behind = Activity(last), last.Key
	}
	return f
}

// InstanceFilter selects instances, latest opened first.
type InstanceFilter struct {
	Chain  string
	Open   bool      // only open ones
	Before time.Time // keyset: opened strictly before; zero = from the latest
	// Behind, with Before, is the last instance of the page before: those opened exactly at Before
	// follow if they stand behind it.
	Behind chain.Key
	Limit  int // 0 = 100, at most 1000
}

// Next gives the filter of the page that follows the given one, which f selected.
func (f InstanceFilter) Next(page []chain.Instance) InstanceFilter {
	if len(page) > 0 {
		last := &page[len(page)-1]
		f.Before, f.Behind = last.Opened, last.Key
	}
	return f
}

// IntentFilter selects intents, oldest first.
type IntentFilter struct {
	Token  string
	Key    chain.Key
	Run    job.RunKey
	States []chain.Send
	Limit  int // 0 = 1000
}

// Recovery reads what an engine needs to go on after a restart. Its cost grows with what is open, not
// with history.
type Recovery interface {
	// OpenInstances gives every open instance with its nodes.
	OpenInstances(ctx context.Context) ([]chain.Instance, error)
	// ClosedKeys gives the keys of instances opened at or after since and closed by now.
	ClosedKeys(ctx context.Context, since time.Time) ([]chain.Key, error)
	// Definition gives one version, current or not.
	Definition(ctx context.Context, version job.Hash) (chain.Definition, error)
	// Edges gives the upstream runs behind a release, by the token it carried.
	Edges(ctx context.Context, token string) ([]Edge, error)
}
