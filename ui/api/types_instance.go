package api

import (
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/lineage"
)

// Instance is one instance of a chain.
type Instance struct {
	Key          string     `json:"key"` // names it in addresses
	Chain        string     `json:"chain"`
	BusinessDate string     `json:"business_date"`
	Cycle        string     `json:"cycle,omitempty"`
	Version      string     `json:"version"` // of the definition that it began with
	Opened       time.Time  `json:"opened"`
	Closed       *time.Time `json:"closed,omitempty"`
	Nodes        []Node     `json:"nodes"`
}

// Node is one node of an instance.
type Node struct {
	Name      string     `json:"name"`
	State     string     `json:"state"`
	Job       string     `json:"job,omitempty"`
	Stage     string     `json:"stage,omitempty"`
	Attempt   int        `json:"attempt"`
	Held      bool       `json:"held"`
	Released  *time.Time `json:"released,omitempty"`
	Run       string     `json:"run,omitempty"` // key
	Send      string     `json:"send,omitempty"`
	SendNote  string     `json:"send_note,omitempty"`
	Settled   string     `json:"settled,omitempty"`
	SettledAt *time.Time `json:"settled_at,omitempty"`
	Token     string     `json:"token,omitempty"`
	Why       *Why       `json:"why,omitempty"` // of an open instance, when it alone was asked for
}

// Why says why a node stands where it stands.
type Why struct {
	Reason    string     `json:"reason"`
	Value     string     `json:"value"` // met, not_met, unknown, never
	NotBefore *time.Time `json:"not_before,omitempty"`
	GiveUpAt  *time.Time `json:"give_up_at,omitempty"`
	Inputs    []Input    `json:"inputs,omitempty"`
}

// Input is one dependency as it stands, or as it stood when a decision was made.
type Input struct {
	Node     string     `json:"node"`
	On       string     `json:"on"`
	Value    string     `json:"value"`
	State    string     `json:"state,omitempty"`
	Settled  string     `json:"settled,omitempty"`
	Run      string     `json:"run,omitempty"`
	Attempt  int        `json:"attempt,omitempty"`
	Evidence string     `json:"evidence,omitempty"` // hash of the observation's record
	Seen     *time.Time `json:"seen,omitempty"`
	OffsetMS *int64     `json:"offset_ms,omitempty"`
}

// Receipt is the record of one decision.
type Receipt struct {
	Record
	Instance  string     `json:"instance"`
	Node      string     `json:"node,omitempty"`
	Attempt   int        `json:"attempt,omitempty"`
	Verdict   string     `json:"verdict"`
	Reason    string     `json:"reason"`
	DecidedAt time.Time  `json:"decided_at"`
	Job       string     `json:"job,omitempty"`
	Stage     string     `json:"stage,omitempty"`
	Token     string     `json:"token,omitempty"`
	NotBefore *time.Time `json:"not_before,omitempty"`
	Version   string     `json:"version"` // of the definition
	Cause     Cause      `json:"cause"`
	Inputs    []Input    `json:"inputs,omitempty"`
}

// Cause is what made Signalbox look: a record, or a clock.
type Cause struct {
	Clock  bool   `json:"clock,omitempty"`
	Record string `json:"record,omitempty"`
}

// SealedReceipt is a receipt with the canonical bytes that its hash covers.
type SealedReceipt struct {
	Receipt
	Kind string `json:"kind"`
	Body string `json:"body"`
}

// Step is one run and what led to it.
type Step struct {
	Run              Run           `json:"run"`
	Origin           string        `json:"origin"`
	Sentence         string        `json:"sentence"`
	Release          *Receipt      `json:"release,omitempty"`
	Send             string        `json:"send,omitempty"` // what became of the start
	SendNote         string        `json:"send_note,omitempty"`
	Definition       *Chain        `json:"definition,omitempty"`
	Observations     []Observation `json:"observations"`
	MoreObservations bool          `json:"more_observations,omitempty"`
	Inputs           []StepInput   `json:"inputs,omitempty"`
	Faults           []string      `json:"faults,omitempty"` // what the ledger should hold and does not
}

// StepInput is one dependency of a release and the run that met it.
type StepInput struct {
	Input
	Observation *Observation `json:"observation,omitempty"` // the record that the decision saw
	Step        *Step        `json:"step,omitempty"`
	Again       bool         `json:"again,omitempty"` // it stands elsewhere in the answer
	More        bool         `json:"more,omitempty"`  // left out because of the limits
}

