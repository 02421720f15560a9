package chain

import (
	"fmt"
	"time"
)

// ParseClock reads a local time of day "HH:MM" as minutes since midnight.
func ParseClock(s string) (minutes int, err error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("time of day %q: want HH:MM", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// days turns instants into business dates and back. Business date D begins at the day cut on calendar
// day D and ends when D+1 begins, so that it lasts 23, 24 or 25 hours around clock changes.
type days struct {
	loc *time.Location
	cut int // minutes since local midnight
}

// date gives the business date that t falls in.
func (c days) date(t time.Time) string {
	day := civil(t.In(c.loc))
	switch {
	case t.Before(c.begin(day)):
		day = day.AddDate(0, 0, -1)
	case !t.Before(c.begin(day.AddDate(0, 0, 1))):
		day = day.AddDate(0, 0, 1)
	}
	return day.Format(time.DateOnly)
}

// begin gives the instant at which the business date of a calendar day begins.
func (c days) begin(day time.Time) time.Time { return c.local(day, c.cut) }

// span gives the beginning of a business date and of the one after it.
func (c days) span(date string) (from, until time.Time) {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, time.Time{}
	}
	return c.begin(day), c.begin(day.AddDate(0, 0, 1))
}

// within gives the first time at or after the beginning of a business date when local clocks show a
// time of day.
func (c days) within(date string, minutes int) time.Time {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}
	}
	t := c.local(day, minutes)
	if t.Before(c.begin(day)) {
		t = c.local(day.AddDate(0, 0, 1), minutes)
	}
	return t
}

// local gives the instant when local clocks show a time of day on a calendar day. A time that occurs
// twice means its first occurrence; a time that is skipped means the moment of the jump. time.Date does
// not promise which one it picks.
func (c days) local(day time.Time, minutes int) time.Time {
	naive := day.Add(time.Duration(minutes) * time.Minute)
	const far = 26 * time.Hour // beyond any zone's distance from UTC
	for _, probe := range []time.Time{naive.Add(-far), naive.Add(far)} {
		_, offset := probe.In(c.loc).Zone()
		t := naive.Add(-time.Duration(offset) * time.Second)
		if _, have := t.In(c.loc).Zone(); have == offset {
			return t
		}
	}
	_, before := naive.Add(-far).In(c.loc).Zone()
	jump, _ := naive.Add(-time.Duration(before) * time.Second).In(c.loc).ZoneBounds()
	return jump.UTC()
}

// civil gives the calendar day that a local time shows, as midnight UTC.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
