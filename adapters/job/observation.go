package job

import (
	"errors"
	"fmt"
	"time"
)

// Observation is one thing seen at a source about one run. It is a level, not an edge: it says how
// things stand, and saying it twice changes nothing. Field order is the order of the canonical
// encoding (see [Record]); do not reorder.
type Observation struct {
	At           Moment     `json:"at,omitzero"`             // since when, by the source's clock; of all observations of a run or of none
	Attempt      int        `json:"attempt"`                 // from 1; native retries and repairs count up
	BusinessDate string     `json:"business_date,omitempty"` // YYYY-MM-DD, only if the source has one (ODATE)
	Cause        Cause      `json:"cause,omitempty"`         // who started it
	Confidence   Confidence `json:"confidence,omitempty"`    // rung of the evidence
	Detail       string     `json:"detail,omitempty"`        // one line for people
	End          End        `json:"end,omitzero"`            // how it ended
	Ended        Moment     `json:"ended,omitzero"`          //
	NativeState  string     `json:"native_state,omitempty"`  // the source's own word, verbatim
	Outputs      []Output   `json:"outputs,omitempty"`       // sorted by name
	Over         bool       `json:"over,omitempty"`          // the attempt has ended, even if State is Unknown
	Planned      Moment     `json:"planned,omitzero"`        // when the source meant to start it
	Reason       Reason     `json:"reason,omitempty"`        //
	Releases     *bool      `json:"releases,omitempty"`      // the source says whether this end lets successors go
	Result       Result     `json:"result,omitempty"`        // the application's verdict
	Run          RunKey     `json:"run"`                     //
	Seq          int64      `json:"seq,omitempty"`           // the source's own order within the run; 0 = it has none, then for all of them
	Sighting     Sighting   `json:"sighting"`                // who saw it, when; filled by adapters.Source
	Started      Moment     `json:"started,omitzero"`        //
	State        State      `json:"state"`                   //
	Token        string     `json:"token,omitempty"`         // ours, when we started it
}

// Sighting says who saw an observation, when, and how far the source's clock was off. Adapters leave
// it empty; adapters.Source fills it.
type Sighting struct {
	Node     string    `json:"node,omitempty"`      // of ours
	OffsetMS *int64    `json:"offset_ms,omitempty"` // source clock minus ours, milliseconds; absent = not measured
	Payload  Hash      `json:"payload,omitzero"`    // of the raw native payload it was read from
	Seen     time.Time `json:"seen"`                // UTC, our clock
}

// Status is the moving part of the observation.
func (o *Observation) Status() Status {
	return Status{Attempt: o.Attempt, State: o.State, Over: o.Over}
}

// Terminal tells whether the observed attempt is over.
func (o *Observation) Terminal() bool { return o.Status().Terminal() }

// Check reports everything in the observation that the model does not allow from a source. An
// adapter that returns such an observation is wrong; adapters.Source refuses the whole batch.
func (o *Observation) Check() error {
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if o.Run.Source == "" || o.Run.Job == "" || o.Run.Native == "" {
		bad("run %+v: source, job and native id are required", o.Run)
	}
	if !o.State.Valid() || !o.State.BySource() {
		bad("state %q is not one that a source reports", o.State)
	}
	if !o.Reason.Valid() {
		bad("reason %q is not known", o.Reason)
	}
	if o.State == Unknown && o.Reason == None {
		bad("state unknown without a reason")
	}
	if o.Over && !o.Terminal() {
		bad("over in state %q", o.State)
	}
	if o.Attempt < 1 {
		bad("attempt %d: attempts count from 1", o.Attempt)
	}
	if !o.Ended.IsZero() && !o.Terminal() {
		bad("an end time in state %q: before the end it is at most an estimate", o.State)
	}
	if o.BusinessDate != "" {
		if _, err := time.Parse(time.DateOnly, o.BusinessDate); err != nil {
			bad("business date %q: want YYYY-MM-DD", o.BusinessDate)
		}
	}
	for _, m := range []Moment{o.At, o.Planned, o.Started, o.Ended} {
		if y := m.At.Year(); y < 1 || y > 9999 {
			bad("a time in the year %d: it cannot be written", y)
		}
	}
	for i := 1; i < len(o.Outputs); i++ {
		if o.Outputs[i-1].Name >= o.Outputs[i].Name {
			bad("output %q behind %q: want ascending names, each once", o.Outputs[i].Name, o.Outputs[i-1].Name)
		}
	}
	return errors.Join(errs...)
}

func (o *Observation) finality() int {
	switch {
	case o.State.Terminal():
		return 2
	case o.Terminal():
		return 1
	}
	return 0
}
