// Package lineage reads the ledger: why did a run start, on what evidence, what came before it. It
// changes nothing, and what it gives can be printed, drawn or sent as it is.
package lineage

import (
	"context"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Reader is what lineage reads. A store.Store is one.
type Reader interface {
	// About gives at most limit entries of a subject above seq, in order.
	About(ctx context.Context, subject string, seq int64, limit int) ([]store.Entry, error)
	// ByHash finds a record by its hash, or store.ErrNotFound.
	ByHash(ctx context.Context, h job.Hash) (store.Entry, error)
	// Run gives the projection of a run, or store.ErrNotFound.
	Run(ctx context.Context, k job.RunKey) (job.Run, error)
	// Intents gives the starts that were decided.
	Intents(ctx context.Context, f store.IntentFilter) ([]store.Intent, error)
	// Definition gives one version of a chain, current or not, or store.ErrNotFound.
	Definition(ctx context.Context, version job.Hash) (chain.Definition, error)
}

// Limits bound an answer. Zero values mean the defaults in brackets.
type Limits struct {
	Depth        int // upstream steps [20]
	Runs         int // in all, nearest first [200]
	Observations int // of each run, latest [100]
}

// Origin says in general who started a run.
type Origin string

// The origins.
const (
	BySignalbox Origin = "signalbox" // a release of ours: see Step.Release
	BySchedule  Origin = "schedule"  // the native schedule
	ByPerson    Origin = "manual"    // a person or program at the source
	ByUnknown   Origin = "unknown"   // the source does not tell
)

// Step is one run and everything that led to it.
type Step struct {
	Run              job.Run
	Origin           Origin
	Sentence         string        // one sentence for people: why it started
	Observations     []Observation // what was seen, in the order of the ledger; the latest if More
	MoreObservations bool          // there are earlier ones
	Release          *Release      // that started it; nil if we did not
	Definition       *Definition   // by which the release was decided
	Inputs           []Input       // in the order of the release's dependencies
	Faults           []string      // what the ledger should hold and does not, or holds altered

	ours bool // a start of ours led to this run
}

// Place is where a record stands in the ledger.
type Place struct {
	Seq  int64
	At   time.Time // UTC
	Hash job.Hash
}

// Observation is one observation in its place.
type Observation struct {
	Place
	Said job.Observation
}

// Release is the decision that started a run, and what became of the start.
type Release struct {
	Place
	Receipt chain.Receipt
	Intent  store.Intent
}

// Definition is the definition that a decision went by.
type Definition struct {
	Version job.Hash
	chain.Definition
}

// Input is one dependency of a release as it stood then, and the run that met it.
type Input struct {
	chain.Input
	Evidence *Observation // the very record that the decision saw; nil if there is none
	Step     *Step        // the upstream run; nil if there is none, or if Again or More is set
	Again    bool         // it stands elsewhere in the same answer
	More     bool         // it was left out because of the limits: ask for it by its key
}
