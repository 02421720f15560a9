package adaptertest

import (
	"context"
	"time"

	"signalbox/adapters"
)

// T is the part of *testing.T that cases use, so that the suite itself can be tested.
type T interface {
	Helper()
	Name() string
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Harness drives one peer that nobody else uses. Methods that cannot do their work fail the test that
// the harness was made with. They are called from one goroutine unless said otherwise.
type Harness interface {
	// Source is the name that the adapters of this harness report as the source.
	Source() string
	// Adapter makes a new adapter for the peer with the right credentials, as a start of Signalbox
	// would. It makes no call. The suite closes it. Several may live at once.
	Adapter() adapters.Adapter
	Native
	// ChangingCommands counts the commands received from adapters, so far, that change or could
	// change something at the peer; from the peer's own log.
	ChangingCommands() int
	// Secrets are the credentials that the adapters use: no error and no log may hold them.
	Secrets() []string
	// Gaps lists the cases that this peer makes impossible, each with the reason.
	Gaps() map[Case]string
}

// Native plays the native scheduler of the peer, without the adapter.
type Native interface {
	// Jobs are the keys of at least two jobs that can be started, each only once at a time.
	Jobs() []string
	// StartNative starts a run of the job, and returns when the peer has it running. The handle means
	// something to the harness only.
	StartNative(job string) (run string)
	// Finish lets a run end well, and returns when the peer has recorded it.
	Finish(run string)
	// Fail lets a run end badly, and returns when the peer has recorded it.
	Fail(run string)
}

// Fault is one way in which the line to the peer goes bad. It holds for connections that exist and for
// new ones, until the line is restored.
type Fault string

// The faults.
const (
	Refused            Fault = "refused"              // connections are cut and new ones refused
	Slow               Fault = "slow"                 // what is sent arrives nowhere; no answer comes
	Truncated          Fault = "truncated"            // answers stop in the middle, as if complete or with the line cut
	Garbage            Fault = "garbage"              // answers are complete but make no sense
	WrongPassword      Fault = "wrong_password"       // connections are cut, our credentials no longer hold
	DroppedAfterEffect Fault = "dropped_after_effect" // the peer carries a changing command out, then the line is cut
)

// Line is a harness that can spoil the line to its peer.
type Line interface {
	BreakLine(f Fault)
	RestoreLine()
}

// Starts is a harness that counts, at the peer, how many runs were really started with a token. It may
// be called from any goroutine.
type Starts interface {
	StartsOf(token string) int
}

// Holds is a harness whose peer can hold one run natively and let it go on.
type Holds interface {
	HoldRun(run string)
	ReleaseRun(run string)
}

// Revives is a harness whose peer can bring a run that ended back to life under the same native id
// (repair, restart, clear).
type Revives interface {
	Revive(run string)
}

// Odd is a harness whose peer can report a status word that no documentation knows.
type Odd interface {
	// StartOdd starts a run that the peer reports in that word.
	StartOdd(job, word string)
}

// Clock is a harness that sets its peer's clock.
type Clock interface {
	// Zone is the IANA zone in which the peer writes times; it must have clock changes.
	Zone() string
	// RunAt lets the native scheduler start a run of the job at this moment of the peer's clock, and
	// end it well one second later.
	RunAt(job string, at time.Time)
}

// Skew is a harness that can put its peer's clock off ours.
type Skew interface {
	SkewClock(offset time.Duration)
}

// Meter is a harness that counts the calls that its peer serves to adapters, whatever they do. A call
// is what costs the peer something on its own: a command, a request, a query.
type Meter interface {
	Calls() Calls
}

// Calls is what a peer has served so far.
type Calls struct {
	Total int // since the start
	Peak  int // most at the same time
}

// Logs is a harness that keeps what its adapters logged.
type Logs interface {
	Logged() string
}

// Patient is a harness whose peer needs longer than [DefaultPatience] to show what happened.
type Patient interface {
	Patience() time.Duration
}

// DefaultPatience is how long a case waits for something to show.
const DefaultPatience = 10 * time.Second
