package adapters

import (
	"context"
	"time"

	"signalbox/adapters/job"
)

// Adapter is what every peer must offer. Its methods are called by one [Source], which never calls
// Poll twice at the same time but may call abilities (Start, Cancel, ReadLog …) while a Poll runs.
type Adapter interface {
	// Properties says what the peer is and can do, as far as known now: some of it (version, zone,
	// rights) becomes known with the first successful Poll. It makes no call, may be called at any time
	// and from any goroutine.
	Properties() Properties

	// Poll reads what changed since cursor. A nil cursor means "from what the source still has".
	//
	// All or nothing: on error the Batch is ignored. The same cursor against an unchanged source gives
	// the same observations. Poll must not change anything at the source. Its cost must grow with what
	// changed, not with how many jobs exist, unless Properties declares the gap. It returns promptly
	// when ctx ends. Errors are [*Error] values; any other error counts as unavailable.
	Poll(ctx context.Context, cursor Cursor) (Batch, error)

	// Close ends connections and goroutines. It may be called twice, and before the first Poll. No other
	// method may be called afterwards.
	Close() error
}

// Cursor says how far a source was read, in the adapter's own words. Signalbox stores it in the same
// transaction as the observations and hands it back after a restart, also to a later version of the
// adapter. It must not hold secrets. Nil means never read.
type Cursor []byte

// Batch is the answer of one poll.
type Batch struct {
	Observations []job.Observation // in the source's order; their Sighting empty but for Payload
	Next         Cursor            // to go on from
	More         bool              // there is more to read now: poll again at once
	Wait         time.Duration     // hint: nothing new before this; zero = no hint
	SourceTime   time.Time         // the source's clock when it answered, UTC; zero = not told
	Gaps         []Gap             // what was lost for good between cursor and Next
	JobsChanged  bool              // the definitions changed since cursor: list them again
}

// Gap is something that the source once had and that can no longer be read. It is recorded, shown,
// and part of the completeness statement; runs in it are unknown, never good.
type Gap struct {
	What  string    `json:"what"`           // "spool overwritten: 12 records lost"
	Since time.Time `json:"since,omitzero"` // UTC; zero = not known
	Until time.Time `json:"until,omitzero"` // UTC; zero = not known
}

// Lister lists job definitions and native schedules. It changes nothing at the source.
type Lister interface {
	List(ctx context.Context) (Listing, error)
}

// Listing is all definitions that the adapter can see, complete: a job that is not in it is gone.
type Listing struct {
	Jobs     []job.Job // sorted by key; keys are unique
	Problems []Problem // of the source itself, not of one job
}

// Problem is something at the source that a person should know.
type Problem struct {
	Where string `json:"where"`         // "crontab of ops, line 12"
	What  string `json:"what"`          // "minute 75 is out of range: cron ignores the line"
	Fix   string `json:"fix,omitempty"` // exact command or words
}

// Starter starts jobs.
type Starter interface {
	// Start asks the source to run a job once. Token is chosen and made durable by the caller before
	// the first call. It consists of [A-Za-z0-9-], at most 64 characters. With start class
	// [StartDeduplicated] and [StartSearchable] a second call with the same token must not start a
	// second run.
	//
	// A nil error means that the source accepted the start; the run itself is learnt by polling. An
	// error says in its Effect whether anything may have happened; without it, it may have.
	Start(ctx context.Context, req StartRequest) (Started, error)
}

// StartRequest is one start.
type StartRequest struct {
	Token        string
	Job          string // key of the job at this source
	BusinessDate string // YYYY-MM-DD of the chain instance; passed to the job where the peer allows it
	Chain        string // for the peer's own records; not needed
}

// Started is what a source said when it accepted a start.
type Started struct {
	Run    job.RunKey // zero if the source does not say
	Detail string     // its words, for the record
}

// Finder looks for a run by the token it was started with: needed by start class [StartSearchable].
type Finder interface {
	// Find tells what became of a token. It changes nothing at the source. Absent must be proof: if the
	// source cannot exclude that the start is still under way, it answers FoundUnclear.
	Find(ctx context.Context, token string) (Finding, error)
}

// Found is the answer to the search for a token.
type Found string

// The answers.
const (
	FoundAbsent  Found = "absent"  // proof: it did not start and cannot start any more by itself
	FoundPresent Found = "present" // it started, or will without our help
	FoundUnclear Found = "unclear" // cannot be told now; ask again
)

// Finding is what Find found.
type Finding struct {
	Found  Found
	Run    job.RunKey // zero if absent or not told
	Detail string
}

// Canceller asks the source to stop a run, softly. A nil error means that the source accepted it; what
// became of the run is learnt by polling. Asking for a run that is over is not an error.
type Canceller interface {
	Cancel(ctx context.Context, run job.RunKey) error
}

// Holder takes a native schedule out of effect and puts it back, reversibly. Both may be called twice.
type Holder interface {
	// Hold keeps the native clock from starting the job. What is needed to restore it is kept at the
	// source, where a person finds it without us.
	Hold(ctx context.Context, jobKey string) error
	// Unhold restores the native schedule exactly as it was.
	Unhold(ctx context.Context, jobKey string) error
}

// LogReader reads what a run printed.
type LogReader interface {
	// ReadLog gives at most limit bytes from the end of the run's output. A run without output kept
	// gives [NotFound].
	ReadLog(ctx context.Context, run job.RunKey, limit int) (Log, error)
}

// Log is the tail of a run's output. Text is redacted by [Source].
type Log struct {
	Text      string
	Truncated bool // there was more before it
	Complete  bool // the run is over and this is its last output
}

// Watcher pushes batches on an authenticated stream of ours, so that an end arrives at once. It ends
// when ctx ends or the stream breaks; polling goes on beside it.
type Watcher interface {
	// Watch calls emit for each batch in order, and acknowledges towards the source only what emit
	// returned nil for: then it is durable.
	Watch(ctx context.Context, cursor Cursor, emit func(Batch) error) error
}

// Deployer installs and removes a wrapper at the source, always reversibly.
type Deployer interface {
	// Deploy installs the wrapper or brings it up to date. With dryRun it only says what it would do.
	// It may be called twice; then there is nothing to do.
	Deploy(ctx context.Context, dryRun bool) (Change, error)
	// Undeploy removes it and restores what was there byte for byte.
	Undeploy(ctx context.Context, dryRun bool) (Change, error)
}

// Change is what Deploy or Undeploy did, or would do.
type Change struct {
	Done  bool     // it was carried out
	Steps []string // one line each
	Diff  string   // unified diff of what changes in the source's own files; empty = nothing
}
