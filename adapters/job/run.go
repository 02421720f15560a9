package job

import (
	"bytes"
	"cmp"
	"slices"
)

// Run is what all observations of one run say together. It is a projection: Merge of the same
// observations in any order gives the same Run.
type Run struct {
	Cause       Cause       `json:"cause,omitempty"`  // strongest told: bridge, schedule, manual
	Evidence    Hash        `json:"evidence"`         // of Latest's record
	Fingerprint Hash        `json:"fingerprint"`      // of Latest
	Key         RunKey      `json:"key"`              //
	Latest      Observation `json:"latest"`           // the one that says how things stand
	Planned     Moment      `json:"planned,omitzero"` // of the current attempt, earliest told
	Started     Moment      `json:"started,omitzero"` // of the current attempt, earliest told
	Token       string      `json:"token,omitempty"`  // ours
}

// State is the run's current state.
func (r *Run) State() State { return r.Latest.State }

// Status is the run's current attempt, state and over.
func (r *Run) Status() Status { return r.Latest.Status() }

// Terminal tells whether the current attempt is over, its outcome known or not.
func (r *Run) Terminal() bool { return r.Latest.Terminal() }

// Begun is when the run began for ordering and for business dates: planned, else started; absent if
// neither is told.
func (r *Run) Begun() Moment {
	if !r.Planned.IsZero() {
		return r.Planned
	}
	return r.Started
}

// Merge folds an observation into a run; evidence is the hash of the observation's record. A zero Run
// starts one. It never fails: a move that the table does not allow is old or contradicting news,
// and the total order decides which one stands. changed tells whether anything in the Run moved.
func Merge(r Run, o *Observation, evidence Hash) (merged Run, changed bool) {
	alone := Run{
		Key: o.Run, Latest: *o, Evidence: evidence, Fingerprint: o.Fingerprint(), Planned: o.Planned, Started: o.Started,
		Token: o.Token, Cause: o.Cause,
	}
	if r.Key.IsZero() {
		return alone, true
	}
	before := r
	if compare(&alone, &r) > 0 {
		if o.Attempt > r.Latest.Attempt {
			r.Planned, r.Started = Moment{}, Moment{} // they belong to an attempt
		}
		r.Latest, r.Evidence, r.Fingerprint = alone.Latest, alone.Evidence, alone.Fingerprint
	}
	if o.Attempt == r.Latest.Attempt {
		r.Planned = earlier(r.Planned, o.Planned)
		r.Started = earlier(r.Started, o.Started)
	}
	r.Token = max(r.Token, o.Token)
	r.Cause = stronger(r.Cause, o.Cause)
	changed = r.Evidence != before.Evidence || r.Planned != before.Planned || r.Started != before.Started ||
		r.Token != before.Token || r.Cause != before.Cause
	return r, changed
}

// compare orders the latest observations of two runs totally: the greater one says how things stand. Higher
// attempt first; within it a known end beats an end of unknown outcome beats anything else; then the
// source's own order, its clock, ours, and last the hashes, so that there is never a tie between
// different records. Of two sightings of one fact the later stands, as of different facts: a run that
// was running and then held is running again when it is seen running again. Were it the first, three
// sightings could beat one another in a circle, and the order of arrival would decide.
//
// An observation without Seq, or without At, counts as older than one that has it: a source tells them
// of all observations of a run or of none.
func compare(a, b *Run) int {
	return cmp.Or(
		cmp.Compare(a.Latest.Attempt, b.Latest.Attempt),
		cmp.Compare(a.Latest.finality(), b.Latest.finality()),
		cmp.Compare(a.Latest.Seq, b.Latest.Seq),
		a.Latest.At.At.Compare(b.Latest.At.At),
		a.Latest.Sighting.Seen.Compare(b.Latest.Sighting.Seen),
		bytes.Compare(a.Fingerprint[:], b.Fingerprint[:]),
		bytes.Compare(a.Evidence[:], b.Evidence[:]),
	)
}

// earlier picks the earlier of two moments; absent is later than anything, told beats inferred.
func earlier(a, b Moment) Moment {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	flag := func(m Moment) int {
		if m.Inferred {
			return 1
		}
		return 0
	}
	if cmp.Or(cmp.Compare(flag(a), flag(b)), a.At.Compare(b.At), cmp.Compare(a.Text, b.Text), cmp.Compare(a.Zone, b.Zone)) <= 0 {
		return a
	}
	return b
}

func stronger(a, b Cause) Cause {
	rank := func(c Cause) int {
		return slices.Index([]Cause{CauseUnknown, CauseManual, CauseSchedule, CauseBridge}, c)
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
