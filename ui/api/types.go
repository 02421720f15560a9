package api

import (
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // address of the following page; absent on the last one
}

// Moment is a point in time as a source told it.
type Moment struct {
	At       time.Time `json:"at"`
	Inferred bool      `json:"inferred,omitempty"` // computed by Signalbox
	Text     string    `json:"text,omitempty"`     // the source's own text
	Zone     string    `json:"zone,omitempty"`     // that the text was read in
}

func moment(m job.Moment) *Moment {
	if m.IsZero() {
		return nil
	}
	return &Moment{At: m.At.UTC(), Inferred: m.Inferred, Text: m.Text, Zone: m.Zone}
}

// Job is a job as its source lists it.
type Job struct {
	Ref       string   `json:"ref"` // SOURCE/JOB
	Source    string   `json:"source"`
	Job       string   `json:"job"`
	Title     string   `json:"title,omitempty"`
	Command   string   `json:"command,omitempty"`
	Owner     string   `json:"owner,omitempty"`
	Schedule  string   `json:"schedule,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Enabled   bool     `json:"enabled"`
	Wrapped   bool     `json:"wrapped"`
	Startable bool     `json:"startable"`
	Place     string   `json:"place,omitempty"`
	Problems  []string `json:"problems,omitempty"`
	Version   string   `json:"version,omitempty"`
	NextRun   *Moment  `json:"next_run,omitempty"`
}

func jobOf(j job.Job) Job {
	return Job{
		Ref: j.Ref.String(), Source: j.Source, Job: j.Ref.Job, Title: j.Title, Command: j.Command, Owner: j.Owner,
		Schedule: j.Schedule, Zone: j.Zone, Enabled: j.Enabled, Wrapped: j.Wrapped, Startable: j.Startable,
		Place: j.Place, Problems: j.Problems, Version: j.Version, NextRun: moment(j.NextRun),
	}
}

// End is how a run ended, technically.
type End struct {
	Kind string `json:"kind"`
	Code string `json:"code,omitempty"`
}

// Output is a named value that a run produced.
type Output struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Facts is what one observation says about a run.
type Facts struct {
	Attempt      int       `json:"attempt"`
	State        string    `json:"state"`
	Over         bool      `json:"over"` // the attempt has ended, whether or not its outcome is known
	Reason       string    `json:"reason,omitempty"`
	NativeState  string    `json:"native_state,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	End          *End      `json:"end,omitempty"`
	Result       string    `json:"result,omitempty"`
	Cause        string    `json:"cause,omitempty"`
	Confidence   string    `json:"confidence,omitempty"`
	BusinessDate string    `json:"business_date,omitempty"`
	Since        *Moment   `json:"since,omitempty"` // in this state, by the source's clock
	Planned      *Moment   `json:"planned,omitempty"`
	Started      *Moment   `json:"started,omitempty"`
	Ended        *Moment   `json:"ended,omitempty"`
	Outputs      []Output  `json:"outputs,omitempty"`
	Releases     *bool     `json:"releases,omitempty"` // the source says whether this end lets successors go
	Token        string    `json:"token,omitempty"`
	Seen         time.Time `json:"seen"`                // when Signalbox saw it
	SeenBy       string    `json:"seen_by,omitempty"`   // node of Signalbox
	OffsetMS     *int64    `json:"offset_ms,omitempty"` // source clock minus ours
	Payload      string    `json:"payload,omitempty"`   // hash of the raw native payload
}

func factsOf(o *job.Observation) Facts {
	f := Facts{
		Attempt: o.Attempt, State: string(o.State), Over: o.Terminal(), Reason: string(o.Reason), NativeState: o.NativeState,
		Detail: o.Detail, Result: string(o.Result), Cause: string(o.Cause), Confidence: string(o.Confidence),
		BusinessDate: o.BusinessDate, Since: moment(o.At), Planned: moment(o.Planned), Started: moment(o.Started),
		Ended: moment(o.Ended), Releases: o.Releases, Token: o.Token, Seen: o.Sighting.Seen.UTC(), SeenBy: o.Sighting.Node,
		OffsetMS: o.Sighting.OffsetMS, Payload: o.Sighting.Payload.String(),
	}
	if o.End.Kind != "" {
		f.End = &End{Kind: string(o.End.Kind), Code: o.End.Code}
	}
	for _, out := range o.Outputs {
		f.Outputs = append(f.Outputs, Output(out))
	}
	return f
}

