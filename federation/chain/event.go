package chain

import (
	"time"

	"signalbox/adapters/job"
)

// Event is something that may change a state or a decision. Every event but [Tick] and [Recheck] stands
// in the ledger as a record, and carries that record's hash.
type Event interface{ cause() Cause }

// Defined makes a definition the current version of its chain. The same version again changes
// nothing.
type Defined struct {
	Definition Definition
	Record     job.Hash
}

// Retired takes a chain out of service: its open instances go on, no new one opens.
type Retired struct {
	Retirement Retirement
	Record     job.Hash
}

// Observed says how a run stands: the projection after an observation was merged into it.
type Observed struct {
	Run    job.Run
	Record job.Hash // of the observation
}

// Tick says that a timer is due.
type Tick struct{ Timer Timer }

// Recheck evaluates everything that is open. It never changes what was decided already; it is for the
// time after a restart.
type Recheck struct{}

// Effected says what became of a start.
type Effected struct {
	Effect Effect
	Record job.Hash
}

// Commanded says what a person asked for.
type Commanded struct {
	Command Command
	Record  job.Hash
}

// Contacted says that a source went out of sight or came back.
type Contacted struct {
	Contact Contact
	Record  job.Hash
}

func (e Defined) cause() Cause   { return Cause{Record: e.Record} }
func (e Retired) cause() Cause   { return Cause{Record: e.Record} }
func (e Observed) cause() Cause  { return Cause{Record: e.Record} }
func (Tick) cause() Cause        { return Cause{Clock: true} }
func (Recheck) cause() Cause     { return Cause{Clock: true} }
func (e Effected) cause() Cause  { return Cause{Record: e.Record} }
func (e Commanded) cause() Cause { return Cause{Record: e.Record} }
func (e Contacted) cause() Cause { return Cause{Record: e.Record} }

// Record kinds of events.
const (
	KindEffect     = "effect/1"
	KindContact    = "contact/1"
	KindRetirement = "retirement/1"
	KindActivation = "activation/1"
)

// Effect is the record of what became of a start.
type Effect struct {
	At    time.Time  `json:"at"`             // UTC
	Note  string     `json:"note,omitempty"` // the source's words, redacted
	Run   job.RunKey `json:"run,omitzero"`   // if the source named it
	Send  Send       `json:"send"`           //
	Token string     `json:"token"`          //
}

// Contact is the record of sight lost or regained.
type Contact struct {
	At     time.Time `json:"at"`              // UTC, when we noticed
	Blind  bool      `json:"blind"`           //
	Error  string    `json:"error,omitempty"` // redacted
	Kind   string    `json:"kind,omitempty"`  // of the error
	Since  time.Time `json:"since,omitzero"`  // last good poll before, or first one after
	Source string    `json:"source"`          //
}

// Retirement is the record of a chain taken out of service.
type Retirement struct {
	At    time.Time `json:"at"` // UTC
	Chain string    `json:"chain"`
}

// Activation is the record of a version that came into force once more: a chain was put back to an
// earlier definition, or into service again. The definition itself stands in the ledger from its first
// time, and a ledger holds no record twice. As an event it is a [Defined].
type Activation struct {
	At      time.Time `json:"at"` // UTC
	Chain   string    `json:"chain"`
	Version job.Hash  `json:"version"`
}

// Timer is a moment at which something may have to be decided although nothing happens.
type Timer struct {
	At    time.Time // UTC
	Key   Key       // of an instance; zero for a chain's next business date
	Node  int       // index; -1 = the instance itself
	Chain string    // whose next business date begins, if Key is zero
}

// Outcome is what [Decide] found: the new values of what changed, and what is to be done. It does not
// change the state; [State.Apply] does.
type Outcome struct {
	Defined   []Definition // new current versions
	Retired   []string     // chains
	Opened    []Instance   // as they stand after this event
	Changed   []Change     // nodes of instances that were open before, and of the opened ones
	Closed    []Ended      // instances
	Contacts  []Contact    // of sources
	Receipts  []Receipt    // in the order decided
	Intents   []Intent     // starts to carry out
	Moves     []Move       // of starts decided earlier
	Timers    []Timer      // new ones
	activated time.Time    // of Defined chains that were not in service
}

// Change is a node's new state.
type Change struct {
	Key   Key
	Index int
	State NodeState
}

// Ended says that an instance closed.
type Ended struct {
	Key Key
	At  time.Time
}

// Intent is a start to carry out.
type Intent struct {
	Token   string
	Key     Key
	Node    string
	Attempt int
	Job     job.Ref
	Receipt int // index into Outcome.Receipts
}

// Move is a start that changed without the source being asked: bound to a run that was seen, or
// withdrawn by a person.
type Move struct {
	Token    string
	From, To Send
	Run      job.RunKey
	Note     string
}
