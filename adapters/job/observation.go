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
	for _, rule := range []struct {
		broken bool
		format string
		a      any
	}{
		{o.Run.Source == "" || o.Run.Job == "" || o.Run.Native == "", "run %+v: source, job and native id are required", o.Run},
		{!o.State.BySource(), "state %q is not one that a source reports", o.State},
		{!o.Reason.Valid(), "reason %q is not known", o.Reason},
		{o.State == Unknown && o.Reason == None, "state %s without a reason", o.State},
		{o.Over && !o.Terminal(), "over in state %q", o.State},
		{o.Attempt < 1, "attempt %d: attempts count from 1", o.Attempt},
		{!o.Ended.IsZero() && !o.Terminal(), "an end time in state %q: before the end it is at most an estimate", o.State},
		{!validDate(o.BusinessDate), "business date %q: want YYYY-MM-DD", o.BusinessDate},
		{!o.writable(), "a time in run %s lies outside the years 1 to 9999: it cannot be written", o.Run},
		{!o.sorted(), "outputs %v: want ascending names, each once", o.Outputs},
	} {
		if rule.broken {
			errs = append(errs, fmt.Errorf(rule.format, rule.a))
		}
	}
	return errors.Join(errs...)
}

// writable tells whether every time can be written as RFC 3339.
func (o *Observation) writable() bool {
	for _, m := range [...]*Moment{&o.At, &o.Planned, &o.Started, &o.Ended} {
		if y := m.At.Year(); y < 1 || y > 9999 {
			return false
		}
	}
	return true
}

// sorted tells whether the outputs stand in the order that makes equal facts equal bytes.
func (o *Observation) sorted() bool {
	for i := 1; i < len(o.Outputs); i++ {
		if o.Outputs[i-1].Name >= o.Outputs[i].Name {
			return false
		}
	}
	return true
}

// validDate tells whether a date is absent or a calendar day.
func validDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return s == "" || err == nil
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
