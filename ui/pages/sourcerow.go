package pages

import (
	"time"

	"signalbox/federation"
)

// sourceRow is a source in a list.
type sourceRow struct {
	Name     string
	URL      string
	Chip     chip
	Peer     string
	Address  string
	LastSeen when
	Since    when
	Error    string
	Fix      string
	Next     when
	Jobs     int
	Offset   string
	OffClock bool // the clock is off so far that a person should know
	Warns    int  // problems, missing rights, weaknesses
}

const offClock = 30 * time.Second

func (p *Pages) sourceRows(all []federation.SourceStatus) []sourceRow {
	var out []sourceRow
	for i := range all {
		s := &all[i]
		row := sourceRow{
			Name: s.Name, URL: sourceURL(s.Name), Chip: p.sourceChip(s), Peer: s.Peer, Address: s.Address, LastSeen: p.when(s.LastSeen),
			Since: p.when(s.Since), Error: s.Error, Fix: s.Fix, Next: p.when(s.NextPoll), Jobs: s.Jobs,
			Warns: len(s.Problems) + len(s.Weaknesses) + len(s.Gaps),
		}
		for _, r := range s.Rights {
			if r.Granted == "no" {
				row.Warns++
			}
		}
		if s.Offset != nil {
			row.Offset, row.OffClock = offsetText(*s.Offset), s.Offset.Abs() >= offClock
		}
		out = append(out, row)
	}
	return out
}

// blindOf gives the sources that cannot be seen now.
func blindOf(all []federation.SourceStatus) map[string]federation.SourceStatus {
	out := map[string]federation.SourceStatus{}
	for _, s := range all {
		if s.Blind || s.Stopped {
			out[s.Name] = s
		}
	}
	return out
}
