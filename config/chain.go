package config

import (
	"cmp"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// chainDraft is a chain while it is read: what was said, and where.
type chainDraft struct {
	file     string
	settings *block

	name     string
	service  string
	timezone string
	dayCut   string
	repeat   string
	keepOpen time.Duration
	nodes    []*nodeDraft // in the order of the file
	stage    chain.Stage  // of nodes that say nothing else
	stages   []stageDraft // of single nodes, from the map at the chain
}

type stageDraft struct {
	node  string
	stage chain.Stage
	at    Place
}

// nodeDraft is a node while it is read.
type nodeDraft struct {
	settings *block
	name     string
	at       Place

	job         job.Ref
	after       []afterDraft
	notBefore   string
	giveUpAt    string
	giveUpAfter time.Duration
	stage       chain.Stage
	stageAt     Place // of what decides its stage
}

type afterDraft struct {
	node string
	on   chain.On
	at   Place
}

// node finds a node by name.
func (c *chainDraft) node(name string) *nodeDraft {
	i := slices.IndexFunc(c.nodes, func(n *nodeDraft) bool { return n.name == name })
	if i < 0 {
		return nil
	}
	return c.nodes[i]
}

// names gives the names of all nodes, for suggestions.
func (c *chainDraft) names() []string {
	names := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		names[i] = n.name
	}
	return names
}

// declare makes the settings of one chain.
func (c *chainDraft) declare() []Setting {
	return []Setting{
		{
			Name: "chain", Into: Text(&c.name, "the name of the chain", checkName), Required: true, Example: "nightly-load",
			Help: "Name of the chain, unique in all files: a-z, 0-9, dot, dash, underscore.",
		},
		{
			Name: "service", Into: Text(&c.service, "a title"), Example: "Nightly load", Absent: "the name of the chain",
			Help: "Title for people: the business service that the chain delivers.",
		},
		{
			Name: "timezone", Into: Zone(&c.timezone), Required: true, Example: "Europe/Berlin",
			Help: "Zone of the business date and of all local times of the chain.",
		},
		{
			Name: "day_cut", Into: TimeOfDay(&c.dayCut), Default: `"00:00"`,
			Help: "Local time at which business date D begins, on calendar day D.",
		},
		{
			Name: "repeat", Into: Text(&c.repeat, "the name of a node"), Example: "extract", Absent: "one instance a business date",
			Help: "Node whose every run opens an instance of the chain; its own clock starts it, so it is in stage watch " +
				"or rehearse and has no after.",
		},
		{
			Name: "keep_open", Into: wholeSeconds(&c.keepOpen, time.Minute, longest), Default: "72h",
			Help: "An instance that is not settled so long after it opened is closed.",
		},
		{
			Name: "jobs", Into: c.jobs(), Required: true,
			Help: "The nodes of the chain, each under a name of its own.",
		},
		{
			Name: "stage", Into: &stages{chain: c}, Default: string(chain.Watch), Example: "{default: watch, rates: rehearse}",
			Help: "How far Signalbox goes for nodes that do not say it themselves: one stage for all, or a stage for " +
				"each node, with a default. " + stageHelp,
		},
	}
}

// longest bounds how long an instance may stay open: what waits longer is forgotten by people too.
const longest = 31 * 24 * time.Hour

const stageHelp = "watch: see and judge; rehearse: decide and send nothing; drive: start the job."

// declare makes the settings of one node.
func (n *nodeDraft) declare() []Setting {
	return []Setting{
		{Name: "job", Into: jobRef(&n.job), Required: true, Example: "hosta/load", Help: "The job, as SOURCE/JOB."},
		{
			Name: "after", Into: &list{words: "a list such as [extract, {job: rates, on: any}]", each: n.readAfter},
			Example: "[extract, {job: rates, on: any}]", Absent: "it waits for nothing",
			Help: "Nodes of this chain that must have ended first, all of them; on: success (default), failure or any.",
		},
		{
			Name: "not_before", Into: TimeOfDay(&n.notBefore), Example: `"03:00"`, Absent: "no such limit",
			Help: "It is not released earlier: the first such local time at or after the beginning of the business date.",
		},
		{
			Name: "give_up_at", Into: TimeOfDay(&n.giveUpAt), Example: `"05:45"`, Absent: "no such limit",
			Help: "It is not released from then on: the first such local time at or after the beginning of the business date.",
		},
		{
			Name: "give_up_after", Into: wholeSeconds(&n.giveUpAfter, time.Second, longest), Example: "90m",
			Absent: "no such limit",
			Help:   "It is not released from then on, counted from the opening of the instance.",
		},
		{
			Name: "stage", Into: stageOf(&n.stage), Example: "drive", Absent: "the chain's stage",
			Help: "How far Signalbox goes for this node. " + stageHelp,
		},
	}
}

// jobs is the mapping of nodes. Its sample in the reference has the nodes that the examples of the other
// settings name.
func (c *chainDraft) jobs() Value {
	n := &nodeDraft{}
	return &named{words: "nodes by name", atLeastOne: true, each: c.readNode, samples: []sample{
		{name: "extract", text: "{job: hosta/extract}"},
		{name: "rates", text: "{job: hosta/rates}"},
		{name: "load", settings: n.declare()},
	}}
}

