package job

import "slices"

// State is the canonical state of a run. The source's own word is kept beside it
// ([Observation.NativeState]).
type State string

// The states. Sources report only what they can see ([Held] … [Unknown]); [Expected], [Waiting] and
// [Missed] belong to the bridge, which alone knows a plan.
const (
	Expected  State = "expected"  // planned, nothing seen yet
	Waiting   State = "waiting"   // the bridge has not released it
	Held      State = "held"      // somebody or something keeps it from going on
	Queued    State = "queued"    // the source has accepted it, it does not run yet
	Running   State = "running"   // it runs
	Succeeded State = "succeeded" // ended, good
	Warned    State = "warned"    // ended, good with a warning
	Failed    State = "failed"    // ended, bad
	Cancelled State = "cancelled" // ended because somebody stopped it
	Skipped   State = "skipped"   // ended without having run, on purpose
	Missed    State = "missed"    // its slot passed without a run
	Unknown   State = "unknown"   // nobody can say; see Reason and Over
)

// States lists every state in the order in which a run usually passes through them.
func States() []State {
	return []State{Expected, Waiting, Held, Queued, Running, Succeeded, Warned, Failed, Cancelled, Skipped, Missed, Unknown}
}

// Valid tells whether s is one of the states.
func (s State) Valid() bool { return slices.Contains(States(), s) }

// Terminal tells whether s alone says that the attempt is over. [Unknown] alone does not: see
// [Observation.Over].
func (s State) Terminal() bool {
	switch s {
	case Succeeded, Warned, Failed, Cancelled, Skipped, Missed:
		return true
	case Expected, Waiting, Held, Queued, Running, Unknown:
		return false
	}
	return false
}

// Active tells whether the source has the run in hand: it may still end by itself.
func (s State) Active() bool {
	switch s {
	case Held, Queued, Running:
		return true
	case Expected, Waiting, Succeeded, Warned, Failed, Cancelled, Skipped, Missed, Unknown:
		return false
	}
	return false
}

// Good tells whether s is an end that satisfies "on success". A warning is good: a source that means
// otherwise reports failed.
func (s State) Good() bool { return s == Succeeded || s == Warned }

// Bad tells whether s is an end that satisfies "on failure": every known end that is not good and did
// not leave the run out on purpose.
func (s State) Bad() bool { return s == Failed || s == Cancelled || s == Missed }

// BySource tells whether a source may report s; the others belong to the bridge.
func (s State) BySource() bool {
	switch s {
	case Held, Queued, Running, Succeeded, Warned, Failed, Cancelled, Skipped, Unknown:
		return true
	case Expected, Waiting, Missed:
		return false
	}
	return false
}

// Moves is the table of allowed moves within one attempt, as data. A terminal state has no move: a run
// that comes back to life under the same native id is a new attempt (see [MayMove]).
//
// Unknown may move anywhere a source can report, since sight can come back at any point; an outcome
// that was unknown at the end may become known later (a log that was read late), which is why the
// moves from Unknown hold whether or not it was Over.
func Moves() map[State][]State {
	ends := []State{Succeeded, Warned, Failed, Cancelled, Skipped, Unknown}
	with := func(s ...State) []State { return append(s, ends...) }
	return map[State][]State{
		Expected:  with(Waiting, Held, Queued, Running, Missed),
		Waiting:   with(Held, Queued, Running, Missed),
		Held:      with(Waiting, Queued, Running, Missed),
		Queued:    with(Held, Running),
		Running:   with(Held, Queued),
		Succeeded: nil,
		Warned:    nil,
		Failed:    nil,
		Cancelled: nil,
		Skipped:   nil,
		Missed:    nil,
		Unknown:   {Held, Queued, Running, Succeeded, Warned, Failed, Cancelled, Skipped},
	}
}

// Status is the part of an observation that moves: which attempt, in which state, over or not.
type Status struct {
	Attempt int
	State   State
	Over    bool // see Observation.Over
}

// Terminal tells whether this attempt is over, its outcome known or not.
func (s Status) Terminal() bool { return s.State.Terminal() || (s.State == Unknown && s.Over) }

// MayMove tells whether a run may go from one status to the next. Staying is always allowed. A higher
// attempt may begin from any terminal status (repair, restart, rerun, clear), and also from a
// non-terminal one, when the end of the earlier attempt was not seen; it may begin in any state that a
// source can report. A lower attempt is never a move: it is old news.
func MayMove(from, to Status) bool {
	switch {
	case to.Attempt < from.Attempt:
		return false
	case to.Attempt > from.Attempt:
		return to.State.BySource()
	case from.State == to.State:
		return !from.Over || to.Over
	case from.State == Unknown && from.Over:
		// The outcome became known; it does not come back to life.
		return to.Terminal() && slices.Contains(Moves()[Unknown], to.State)
	}
	return slices.Contains(Moves()[from.State], to.State)
}
