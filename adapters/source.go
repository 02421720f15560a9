package adapters

import (
	"context"
	"log/slog"
	"time"
)

// SourceOptions say how a [Source] treats its peer. Zero values mean the defaults in brackets.
type SourceOptions struct {
	Name           string        // of the source, as configured; required
	Node           string        // of ours, for the sightings
	Fast           time.Duration // poll interval while a chain waits on a run there [1s]
	Slow           time.Duration // poll interval otherwise [30s]
	PollsPerMinute int           // at most, fast pacing included [Properties.Budget.PollsPerMinute]
	Timeout        time.Duration // of one call [Properties.Budget.CallTimeout]
	Quiet          []QuietWindow // times of day without slow polls [none]
	Redact         []string      // secrets that must not appear in anything that leaves the source
	ReadOnly       bool          // refuse every call that changes something at the source
	Log            *slog.Logger  // [discard]
}

// QuietWindow is a time of day, in the zone of Location, in which a source is polled only while a
// chain waits on it. Until may be before From: then it spans midnight.
type QuietWindow struct {
	From, Until time.Duration // since midnight
	Location    *time.Location
}

// Sink takes what a source delivers. A Source calls it from one goroutine, in order.
type Sink interface {
	// Take makes a batch durable, observations and cursor together. Only after it returned nil does
	// the source go on behind that cursor; after an error the same cursor is polled again.
	Take(ctx context.Context, source string, b Batch) error
	// TakeListing makes the definitions durable.
	TakeListing(ctx context.Context, source string, l Listing) error
	// TakeContact hears that contact with the peer was lost or came back, not each poll.
	TakeContact(ctx context.Context, source string, c Contact) error
}

// Contact says whether a source can be seen.
type Contact struct {
	Blind bool      // polls fail
	Since time.Time // of the last good poll before it went blind (zero = there was none), or of the first good one after; UTC
	Kind  Kind      // of the error, while blind
	Error string    // redacted text, while blind
	Fix   string    // what a person can do about it
}

// Health is how contact with a source stands right now. It is for display: nothing is decided by it.
type Health struct {
	Contact   Contact
	LastSeen  time.Time      // last good poll; zero = never
	NextPoll  time.Time      // zero = none planned: stopped, or waiting for a person
	Offset    *time.Duration // source clock minus ours; nil = not measured
	Polls     int64          // made since start
	Failures  int64          // of them failed
	Breaker   bool           // open: after repeated failures only a probe now and then
	Fast      bool           // a chain waits on it
	Watching  bool           // a push stream is live
	Stopped   bool           // denied or misconfigured: not retried until asked (Poke)
	ListError string         // why the definitions cannot be listed, redacted; empty = they can, or were not tried
}
