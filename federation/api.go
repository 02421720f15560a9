package federation

import (
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// Change tells a subscriber that something became durable. It names what to read again; it carries no
// state, so a lost or repeated one does no harm.
type Change struct {
	Seq  int64      // of the ledger after the commit
	Kind ChangeKind //
	ID   string     // chain.Key, job.RunKey or source name, as text
}

// ChangeKind says what changed.
type ChangeKind string

// The kinds of changes.
const (
	ChangedInstance ChangeKind = "instance"
	ChangedRun      ChangeKind = "run"
	ChangedSource   ChangeKind = "source"
	ChangedChain    ChangeKind = "chain"
)

// SourceStatus is how one source stands right now, for display.
type SourceStatus struct {
	Name       string
	Peer       string // "cron (Debian)"
	Address    string
	Zone       string
	StartClass string
	Confidence string // best rung of evidence that it offers
	HostKey    string
	Rights     []RightStatus
	KnownGaps  []string
	Weaknesses []string
	Problems   []Problem

	LastSeen  time.Time      // last good poll, UTC; zero = never since start
	Blind     bool           //
	Since     time.Time      // blind since, or seen since, UTC
	Error     string         // why blind
	ErrorKind string         //
	Fix       string         // what a person can do
	Stopped   bool           // not retried until asked
	NextPoll  time.Time      // zero = none planned
	Interval  time.Duration  // between polls now
	Fast      bool           // a chain waits on it
	Watching  bool           // a push stream is live
	Offset    *time.Duration // source clock minus ours; nil = not measured
	Polls     int64
	Failures  int64
	Jobs      int
	Gaps      []Gap // what was lost for good, latest first
}

// RightStatus is a right at the source and whether we have it.
type RightStatus struct {
	Name, Why, Granted, Fix string
	Needed                  bool
}

// Problem is something at the source that a person should know.
type Problem struct{ Where, What, Fix string }

// Gap is something that can no longer be read from a source.
type Gap struct {
	What         string
	Since, Until time.Time
}

// RunLog is the tail of what a run printed, redacted.
type RunLog struct {
	Text      string
	Truncated bool // there was more before it
	Complete  bool // the run is over and this is its last output
}

// Ability says what a person may ask of a run's or a job's source.
type Ability struct {
	Log    bool // the output can be read
	Cancel bool // a run can be stopped
	Start  bool // jobs can be started
	Hold   bool // a native schedule can be taken out of effect
}

// CommandResult tells what a command did.
type CommandResult struct {
	Instance chain.Key
	Node     string
	State    job.State // of the node afterwards
}