// readNode reads one node. A node with faults counts as a node, so that those that wait for it are not at
// fault too.
func (c *chainDraft) readNode(f *file, key, value *yaml.Node) {
	n := &nodeDraft{name: key.Value, at: f.place(key)}
	if n.name == stageDefault {
		f.fault(key, "give the node another name",
			`a node cannot be called %q: that word stands for all others in "stage"`, n.name)
	}
	n.settings = &block{settings: n.declare()}
	c.nodes = append(c.nodes, n)
	n.settings.read(f, "node "+n.name, value)
	n.stageAt = n.settings.at("stage")
}

// readAfter reads NODE or {job: NODE, on: WHICH}.
func (n *nodeDraft) readAfter(f *file, name string, item *yaml.Node) {
	d := afterDraft{at: f.place(item)}
	before := len(f.found.faults)
	node := Text(&d.node, "the name of a node")
	on := Choice(&d.on, chain.OnSuccess, chain.OnFailure, chain.OnAny)
	b := &block{settings: []Setting{
		{Name: "job", Into: node, Required: true, Example: "NODE"},
		{Name: "on", Into: on, Default: string(chain.OnSuccess)},
	}}
	switch item.Kind {
	case yaml.MappingNode:
		b.read(f, name, item)
	default:
		d.on = chain.OnSuccess
		node.read(f, name, item)
	}
	if len(f.found.faults) == before {
		n.after = append(n.after, d)
	}
}

// stageDefault is the key for all nodes that are not named in a map of stages.
const stageDefault = "default"

// stages is one stage for the whole chain, or a map of stages.
type stages struct{ chain *chainDraft }

func (s *stages) want() string { return "watch, rehearse or drive, or stages by node" }

func (s *stages) read(f *file, name string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		stageOf(&s.chain.stage).read(f, name, n)
		return
	}
	s.chain.stage = chain.Watch
	f.entries(n, func(key, value *yaml.Node) {
		d := stageDraft{node: key.Value, at: f.place(key)}
		if !f.usable(name, value) {
			return
		}
		stageOf(&d.stage).read(f, name, value)
		switch {
		case d.stage == "": // reported
		case d.node == stageDefault:
			s.chain.stage = d.stage
		default:
			s.chain.stages = append(s.chain.stages, d)
		}
	})
}

// stageOf is a stage that exists so far.
func stageOf(into *chain.Stage) Value {
	v := Choice(into, chain.Watch, chain.Rehearse, chain.Drive)
	if s, ok := v.(*scalar[chain.Stage]); ok {
		parse := s.parse
		s.parse = func(f *file, text string) (chain.Stage, error) {
			if text == "guard" {
				return "", wrong("use watch, rehearse or drive", "guard is not available yet")
			}
			return parse(f, text)
		}
	}
	return v
}

// jobRef is SOURCE/JOB.
func jobRef(into *job.Ref) Value {
	return &scalar[job.Ref]{
		into: into, words: "a job as SOURCE/JOB", tag: "!!str",
		parse: func(_ *file, text string) (job.Ref, error) { return job.ParseRef(text) },
	}
}

// wholeSeconds is a duration for records, which hold whole seconds.
func wholeSeconds(into *time.Duration, least, most time.Duration) Value {
	v := Duration(into, least, most)
	if s, ok := v.(*scalar[time.Duration]); ok {
		parse := s.parse
		s.parse = func(f *file, text string) (time.Duration, error) {
			d, err := parse(f, text)
			if err == nil && d%time.Second != 0 {
				return 0, wrong("", "want whole seconds, not %s", text)
			}
			return d, err
		}
	}
	return v
}

// definition makes what the engine works with. It is called for chains without a fault.
func (c *chainDraft) definition() chain.Definition {
	d := chain.Definition{
		Chain: c.name, Service: cmp.Or(c.service, c.name), Timezone: c.timezone, DayCut: c.dayCut, Repeat: c.repeat,
		KeepOpen: chain.Seconds(c.keepOpen / time.Second),
	}
	for _, n := range c.nodes {
		node := chain.Node{
			Name: n.name, Job: n.job, NotBefore: n.notBefore, GiveUpAt: n.giveUpAt,
			GiveUpAfter: chain.Seconds(n.giveUpAfter / time.Second), Stage: n.stage,
		}
		for _, a := range n.after {
			node.After = append(node.After, chain.Dependency{Node: a.node, On: a.on})
		}
		slices.SortFunc(node.After, func(a, b chain.Dependency) int { return cmp.Compare(a.Node, b.Node) })
		d.Nodes = append(d.Nodes, node)
	}
	slices.SortFunc(d.Nodes, func(a, b chain.Node) int { return cmp.Compare(a.Name, b.Name) })
	return d
}

// definitions gives all chains, sorted by name.
func (l *loader) definitions() []chain.Definition {
	out := make([]chain.Definition, 0, len(l.chains))
	for _, c := range l.chains {
		out = append(out, c.definition())
	}
	slices.SortFunc(out, func(a, b chain.Definition) int { return cmp.Compare(a.Chain, b.Chain) })
	return out
}
