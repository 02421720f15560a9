package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schedule is an expression as its daemon reads it. Make one with [Parse].
type Schedule struct {
	text    string
	dialect Dialect
	words   [5]string // the fields as written; empty for a short form
	macro   string    // the short form as written; else empty
	reboot  bool      // when the daemon starts after a boot, never at a minute

	sets  [5]uint64 // bit v is set if the field matches v; Sunday is bit 0
	both  bool      // both day fields must match, else either does
	wild  bool      // the minute or the hour begins with a star: not made up for, and repeated
	drawn []string  // fields of which the daemon draws the value when it loads the table

	tableZone *time.Location // CRON_TZ of cronie
	notes     []string       // what is accepted and yet probably not meant
}

// Error says why a dialect refuses an expression.
type Error struct {
	Dialect Dialect
	Field   string // "minute", "hour", "day of month", "month", "day of week"; empty: the line as a whole
	Column  int    // of the first character that is at fault, from 1, in bytes
	Why     string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s refuses it: column %d: %s", e.Dialect.daemon(), e.Column, e.Why)
	}
	return fmt.Sprintf("%s refuses it: %s, column %d: %s", e.Dialect.daemon(), e.Field, e.Column, e.Why)
}

// field is one of the five fields of an expression.
type field struct {
	name      string
	low, high int
	names     []string // lower case; the first one means low
}

const (
	minute = iota
	hour
	dayOfMonth
	month
	dayOfWeek
)

func fields() [5]field {
	return [5]field{
		minute:     {name: "minute", low: 0, high: 59},
		hour:       {name: "hour", low: 0, high: 23},
		dayOfMonth: {name: "day of month", low: 1, high: 31},
		month:      {name: "month", low: 1, high: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
		dayOfWeek:  {name: "day of week", low: 0, high: 7, names: strings.Fields("sun mon tue wed thu fri sat sun")},
	}
}

// span is the set of all values from low to high.
func span(low, high int) uint64 { return (1<<(high-low+1) - 1) << low }

// all is the set of everything that a field can match. Sunday counts once, as 0.
func all(i int) uint64 {
	if i == dayOfWeek {
		return span(0, 6)
	}
	f := fields()[i]
	return span(f.low, f.high)
}

// Parse reads an expression: five fields, or a short form such as @daily, and no command. What follows
// is taken as the beginning of the command, as the daemon would take it. An expression that the dialect
// refuses gives an [*Error].
//
// The table is taken to be that of an ordinary user: cronie's minus sign before the minute, which only
// root may write, has to be cut off before.
func Parse(expr string, d Dialect) (*Schedule, error) {
	p := parser{s: &Schedule{dialect: d}, dialect: d}
	if err := p.split(expr); err != nil {
		return nil, err
	}
	p.s.text = strings.Join(p.all, " ")
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p.s, nil
}

// String gives the expression, blanks made single.
func (s *Schedule) String() string { return s.text }

// Dialect tells by which daemon's rules the expression was read.
func (s *Schedule) Dialect() Dialect { return s.dialect }

// Reboot tells whether it fires when the daemon starts after a boot, and at no other time.
func (s *Schedule) Reboot() bool { return s.reboot }

// Drawn lists the fields of which cronie draws the value by lot when it loads the table ("~"). Nobody
// outside the daemon knows these values. Fires are computed with the lowest value that may be drawn.
func (s *Schedule) Drawn() []string { return slices.Clone(s.drawn) }

// WithTableZone gives the schedule with cronie's CRON_TZ: the fields are read in that zone, while the
// daemon goes on to count the minutes of its own, which is the one that [Schedule.Next] and
// [Schedule.Fires] take. Other daemons do not know CRON_TZ; for them it is an error.
func (s *Schedule) WithTableZone(zone *time.Location) (*Schedule, error) {
	if s.dialect != Cronie {
		return nil, fmt.Errorf("CRON_TZ: %s does not know it", s.dialect.daemon())
	}
	c := *s
	c.tableZone = zone
	return &c, nil
}

// note adds what a person should know of an expression that is accepted.
func (s *Schedule) note(format string, a ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, a...))
}
