// Package job is the common job-state model: what Signalbox says about a job, a run and a state,
// whatever scheduler it came from. It is a leaf: standard library only, no I/O, no clock.
//
// # Honesty
//
// Every field that a source does not tell is absent (its zero value), never guessed. [Unknown] is a
// state. What was inferred is marked ([Moment.Inferred]). A run of which the source proves the end but
// not the outcome is [Unknown] with Over set: terminal and unknown.
//
// # One run, many observations
//
// A source reports [Observation] values. [Merge] folds them into a [Run]. The fold is a join:
// associative, commutative and idempotent, so duplicates, late arrivals and any order give the same
// Run. That is what lets the decision evaluate levels instead of edges.
//
// # Records
//
// Observations are kept as canonical bytes ([Seal]) with a hash, so that a decision can be recomputed
// bit for bit later. The encoding is described at [Record].
package job
