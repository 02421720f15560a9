package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// print writes what was decided, in short.
func (p *story) print(o Outcome) {
	p.t.Helper()
	for _, c := range o.Changed {
		if !slices.ContainsFunc(o.Receipts, func(r Receipt) bool { return r.Instance == c.Key && r.Node == c.State.Name }) {
			fmt.Fprintf(&p.out, "%s %s is %s\n", c.Key, c.State.Name, p.node(&c.State))
		}
	}
	for i := range o.Receipts {
		p.receipt(&o.Receipts[i])
		for _, in := range o.Intents {
			if in.Receipt == i {
				fmt.Fprintf(&p.out, "    start %s, token %s\n", in.Job, short(in.Token))
			}
		}
	}
	for _, m := range o.Moves {
		fmt.Fprintf(&p.out, "move %s from %s to %s: %s\n", short(m.Token), m.From, m.To, m.Note)
	}
}

func (p *story) receipt(r *Receipt) {
	fmt.Fprintf(&p.out, "%s ", r.Instance)
	if r.Node != "" {
		fmt.Fprintf(&p.out, "%s ", r.Node)
	}
	fmt.Fprintf(&p.out, "%s", strings.ToUpper(string(r.Verdict)))
	if r.Attempt > 1 {
		fmt.Fprintf(&p.out, ", attempt %d", r.Attempt)
	}
	if !r.NotBefore.IsZero() {
		fmt.Fprintf(&p.out, ", not before %s", r.NotBefore.Format(time.RFC3339))
	}
	fmt.Fprintf(&p.out, ": %s\n", r.Reason)
	for i := range r.Inputs {
		fmt.Fprintf(&p.out, "    %s\n", input(&r.Inputs[i]))
	}
}

func input(in *Input) string {
	s := fmt.Sprintf("%s on %s: %s", in.Node, in.On, in.Value)
	switch {
	case in.Settled != "":
		s += ", " + string(in.Settled)
	case !in.Run.IsZero():
		s += fmt.Sprintf(", run %s %s", in.Run, in.State)
	}
	if in.Attempt > 1 {
		s += fmt.Sprintf(", its attempt %d", in.Attempt)
	}
	if in.OffsetMS != nil {
		s += fmt.Sprintf(", its clock %s off", time.Duration(*in.OffsetMS)*time.Millisecond)
	}
	return s
}

// node says how a node stands.
func (p *story) node(n *NodeState) string {
	s := string(n.State())
	add := func(format string, a ...any) { s += ", " + fmt.Sprintf(format, a...) }
	if n.Run != nil {
		add("run %s", n.Run.Key)
		if n.Run.Latest.Attempt > 1 {
			add("its attempt %d", n.Run.Latest.Attempt)
		}
	}
	if n.Attempt > 1 {
		add("attempt %d", n.Attempt)
	}
	if n.Settled != "" {
		add("%s", n.Settled)
	}
	if n.Send != "" {
		add("start %s", n.Send)
	}
	if n.SendNote != "" {
		add("%q", n.SendNote)
	}
	if n.Held && n.State() != "held" {
		add("held")
	}
	if n.Token == "" && !n.Released.IsZero() {
		add("rehearsed")
	}
	return s
}

// short cuts a token so that two different ones can still be told apart.
func short(token string) string { return token[:min(len(token), len("sb-")+6)] }

func (p *story) show(what string) {
	if what == "timers" {
		p.showTimers()
		return
	}
	for _, k := range p.state.Open() {
		in, _ := p.state.Instance(k)
		fmt.Fprintf(&p.out, "%s, opened %s, version %d\n", k, in.Opened.Format(time.RFC3339),
			1+slices.Index(p.versions, in.Version.String()))
		if what == "explain" {
			for _, e := range Explain(p.state, k, p.now) {
				fmt.Fprintf(&p.out, "    %s (%s): %s\n", e.Node, e.State, e.Reason)
			}
			continue
		}
		for i := range in.Nodes {
			fmt.Fprintf(&p.out, "    %s: %s\n", in.Nodes[i].Name, p.node(&in.Nodes[i]))
		}
	}
	if len(p.state.Open()) == 0 {
		p.out.WriteString("no instance is open\n")
	}
}

func (p *story) showTimers() {
	for _, t := range slices.SortedStableFunc(slices.Values(p.timers), compareTimers) {
		switch {
		case t.Key == Key{}:
			fmt.Fprintf(&p.out, "%s next business date of %s\n", t.At.Format(time.RFC3339), t.Chain)
		case t.Node < 0:
			fmt.Fprintf(&p.out, "%s %s closes\n", t.At.Format(time.RFC3339), t.Key)
		default:
			name := "?"
			if in, ok := p.state.Instance(t.Key); ok {
				name = in.Nodes[t.Node].Name
			}
			fmt.Fprintf(&p.out, "%s %s %s\n", t.At.Format(time.RFC3339), t.Key, name)
		}
	}
	if len(p.timers) == 0 {
		p.out.WriteString("no timer is set\n")
	}
}
