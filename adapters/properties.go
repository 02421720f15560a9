package adapters

import (
	"time"

	"signalbox/adapters/job"
)

// Properties is everything about a peer that is data. It is shown on the source's page, by "signalbox
// probe" and in the adapter's README.
type Properties struct {
	Peer       string         // "cron", with flavour where known: "cron (Debian)"
	Version    string         // of the peer; empty = not known yet
	Address    string         // where it is reached, without secrets
	Kind       SourceKind     // event or snapshot
	Zone       string         // IANA zone of the peer's clock and schedules; empty = not known yet
	Start      StartClass     //
	Rights     []Right        // what it needs there
	Budget     Budget         //
	KnownGaps  []string       // what it cannot see, said plainly
	Confidence job.Confidence // best rung that the peer offers as configured now
	Weaknesses []string       // settings that weaken security, shown as such
	HostKey    string         // fingerprint or certificate subject of the peer, where it has one
}

// SourceKind says what a poll reads.
type SourceKind string

// The kinds of sources.
const (
	EventSource    SourceKind = "event"    // a log of events: nothing between two polls is lost
	SnapshotSource SourceKind = "snapshot" // the present state: what came and went between two polls is not seen
)

// StartClass says what an adapter can promise about a start of which the answer was lost.
type StartClass string

// The start classes.
const (
	StartNone         StartClass = "none"         // it cannot start jobs
	StartDeduplicated StartClass = "deduplicated" // (a) the source de-duplicates by our token: send again
	StartSearchable   StartClass = "searchable"   // (b) the token can be searched for: search, then send again if absent
	StartInDoubt      StartClass = "in_doubt"     // (c) neither: nothing is sent again, a person is asked
)

// Granted is a three-valued yes.
type Granted string

// The values of Granted.
const (
	GrantUnknown Granted = "unknown"
	GrantYes     Granted = "yes"
	GrantNo      Granted = "no"
)

// Right is something that the account at the peer must or should be allowed.
type Right struct {
	Name    string  `json:"name"`   // "read own crontab"
	Needed  bool    `json:"needed"` // without it nothing works; else only what Why says is missing
	Why     string  `json:"why"`    // what it is for
	Granted Granted `json:"granted"`
	Fix     string  `json:"fix,omitempty"` // the exact line or command that grants it
}

// Budget bounds what an adapter may ask of its peer.
type Budget struct {
	PollsPerMinute int           // at most, fast pacing included; 0 = 60
	Concurrent     int           // calls at the same time; 0 = 1
	CallTimeout    time.Duration // of one call; 0 = 30 s
}
