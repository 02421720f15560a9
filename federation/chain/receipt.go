package chain

import (
	"time"

	"signalbox/adapters/job"
)

// KindReceipt is the record kind of a [Receipt].
const KindReceipt = "receipt/1"

// Verdict is what a receipt records.
type Verdict string

// The verdicts.
const (
	Opened     Verdict = "opened"     // an instance began
	Released   Verdict = "released"   // the start was decided
	Rehearsed  Verdict = "rehearsed"  // it would have been, in stage rehearse
	GaveUp     Verdict = "gave_up"    // the window passed
	NotNeeded  Verdict = "not_needed" // its dependency can no longer be met
	InOrder    Verdict = "in_order"   // a watched run began after what it depends on had ended
	Overlapped Verdict = "overlapped" // a watched run began before what it depends on had ended
	Overridden Verdict = "overridden" // a person's command took effect
	Refused    Verdict = "refused"    // a person's command did not take effect; Reason says why
	Closed     Verdict = "closed"     // the instance ended
)

// Receipt is the record of one decision: what was decided, on what evidence, by which definition. From
// the ledger alone it can be computed again, to the same bytes.
type Receipt struct {
	Attempt   int       `json:"attempt,omitempty"`   // of the node
	Cause     Cause     `json:"cause"`               // what made us look
	DecidedAt time.Time `json:"decided_at"`          // UTC, the "now" of the decision
	Inputs    []Input   `json:"inputs,omitempty"`    // in the order of the node's dependencies
	Instance  Key       `json:"instance"`            //
	Job       *job.Ref  `json:"job,omitempty"`       // of the node
	Node      string    `json:"node,omitempty"`      // empty for the instance itself
	NotBefore time.Time `json:"not_before,omitzero"` // that had passed, UTC
	Reason    string    `json:"reason"`              // one sentence
	Stage     Stage     `json:"stage,omitempty"`     //
	Token     string    `json:"token,omitempty"`     // of a release
	Verdict   Verdict   `json:"verdict"`             //
	Version   job.Hash  `json:"version"`             // of the definition
}

// Cause is what made Decide look: the record of an observation, command or effect, or a clock.
type Cause struct {
	Clock  bool     `json:"clock,omitempty"`
	Record job.Hash `json:"record,omitzero"`
}

// Input is one dependency as it stood when the decision was made.
type Input struct {
	Attempt  int        `json:"attempt,omitempty"`   // of the upstream run
	Evidence job.Hash   `json:"evidence,omitzero"`   // record of the observation that says so
	Node     string     `json:"node"`                //
	OffsetMS *int64     `json:"offset_ms,omitempty"` // clock offset of its source when seen
	On       On         `json:"on"`                  //
	Run      job.RunKey `json:"run,omitzero"`        //
	Seen     time.Time  `json:"seen,omitzero"`       // when we saw it, UTC
	Settled  Settled    `json:"settled,omitempty"`   // instead of a run
	State    job.State  `json:"state,omitempty"`     //
	Value    Value      `json:"value"`               //
}

// Value is three-valued, with "never" for a "no" that nothing but a person or a rerun can change.
type Value string

// The values.
const (
	Met     Value = "met"
	NotMet  Value = "not_met" // not yet
	Unclear Value = "unknown" // cannot be told: never releases
	Never   Value = "never"   // the upstream ended otherwise
)
