package chain

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// parseDefinition reads
//
//	NAME [timezone=ZONE] [day_cut=HH:MM] [keep_open=DURATION] [repeat=NODE]
//	  NODE = SOURCE/JOB, STAGE[, after NODE[:ON] ...][, not_before HH:MM][, give_up_at HH:MM][, give_up_after DURATION]
func parseDefinition(tb testing.TB, head string, nodes []string) Definition {
	tb.Helper()
	fields := strings.Fields(head)
	def := Definition{Chain: fields[0], DayCut: "00:00", KeepOpen: 72 * 3600, Timezone: "UTC"}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "timezone":
			def.Timezone = value
		case "day_cut":
			def.DayCut = value
		case "keep_open":
			def.KeepOpen = seconds(tb, value)
		case "repeat":
			def.Repeat = value
		default:
			tb.Fatalf("define: %q is not known", f)
		}
	}
	for _, line := range nodes {
		def.Nodes = append(def.Nodes, parseNode(tb, line))
	}
	return def
}

func parseNode(tb testing.TB, line string) Node {
	tb.Helper()
	name, rest, _ := strings.Cut(line, "=")
	parts := strings.Split(rest, ",")
	ref, err := job.ParseRef(strings.TrimSpace(parts[0]))
	if err != nil {
		tb.Fatal(err)
	}
	n := Node{Name: strings.TrimSpace(name), Job: ref, Stage: Stage(strings.TrimSpace(parts[1]))}
	for _, part := range parts[2:] {
		f := strings.Fields(part)
		switch f[0] {
		case "after":
			for _, dep := range f[1:] {
				up, on, ok := strings.Cut(dep, ":")
				if !ok {
					on = string(OnSuccess)
				}
				n.After = append(n.After, Dependency{Node: up, On: On(on)})
			}
		case "not_before":
			n.NotBefore = f[1]
		case "give_up_at":
			n.GiveUpAt = f[1]
		case "give_up_after":
			n.GiveUpAfter = seconds(tb, f[1])
		default:
			tb.Fatalf("node %s: %q is not known", n.Name, part)
		}
	}
	return n
}

func seconds(tb testing.TB, s string) Seconds {
	tb.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		tb.Fatal(err)
	}
	return Seconds(d / time.Second)
}

// moment reads RFC 3339, or HH:MM[:SS] in UTC on the present day.
func (p *story) moment(s string) time.Time {
	p.t.Helper()
	t, err := time.Parse(time.RFC3339, s)
	for _, layout := range []string{"15:04", "15:04:05"} {
		if c, short := time.Parse(layout, s); short == nil {
			day := p.now.Truncate(24 * time.Hour)
			t, err = day.Add(c.Sub(c.Truncate(24*time.Hour))), nil
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return t.UTC()
}

// see reads "SOURCE/JOB#NATIVE STATE [key=value ...]".
func (p *story) see(line string) {
	p.t.Helper()
	fields := strings.Fields(line)
	key, err := job.ParseRunKey(fields[0])
	if err != nil {
		p.t.Fatal(err)
	}
	o := job.Observation{Run: key, Attempt: 1, State: job.State(fields[1]), Sighting: job.Sighting{Seen: p.now}}
	if o.State == job.Unknown {
		o.Reason = job.NotSeen
	}
	for _, f := range fields[2:] {
		name, value, _ := strings.Cut(f, "=")
		if err := p.observed(&o, name, value); err != nil {
			p.t.Fatalf("observe %s: %v", f, err)
		}
	}
	run, hash := p.merge(o)
	p.event(Observed{Run: run, Record: hash})
}

func (p *story) observed(o *job.Observation, name, value string) (err error) {
	p.t.Helper()
	switch name {
	case "started":
		o.Started = job.At(p.moment(value))
	case "planned":
		o.Planned = job.At(p.moment(value))
	case "ended":
		o.Ended = job.At(p.moment(value))
	case "since":
		o.At = job.At(p.moment(value))
	case "exit":
		o.End = job.End{Kind: job.ExitCode, Code: value}
	case "reason":
		o.Reason = job.Reason(value)
	case "cause":
		o.Cause = job.Cause(value)
	case "date":
		o.BusinessDate = value
	case "token":
		o.Token, o.Cause = p.token(value), job.CauseBridge
	case "over":
		o.Over, o.Reason = true, job.OutcomeUnknown
	case "attempt":
		o.Attempt, err = strconv.Atoi(value)
	case "releases":
		var b bool
		b, err = strconv.ParseBool(value)
		o.Releases = &b
	case "offset":
		var d time.Duration
		d, err = time.ParseDuration(value)
		ms := d.Milliseconds()
		o.Sighting.OffsetMS = &ms
	default:
		err = errors.New("not known")
	}
	return err
}

// token finds what was given to "NODE" (its latest attempt) or "NODE/ATTEMPT".
func (p *story) token(what string) string {
	p.t.Helper()
	node, text, exact := strings.Cut(what, "/")
	var found Intent
	for _, in := range p.given {
		attempt, _ := strconv.Atoi(text)
		if in.Node == node && (!exact || in.Attempt == attempt) && (in.Attempt > found.Attempt ||
			in.Attempt == found.Attempt && compareKeys(in.Key, found.Key) > 0) {
			found = in
		}
	}
	if found.Token == "" {
		p.t.Fatalf("no token was given to %q", what)
	}
	return found.Token
}

// answer reads "NODE[/ATTEMPT] SEND [run=RUN] [words]".
func (p *story) answer(line string) {
	p.t.Helper()
	what, rest, _ := strings.Cut(line, " ")
	send, note, _ := strings.Cut(rest, " ")
	e := Effect{At: p.now, Token: p.token(what), Send: Send(send), Note: note}
	p.event(Effected{Effect: e, Record: p.seal(KindEffect, e)})
}

// order reads "VERB NODE [of KEY] by ACTOR: REASON". Without a key, the first open instance is meant.
func (p *story) order(line string) {
	p.t.Helper()
	what, why, ok := strings.Cut(line, " by ")
	actor, reason, also := strings.Cut(why, ": ")
	f := strings.Fields(what)
	if !ok || !also || len(f) < 2 {
		p.t.Fatalf("command %q: want VERB NODE [of KEY] by ACTOR: REASON", line)
	}
	c := Command{Actor: actor, At: p.now, Node: f[1], Reason: reason, Verb: Verb(f[0])}
	if len(f) == 4 {
		k, err := ParseKey(f[3])
		if err != nil {
			p.t.Fatal(err)
		}
		c.Instance = k
	} else if open := p.state.Open(); len(open) > 0 {
		c.Instance = open[0]
	}
	p.event(Commanded{Command: c, Record: p.seal(KindCommand, c)})
}

// contact reads "SOURCE blind|seen since WHEN [words]".
func (p *story) contact(line string) {
	p.t.Helper()
	f := strings.SplitN(line, " ", 5)
	c := Contact{At: p.now, Source: f[0], Blind: f[1] == "blind", Since: p.moment(f[3])}
	if len(f) == 5 {
		c.Error = f[4]
	}
	p.event(Contacted{Contact: c, Record: p.seal(KindContact, c)})
}
