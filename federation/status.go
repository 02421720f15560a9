package federation

import (
	"context"
	"maps"
	"time"

	"signalbox/adapters"
	"signalbox/federation/store"
)

// Sources tells how every configured source stands right now, sorted by name.
func (e *Engine) Sources() []SourceStatus {
	rows, jobs := map[string]store.Source{}, map[string]int{}
	// Without the committer (not begun, or stopped) what the sources say themselves is all there is.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := e.do(ctx, func(*txn) error {
		maps.Copy(rows, e.rows)
		for ref := range e.native {
			jobs[ref.Source]++
		}
		return nil
	}); err != nil {
		rows, jobs = nil, nil
	}
	out := make([]SourceStatus, 0, len(e.sources))
	for _, name := range e.sourceNames() {
		s := e.status(e.sources[name], rows[name])
		s.Jobs = jobs[name]
		out = append(out, s)
	}
	return out
}

func (e *Engine) status(s *adapters.Source, row store.Source) SourceStatus {
	h, p := s.Health(), s.Properties()
	st := SourceStatus{
		Name: s.Name(), Peer: p.Peer, Address: p.Address, Zone: p.Zone, StartClass: string(p.Start),
		Confidence: string(p.Confidence), HostKey: p.HostKey, KnownGaps: p.KnownGaps, Weaknesses: p.Weaknesses,
		LastSeen: h.LastSeen, Blind: h.Contact.Blind, Since: h.Contact.Since, Error: h.Contact.Error,
		ErrorKind: string(h.Contact.Kind), Fix: h.Contact.Fix, Stopped: h.Stopped, NextPoll: h.NextPoll, Fast: h.Fast,
		Watching: h.Watching, Offset: h.Offset, Polls: h.Polls, Failures: h.Failures,
	}
	if p.Version != "" {
		st.Peer += " " + p.Version
	}
	if h.LastSeen.IsZero() && h.Polls == 0 && row.Contact.Blind { // not tried yet: what was last heard stands
		c := row.Contact
		st.Blind, st.Since, st.Error, st.ErrorKind, st.Fix = true, c.Since, c.Error, string(c.Kind), c.Fix
	}
	if !h.NextPoll.IsZero() && !h.LastSeen.IsZero() {
		st.Interval = max(0, h.NextPoll.Sub(h.LastSeen))
	}
	for _, r := range p.Rights {
		st.Rights = append(st.Rights, RightStatus{Name: r.Name, Why: r.Why, Granted: string(r.Granted), Fix: r.Fix, Needed: r.Needed})
	}
	for _, q := range row.Problems {
		st.Problems = append(st.Problems, Problem{Where: q.Where, What: q.What, Fix: q.Fix})
	}
	for _, g := range row.Gaps {
		st.Gaps = append(st.Gaps, Gap{What: g.What, Since: g.Since, Until: g.Until})
	}
	return st
}

// Abilities tells what a person may ask of a source. An unknown source can do nothing.
func (e *Engine) Abilities(source string) Ability {
	s := e.sources[source]
	if s == nil {
		return Ability{}
	}
	a := s.Abilities()
	return Ability{Log: a.ReadLog, Cancel: a.Cancel, Start: a.Start, Hold: a.Hold}
}
