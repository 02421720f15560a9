package chain

import "time"

// Verb is what a person asks for a node of an instance.
type Verb string

// The verbs.
const (
	Hold   Verb = "hold"    // do not release it until unheld; only what is driven can be held
	Unhold Verb = "unhold"  //
	Skip   Verb = "skip"    // pass over it once: successors see it as skipped and go on as after success
	MarkOK Verb = "mark_ok" // declare it good without (or in spite of) a run
	Rerun  Verb = "rerun"   // let it be released again, with a new token, once it is over, refused, unknown or in doubt
	Force  Verb = "force"   // release it now although its dependencies, its window or a hold say no
)

// Verbs lists all of them.
func Verbs() []Verb { return []Verb{Hold, Unhold, Skip, MarkOK, Rerun, Force} }

// KindCommand is the record kind of a [Command].
const KindCommand = "command/1"

// Command is what a person asked for. It is recorded, with who and why, before it takes effect.
type Command struct {
	Actor    string    `json:"actor"`    // who, as authenticated
	At       time.Time `json:"at"`       // UTC
	Instance Key       `json:"instance"` //
	Node     string    `json:"node"`     //
	Reason   string    `json:"reason"`   // in the person's words; required
	Verb     Verb      `json:"verb"`     //
}