// Run is what all observations of a run say together.
type Run struct {
	Key    string `json:"key"` // names it in addresses: escape it as one path segment
	Source string `json:"source"`
	Job    string `json:"job"`
	Native string `json:"native"`
	Epoch  string `json:"epoch,omitempty"`
	Facts
	Evidence   string     `json:"evidence"`              // hash of the record that says so
	StaleSince *time.Time `json:"stale_since,omitempty"` // its source is out of sight since then, and it was not over
}

func runOf(r job.Run) Run {
	out := Run{
		Key: r.Key.String(), Source: r.Key.Source, Job: r.Key.Job, Native: r.Key.Native, Epoch: r.Key.Epoch,
		Facts: factsOf(&r.Latest), Evidence: r.Evidence.String(),
	}
	out.Planned, out.Started, out.Token, out.Cause = moment(r.Planned), moment(r.Started), r.Token, string(r.Cause)
	return out
}

// Record is where something stands in the ledger.
type Record struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	Hash string    `json:"hash"`
}

// Observation is one observation in its place in the ledger.
type Observation struct {
	Record
	Facts
}

// RawRecord is a record with its canonical bytes: its hash is SHA-256 over kind, one LF and body.
type RawRecord struct {
	Record
	Subject string `json:"subject"`
	Kind    string `json:"kind"`
	Body    string `json:"body"`
}

func rawRecord(e store.Entry) RawRecord {
	return RawRecord{Record: Record{Seq: e.Seq, At: e.At.UTC(), Hash: e.Hash.String()}, Subject: e.Subject, Kind: e.Kind, Body: string(e.Body)}
}

// Chain is a chain's definition.
type Chain struct {
	Chain     string      `json:"chain"`
	Service   string      `json:"service,omitempty"`
	Version   string      `json:"version"`
	Timezone  string      `json:"timezone"`
	DayCut    string      `json:"day_cut"`
	KeepOpenS int64       `json:"keep_open_s"`
	Repeat    string      `json:"repeat,omitempty"`
	Nodes     []ChainNode `json:"nodes"`
}

// ChainNode is a job's place in a chain.
type ChainNode struct {
	Name         string       `json:"name"`
	Job          string       `json:"job"`
	Stage        string       `json:"stage"`
	After        []Dependency `json:"after,omitempty"`
	NotBefore    string       `json:"not_before,omitempty"`
	GiveUpAt     string       `json:"give_up_at,omitempty"`
	GiveUpAfterS int64        `json:"give_up_after_s,omitempty"`
}

// Dependency is what a node waits for.
type Dependency struct {
	Node string `json:"node"`
	On   string `json:"on"`
}

func chainOf(d chain.Definition, version job.Hash) Chain {
	c := Chain{
		Chain: d.Chain, Service: d.Service, Version: version.String(), Timezone: d.Timezone, DayCut: d.DayCut,
		KeepOpenS: int64(d.KeepOpen), Repeat: d.Repeat, Nodes: []ChainNode{},
	}
	for _, n := range d.Nodes {
		node := ChainNode{
			Name: n.Name, Job: n.Job.String(), Stage: string(n.Stage), NotBefore: n.NotBefore, GiveUpAt: n.GiveUpAt,
			GiveUpAfterS: int64(n.GiveUpAfter),
		}
		for _, dep := range n.After {
			node.After = append(node.After, Dependency{Node: dep.Node, On: string(dep.On)})
		}
		c.Nodes = append(c.Nodes, node)
	}
	return c
}
