package job

import "slices"

// Reason says why a run is in its state, in one word that programs can test. The source's own words
// stand beside it in [Observation.NativeState] and [Observation.Detail].
type Reason string

// The reasons. None means that the source did not say, or that the state says it all.
const (
	None             Reason = ""
	OutcomeUnknown   Reason = "outcome_unknown"   // it ended, nobody can say how
	NotSeen          Reason = "not_seen"          // it disappeared from a listing
	NativeUnknown    Reason = "native_unknown"    // the source used a word that we do not know
	LostAtReboot     Reason = "lost_at_reboot"    // its host went down under it
	Purged           Reason = "purged"            // the source deleted its history
	Killed           Reason = "killed"            // ended by a signal or an operator's kill
	TimedOut         Reason = "timed_out"         // ended by a time limit
	ByOperator       Reason = "by_operator"       // ended or moved by a person
	SystemError      Reason = "system_error"      // the scheduler failed, not the job
	Rejected         Reason = "rejected"          // the source refused to start it
	NeedsOperator    Reason = "needs_operator"    // waits for a person at the source
	WaitingCondition Reason = "waiting_condition" // waits for the source's own dependency
	WaitingResource  Reason = "waiting_resource"  // waits for an initiator, executor, lock
	UserHold         Reason = "user_hold"         // a person holds it at the source
	ConditionSkip    Reason = "condition_skip"    // the source's own condition left it out
	Duplicate        Reason = "duplicate"         // another run of the same cycle came first
	WarningResult    Reason = "warning"           // the source calls the end a warning
)

// Reasons lists every reason but [None].
func Reasons() []Reason {
	return []Reason{
		OutcomeUnknown, NotSeen, NativeUnknown, LostAtReboot, Purged, Killed, TimedOut, ByOperator, SystemError, Rejected,
		NeedsOperator, WaitingCondition, WaitingResource, UserHold, ConditionSkip, Duplicate, WarningResult,
	}
}

// Valid tells whether r is [None] or one of the reasons.
func (r Reason) Valid() bool { return r == None || slices.Contains(Reasons(), r) }

// Cause says who started a run, as far as the source tells.
type Cause string

// The causes. The empty cause means that the source does not tell.
const (
	CauseUnknown  Cause = ""
	CauseSchedule Cause = "schedule" // the source's own clock or condition
	CauseBridge   Cause = "bridge"   // Signalbox, with a token
	CauseManual   Cause = "manual"   // a person or a program at the source: an ad-hoc run
)

// AdHoc tells whether a run of this cause must not satisfy a dependency by default.
func (c Cause) AdHoc() bool { return c == CauseManual }

// Result is the application's own verdict, which a technical end does not replace.
type Result string

// The results. NoResult means that the source does not tell one.
const (
	NoResult      Result = ""
	ResultOK      Result = "ok"
	ResultWarning Result = "warning"
	ResultError   Result = "error"
)

// Confidence is the rung of the evidence ladder on which an observation stands, best first.
type Confidence string

// The rungs. An adapter declares in its README which of them it can reach.
const (
	Confirmed Confidence = "confirmed" // the job's own wrapper or the source's own record of the end
	Logged    Confidence = "logged"    // a scheduler's log line says it
	Derived   Confidence = "derived"   // joined from several weaker signs
	Sighted   Confidence = "sighted"   // a process or a list entry was seen
	Scheduled Confidence = "scheduled" // the schedule says it should be so; nothing was seen
)

// EndKind names what an end code is.
type EndKind string

// The kinds of end codes.
const (
	ExitCode   EndKind = "exit_code"   // of a process
	Signal     EndKind = "signal"      // that ended a process
	ReturnCode EndKind = "return_code" // of a mainframe step, highest of the job
	Abend      EndKind = "abend"       // system or user abend code
	NativeCode EndKind = "native_code" // any other code, in the source's words
)

// End is how a run ended, technically. The zero value means that the source does not tell.
type End struct {
	Code string  `json:"code,omitempty"` // verbatim: "0", "9", "0012", "S0C7"
	Kind EndKind `json:"kind,omitempty"`
}

// String gives "exit_code 3", or nothing.
func (e End) String() string {
	if e.Kind == "" {
		return ""
	}
	return string(e.Kind) + " " + e.Code
}
