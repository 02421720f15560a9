// Package store is the contract of the ledger: append-only records, the projections derived from
// them, intents claimed once, and leases. It is implemented by store/sqlite, checked for every
// implementation by store/storetest.
//
// There is one way to write, [Writer.Commit]: records, projections and intents of a batch become
// durable together or not at all. A projection holds nothing that could not be rebuilt from the
// records.
package store

import (
	"context"
	"errors"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// Store is everything that an engine needs. Its methods may be called from any goroutine.
type Store interface {
	Writer
	Ledger
	View
	Recovery
	Leases
	// Close releases everything. It may be called twice.
	Close() error
}

// Errors that callers act on.
var (
	// ErrNotFound means that the named thing is not stored.
	ErrNotFound = errors.New("not found")
	// ErrFenced means that the batch's fence is not the current one: another owner took the lease.
	ErrFenced = errors.New("the lease was taken by another owner")
	// ErrConflict means that a move found the intent in another state than From, or that an intent for
	// this instance, node and attempt exists already.
	ErrConflict = errors.New("conflict")
	// ErrLocked means that another process writes this database.
	ErrLocked = errors.New("the database is in use by another process")
)

// Writer writes.
type Writer interface {
	// Commit makes the batch durable in one transaction and returns the sequence number of its last
	// record (or of the ledger's last, if it has none). It fails as a whole: with ErrFenced or
	// ErrConflict, or any other error; then nothing was written and the caller must reload its state.
	Commit(ctx context.Context, b *Batch) (last int64, err error)
}

// Batch is one group commit. The slices are written in the order of the fields.
type Batch struct {
	Fence       Fence              // required
	Records     []Entry            // Seq is ignored and assigned; one equal to a stored one gets no place
	Definitions []chain.Definition // become the current version of their chain
	Retired     []string           // chains without a current version from now on
	Sources     []Source           // replace the row of that name
	Listings    []Listing          // replace all jobs of that source
	Runs        []job.Run          // replace the row of that key
	Instances   []chain.Instance   // replace the row of that key; Nodes are written only if not nil
	Nodes       []NodeChange       // replace one node's state each
	Intents     []Intent           // new; unique by token and by (instance, node, attempt)
	Moves       []Move             // of intents
	Edges       []Edge             // known ones are ignored
}

// Entry is one record in its place in the ledger.
type Entry struct {
	Seq     int64     // place: 1, 2, 3 … without gaps
	At      time.Time // UTC: the "now" of the decision that it took part in
	Subject string    // what it is about: see Subject functions
	job.Record
}

// RunSubject is the subject of observations of a run. A record's subject follows from its bytes: equal
// records have equal subjects.
func RunSubject(k job.RunKey) string { return "run:" + k.String() }

// InstanceSubject is the subject of receipts and commands of an instance.
func InstanceSubject(k chain.Key) string { return "instance:" + k.String() }

// ChainSubject is the subject of a chain's definitions.
func ChainSubject(name string) string { return "chain:" + name }

// SourceSubject is the subject of records about a source as a whole.
func SourceSubject(name string) string { return "source:" + name }

// SiteSubject is the subject of records about this installation.
const SiteSubject = "site"

// NodeChange is one node's new state.
type NodeChange struct {
	Key   chain.Key
	Index int // of the node in its definition
	State chain.NodeState
}

// Source is the row of one source.
type Source struct {
	Name       string
	Cursor     adapters.Cursor
	CursorAt   time.Time           // when the cursor moved last, UTC
	Contact    adapters.Contact    // as last heard
	Offset     *time.Duration      // source clock minus ours, last measured
	Properties adapters.Properties // as last declared
	Problems   []adapters.Problem  // of the last listing
	Gaps       []adapters.Gap      // latest first, at most 20
	ListedAt   time.Time           // UTC; zero = never
}

// Listing is all jobs of a source.
type Listing struct {
	Source string
	Jobs   []job.Job
}

// Intent is a start that was decided: the outbox. Its token is the idempotency mark at the source.
type Intent struct {
	Token   string
	Key     chain.Key
	Node    string
	Attempt int
	Job     job.Ref
	State   chain.Send
	Run     job.RunKey // once known
	Note    string     // what the source said
	Receipt job.Hash   // of the release
	Created time.Time  // UTC
	Updated time.Time  // UTC
}

// Move changes an intent's state if it is still in From. A zero Run and an empty Note leave what is
// known.
type Move struct {
	Token string
	From  chain.Send
	To    chain.Send
	Run   job.RunKey
	Note  string
	At    time.Time
}

// Edge says that the run Down was released because of the run Up.
type Edge struct {
	DownToken string     // of the release that started Down
	Up        job.RunKey //
	UpAttempt int
	Evidence  job.Hash // record of Up's observation
	Receipt   job.Hash
}

// Fence proves the right to write.
type Fence struct {
	Lease string
	Value int64
}

// Leases gives the right to write to one owner at a time. Times are the database's.
type Leases interface {
	// Acquire takes a free or expired lease, or one that the same owner holds, and raises its fence.
	// A lease held by another owner gives a [*HeldError].
	Acquire(ctx context.Context, lease, owner string, ttl time.Duration) (Fence, error)
	// Renew prolongs a lease that is still held; an expired or lost one gives ErrFenced.
	Renew(ctx context.Context, f Fence, ttl time.Duration) error
	// Release gives it back. A lost lease is not an error.
	Release(ctx context.Context, f Fence) error
}

// HeldError says who holds a lease.
type HeldError struct {
	Lease, Owner string
	Until        time.Time
}

// Error implements error.
func (e *HeldError) Error() string {
	return "lease " + e.Lease + " is held by " + e.Owner + " until " + e.Until.UTC().Format(time.RFC3339)
}