func instanceOf(in chain.Instance, def *chain.Definition, why []chain.Explanation) Instance {
	out := Instance{
		Key: in.Key.String(), Chain: in.Key.Chain, BusinessDate: in.Key.BusinessDate, Cycle: in.Key.Cycle,
		Version: in.Version.String(), Opened: in.Opened.UTC(), Closed: timeOf(in.Closed), Nodes: []Node{},
	}
	for i := range in.Nodes {
		out.Nodes = append(out.Nodes, nodeOf(&in.Nodes[i], def))
	}
	for _, e := range why {
		for i := range out.Nodes {
			if out.Nodes[i].Name == e.Node {
				out.Nodes[i].Why = &Why{
					Reason: e.Reason, Value: string(e.Value), NotBefore: timeOf(e.NotBefore), GiveUpAt: timeOf(e.GiveUpAt),
					Inputs: inputsOf(e.Inputs),
				}
			}
		}
	}
	return out
}

func nodeOf(n *chain.NodeState, def *chain.Definition) Node {
	out := Node{
		Name: n.Name, State: string(n.State()), Attempt: n.Attempt, Held: n.Held, Released: timeOf(n.Released), Send: string(n.Send),
		SendNote: n.SendNote, Settled: string(n.Settled), SettledAt: timeOf(n.SettledAt), Token: n.Token,
	}
	if n.Run != nil {
		out.Run = n.Run.Key.String()
	}
	if def == nil {
		return out
	}
	if d, ok := def.Node(n.Name); ok {
		out.Job, out.Stage = d.Job.String(), string(d.Stage)
	}
	return out
}

func inputsOf(in []chain.Input) []Input {
	var out []Input
	for _, i := range in {
		out = append(out, inputOf(i))
	}
	return out
}

func inputOf(i chain.Input) Input {
	return Input{
		Node: i.Node, On: string(i.On), Value: string(i.Value), State: string(i.State), Settled: string(i.Settled), Run: keyText(i.Run),
		Attempt: i.Attempt, Evidence: i.Evidence.String(), Seen: timeOf(i.Seen), OffsetMS: i.OffsetMS,
	}
}

func receiptOf(p lineage.Place, r chain.Receipt) Receipt {
	out := Receipt{
		Record:   Record{Seq: p.Seq, At: p.At.UTC(), Hash: p.Hash.String()},
		Instance: r.Instance.String(), Node: r.Node, Attempt: r.Attempt, Verdict: string(r.Verdict), Reason: r.Reason,
		DecidedAt: r.DecidedAt.UTC(), Stage: string(r.Stage), Token: r.Token, NotBefore: timeOf(r.NotBefore),
		Version: r.Version.String(), Cause: Cause{Clock: r.Cause.Clock, Record: r.Cause.Record.String()}, Inputs: inputsOf(r.Inputs),
	}
	if r.Job != nil {
		out.Job = r.Job.String()
	}
	return out
}

func placeOf(e store.Entry) lineage.Place {
	return lineage.Place{Seq: e.Seq, At: e.At, Hash: e.Hash}
}

func observationOf(o *lineage.Observation) Observation {
	return Observation{Record: Record{Seq: o.Seq, At: o.At.UTC(), Hash: o.Hash.String()}, Facts: factsOf(&o.Said)}
}

func stepOf(s *lineage.Step) *Step {
	out := &Step{
		Run: runOf(s.Run), Origin: string(s.Origin), Sentence: s.Sentence, MoreObservations: s.MoreObservations,
		Observations: []Observation{}, Faults: s.Faults,
	}
	for i := range s.Observations {
		out.Observations = append(out.Observations, observationOf(&s.Observations[i]))
	}
	if s.Release != nil {
		r := receiptOf(s.Release.Place, s.Release.Receipt)
		out.Release, out.Send, out.SendNote = &r, string(s.Release.Intent.State), s.Release.Intent.Note
	}
	if s.Definition != nil {
		c := chainOf(s.Definition.Definition, s.Definition.Version)
		out.Definition = &c
	}
	for _, in := range s.Inputs {
		si := StepInput{Input: inputOf(in.Input), Again: in.Again, More: in.More}
		if in.Evidence != nil {
			o := observationOf(in.Evidence)
			si.Observation = &o
		}
		if in.Step != nil {
			si.Step = stepOf(in.Step)
		}
		out.Inputs = append(out.Inputs, si)
	}
	return out
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	u := t.UTC()
	return &u
}

func keyText(k job.RunKey) string {
	if k.IsZero() {
		return ""
	}
	return k.String()
}
