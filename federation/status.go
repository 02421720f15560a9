package federation

import (
	"maps"
	"sync"

	"signalbox/adapters"
	"signalbox/federation/store"
)

// shown is what faces see of the sources: what is durable, without waiting for the committer. The zero
// value knows nothing.
type shown struct {
	mu   sync.RWMutex
	rows map[string]store.Source
	jobs map[string]int // how many were listed
}

// reset forgets everything and takes over what was restored.
func (s *shown) reset(rows map[string]store.Source, native map[string]map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.jobs = maps.Clone(rows), map[string]int{}
	for source, jobs := range native {
		s.jobs[source] = len(jobs)
	}
}

// take takes over what a batch made durable.
func (s *shown) take(b *store.Batch) {
	if len(b.Sources)+len(b.Listings) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range b.Sources {
		s.rows[row.Name] = row
	}
	for _, l := range b.Listings {
		s.jobs[l.Source] = len(l.Jobs)
	}
}

func (s *shown) source(name string) (row store.Source, jobs int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rows[name], s.jobs[name]
}

// Sources tells how every configured source stands right now, sorted by name. It never waits: what is
// being committed right now is not in it.
func (e *Engine) Sources() []SourceStatus {
	out := make([]SourceStatus, 0, len(e.sources))
	for _, name := range e.sourceNames() {
		row, jobs := e.shown.source(name)
		s := e.status(e.sources[name], row)
		s.Jobs = jobs
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
