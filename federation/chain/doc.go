// Package chain holds chains: their definition, the state of their instances, and [Decide], the one
// function that decides. It is pure: no clock, no I/O, no randomness; "now" is an argument.
//
//	observations ──► State ──► Decide(state, event, now) ──► decisions ──► effects ──► observations
//
// Decide evaluates levels, not edges: from the whole current state, never from "an event arrived". An
// event seen twice, late or out of order changes nothing but the state that it describes.
package chain
