package chain

import (
	"fmt"
	"strings"
	"time"

	"signalbox/adapters/job"
)

// Key names an instance of a chain for ever.
type Key struct {
	BusinessDate string `json:"business_date"`   // YYYY-MM-DD
	Chain        string `json:"chain"`           //
	Cycle        string `json:"cycle,omitempty"` // of a repeating chain: when its head run began, and which one it is: 20060102T150405Z-1a2b3c4d
}

// String gives "chain:2026-11-22" or "chain:2026-11-22:20261122T041000Z-1a2b3c4d"; [ParseKey] reads it back.
func (k Key) String() string {
	s := k.Chain + ":" + k.BusinessDate
	if k.Cycle != "" {
		s += ":" + k.Cycle
	}
	return s
}

// ParseKey reads what [Key.String] wrote.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
		return Key{}, fmt.Errorf("instance %q: want CHAIN:YYYY-MM-DD[:CYCLE]", s)
	}
	if _, err := time.Parse(time.DateOnly, parts[1]); err != nil {
		return Key{}, fmt.Errorf("instance %q: %q is not a date YYYY-MM-DD", s, parts[1])
	}
	k := Key{Chain: parts[0], BusinessDate: parts[1]}
	if len(parts) == 3 {
		if !validCycle(parts[2]) {
			return Key{}, fmt.Errorf("instance %q: %q is not a cycle YYYYMMDDTHHMMSSZ-XXXXXXXX", s, parts[2])
		}
		k.Cycle = parts[2]
	}
	return k, nil
}

// headDigits is how much of a head run's hash stands in a cycle.
const headDigits = 8

// cycleOf names the instance that a head run opens. The beginning comes first, for people and for order;
// the hash of the run's key tells runs that began in the same second apart.
func cycleOf(r *job.Run) string {
	return r.Begun().At.UTC().Format(cycleFormat) + "-" + job.Sum([]byte(r.Key.String())).String()[:headDigits]
}

func validCycle(s string) bool {
	stamp, head, ok := strings.Cut(s, "-")
	if !ok || len(stamp) != len(cycleFormat) || len(head) != headDigits || strings.Trim(head, "0123456789abcdef") != "" {
		return false
	}
	_, err := time.Parse(cycleFormat, stamp)
	return err == nil
}

// head is the part of a cycle that names the run: a run opens one instance of a chain, whatever becomes
// known later of when it began.
func (k Key) head() string {
	_, head, _ := strings.Cut(k.Cycle, "-")
	return k.Chain + ":" + head
}

// Instance is the state of one instance of a chain.
type Instance struct {
	Closed  time.Time   `json:"closed,omitzero"` // UTC; zero = open
	Key     Key         `json:"key"`             //
	Nodes   []NodeState `json:"nodes"`           // same order as the definition's
	Opened  time.Time   `json:"opened"`          // UTC
	Version job.Hash    `json:"version"`         // of its definition
}

// NodeState is what is known and decided about one node of an instance.
type NodeState struct {
	Answer    job.RunKey `json:"answer,omitzero"`     // run that the source named when it accepted the start
	Attempt   int        `json:"attempt"`             // of ours: a rerun counts up; from 1
	Held      bool       `json:"held,omitempty"`      // by a person, here
	Judged    bool       `json:"judged,omitempty"`    // the handoff was judged (watch, rehearse)
	Name      string     `json:"name"`                //
	Released  time.Time  `json:"released,omitzero"`   // UTC; in stage rehearse: would have been
	Run       *job.Run   `json:"run,omitempty"`       // that is bound to this node
	Send      Send       `json:"send,omitempty"`      // what became of the start
	SendNote  string     `json:"send_note,omitempty"` // the source's words about it
	Settled   Settled    `json:"settled,omitempty"`   // decided without a run
	SettledAt time.Time  `json:"settled_at,omitzero"` // UTC
	Token     string     `json:"token,omitempty"`     // of the release
}

// Send is what became of a start that we decided.
type Send string

// The values of Send. The empty one means that nothing was decided to be sent.
const (
	SendPending   Send = "pending"   // decided, durable, not yet sent
	SendSent      Send = "sent"      // about to be sent, or sent and no answer yet
	SendConfirmed Send = "confirmed" // the source accepted it
	SendRefused   Send = "refused"   // the source refused: it surely did not start
	SendInDoubt   Send = "in_doubt"  // the answer was lost and cannot be found: a person is asked
)

// Settled says how a node was brought to an end without, or in spite of, a run.
type Settled string

// The values of Settled. The empty one means that it is not.
const (
	SettledSkipped   Settled = "skipped"    // by a person, once
	SettledOK        Settled = "marked_ok"  // a person declared it good
	SettledNotNeeded Settled = "not_needed" // its dependency can no longer be met: it waits for a failure that did not come
	SettledGaveUp    Settled = "gave_up"    // give_up_at or keep_open passed
)

// State is the canonical state of the node for display: what the run says, or what we decided.
func (n *NodeState) State() job.State {
	switch n.Settled {
	case SettledSkipped, SettledNotNeeded:
		return job.Skipped
	case SettledOK:
		return job.Succeeded
	case SettledGaveUp:
		return job.Missed
	}
	switch {
	case n.Run != nil:
		return n.Run.State()
	case n.Send == SendInDoubt:
		return job.Unknown
	case n.Send == SendRefused:
		return job.Failed
	case n.Send != "":
		return job.Queued
	case n.Held:
		return job.Held
	}
	return job.Waiting
}
