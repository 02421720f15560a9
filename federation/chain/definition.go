package chain

import (
	"time"

	"signalbox/adapters/job"
)

// KindDefinition is the record kind of a [Definition].
const KindDefinition = "definition/1"

// Definition is a chain as written by people, checked and with all defaults filled in. Its record's
// hash is its version; an instance keeps the version that it began with.
type Definition struct {
	Chain    string  `json:"chain"`             // name
	DayCut   string  `json:"day_cut"`           // HH:MM local: business date D begins here on calendar day D
	KeepOpen Seconds `json:"keep_open"`         // an instance that is not settled by then is closed
	Nodes    []Node  `json:"nodes"`             // sorted by name
	Repeat   string  `json:"repeat,omitempty"`  // node whose every run opens an instance; empty = one a business date
	Service  string  `json:"service,omitempty"` // title for people
	Timezone string  `json:"timezone"`          // IANA
}

// Seconds is a duration in whole seconds, as it stands in records.
type Seconds int64

// Duration converts.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Node is one job's place in a chain.
type Node struct {
	After       []Dependency `json:"after,omitempty"`         // all must be met; sorted by node
	GiveUpAfter Seconds      `json:"give_up_after,omitempty"` // since the instance opened; 0 = never
	GiveUpAt    string       `json:"give_up_at,omitempty"`    // HH:MM local within the business date; not released from then on
	Job         job.Ref      `json:"job"`                     //
	Name        string       `json:"name"`                    // unique in the chain
	NotBefore   string       `json:"not_before,omitempty"`    // HH:MM local within the business date; not released earlier
	Stage       Stage        `json:"stage"`                   //
}

// Dependency says what a node waits for.
type Dependency struct {
	Node string `json:"node"` // of the same chain
	On   On     `json:"on"`
}

// On says which end of the upstream run satisfies a dependency.
type On string

// The ends.
const (
	OnSuccess On = "success" // succeeded or warned
	OnFailure On = "failure" // failed, cancelled or missed
	OnAny     On = "any"     // any proven end, its outcome known or not
)

// Stage says how far Signalbox goes for a node.
type Stage string

// The stages that exist so far, in order. Guard comes between rehearse and drive.
const (
	Watch    Stage = "watch"    // see and judge; the native clock starts the job
	Rehearse Stage = "rehearse" // decide and write receipts; send nothing
	Drive    Stage = "drive"    // Signalbox starts the job; the native schedule is out of effect
)

// Node finds a node by name.
func (d *Definition) Node(name string) (*Node, bool) {
	for i := range d.Nodes {
		if d.Nodes[i].Name == name {
			return &d.Nodes[i], true
		}
	}
	return nil, false
}

// Seal encodes the definition.
func (d *Definition) Seal() (job.Record, error) { return job.Seal(KindDefinition, d) }
