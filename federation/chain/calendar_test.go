package chain

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// zones whose clocks do something special: half an hour, at midnight, a whole day, or twice a year with
// the sign turned.
var oddZones = []string{
	"UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Santiago",
	"America/Havana", "America/Asuncion", "America/Sao_Paulo", "America/Scoresbysund", "Asia/Tehran", "Asia/Kathmandu",
	"Asia/Beirut", "Asia/Gaza", "Africa/Cairo", "Africa/Casablanca", "Antarctica/Troll", "Australia/Lord_Howe",
	"Pacific/Apia", "Pacific/Chatham", "Pacific/Kwajalein", "Pacific/Kiritimati", "Etc/GMT+12",
}

// crossings are the days that are missing because a place went over the date line.
var crossings = map[string]string{"Pacific/Apia": "2011-12-30", "Pacific/Kwajalein": "1993-08-21", "Pacific/Kiritimati": "1994-12-31"}

func location(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

// TestDatesTile walks through many years of business dates in many zones: each begins where the one before
// ends, they come in order, and every instant falls into the one that contains it.
func TestDatesTile(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(seed(t), 1))
	for _, zone := range oddZones {
		for _, cut := range []int{0, 1, 30, 61, 2 * 60, 150, 3 * 60, 12 * 60, 18 * 60, 23*60 + 59} {
			c := days{loc: location(t, zone), cut: cut}
			day := time.Date(1985+r.IntN(30), 1, 1, 0, 0, 0, 0, time.UTC)
			switch zone {
			case "Pacific/Apia":
				day = time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC) // the year without a 30 December
			case "America/St_Johns":
				day = time.Date(2006, 1, 1, 0, 0, 0, 0, time.UTC) // clocks went back from 00:01 to 23:01 of the day before
			}
			for range 400 {
				if err := tiles(c, day, r); err != nil {
					t.Fatalf("%s, day cut %d minutes: %v", zone, cut, err)
				}
				day = day.AddDate(0, 0, 1)
			}
		}
	}
}

func tiles(c days, day time.Time, r *rand.Rand) error {
	date, next := day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)
	from, until := c.span(date)
	if after, _ := c.span(next); !after.Equal(until) {
		return fmt.Errorf("%s ends at %s, %s begins at %s", date, until, next, after)
	}
	length := until.Sub(from)
	crossed := crossings[c.loc.String()]
	if crossed == date && length == 0 {
		return nil // nobody lived through that day
	}
	if (length < 22*time.Hour || length > 26*time.Hour) && crossed != date && crossed != day.AddDate(0, 0, 1).Format(time.DateOnly) {
		return fmt.Errorf("%s lasts %s", date, length)
	}
	instants := []time.Time{from, until.Add(-time.Nanosecond), from.Add(time.Duration(r.Int64N(int64(length))))}
	if _, jump := from.In(c.loc).ZoneBounds(); !jump.IsZero() {
		for _, d := range []time.Duration{-1, 0, 15 * time.Minute, 90 * time.Minute} { // around a change of the clocks
			if t := jump.Add(d); !t.Before(from) && t.Before(until) {
				instants = append(instants, t)
			}
		}
	}
	for _, t := range instants {
		if got := c.date(t); got != date {
			return fmt.Errorf("%s falls in %s, want %s", t, got, date)
		}
	}
	if got := c.date(from.Add(-time.Nanosecond)); got >= date {
		return fmt.Errorf("the moment before %s began falls in %s", date, got)
	}
	return within(c, date, r.IntN(24*60), from, until)
}

// within checks that a time of day lies inside its business date and is what local clocks show, or else
// the moment of a jump over it.
func within(c days, date string, minutes int, from, until time.Time) error {
	t := c.within(date, minutes)
	if t.Before(from) || t.After(until) {
		return fmt.Errorf("%02d:%02d of %s is %s, outside %s to %s", minutes/60, minutes%60, date, t, from, until)
	}
	local := t.In(c.loc)
	if local.Hour()*60+local.Minute() == minutes {
		return nil
	}
	_, before := t.Add(-time.Nanosecond).In(c.loc).Zone()
	if _, after := local.Zone(); after <= before {
		return fmt.Errorf("%02d:%02d of %s is %s, and clocks did not jump then", minutes/60, minutes%60, date, local)
	}
	return nil
}

// TestFirstOccurrence checks times that come twice, or never, against what is known about those nights.
func TestFirstOccurrence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, cut, date, clock, want, why string }{
		{"Europe/Berlin", "00:00", "2026-10-25", "02:30", "2026-10-25T00:30:00Z", "comes twice: the first one"},
		{"Europe/Berlin", "00:00", "2026-10-25", "03:00", "2026-10-25T02:00:00Z", "comes once"},
		{"Europe/Berlin", "00:00", "2026-03-29", "02:30", "2026-03-29T01:00:00Z", "does not come: the jump"},
		{"Europe/Berlin", "18:00", "2026-03-28", "02:30", "2026-03-29T01:00:00Z", "the night belongs to the day before"},
		{"Europe/Berlin", "18:00", "2026-03-28", "18:00", "2026-03-28T17:00:00Z", "the cut itself"},
		{"Europe/Berlin", "18:00", "2026-03-28", "17:59", "2026-03-29T15:59:00Z", "a minute before the next one"},
		{"America/Santiago", "00:00", "2026-09-06", "00:00", "2026-09-06T04:00:00Z", "midnight does not come"},
		{"America/Santiago", "00:00", "2026-04-04", "23:30", "2026-04-05T02:30:00Z", "23:30 comes twice"},
		{"America/Santiago", "00:00", "2026-04-05", "00:00", "2026-04-05T04:00:00Z", "midnight comes once"},
		{"America/Havana", "00:00", "2026-11-01", "00:30", "2026-11-01T04:30:00Z", "00:30 comes twice"},
		{"Australia/Lord_Howe", "00:00", "2026-10-04", "02:15", "2026-10-03T15:30:00Z", "half an hour is missing"},
		{"Australia/Lord_Howe", "00:00", "2026-04-05", "01:45", "2026-04-04T14:45:00Z", "half an hour comes twice"},
		{"America/St_Johns", "00:00", "2006-10-29", "00:00", "2006-10-29T02:30:00Z", "a minute later clocks go back to 23:01"},
		{"Pacific/Apia", "00:00", "2011-12-30", "12:00", "2011-12-30T10:00:00Z", "a day is missing"},
	} {
		cut, err := ParseClock(c.cut)
		if err != nil {
			t.Fatal(err)
		}
		minutes, err := ParseClock(c.clock)
		if err != nil {
			t.Fatal(err)
		}
		d := days{loc: location(t, c.zone), cut: cut}
		if got := d.within(c.date, minutes).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s of %s in %s, cut %s (%s): %s, want %s", c.clock, c.date, c.zone, c.cut, c.why, got, c.want)
		}
	}
}

// FuzzDates lets a fuzzer choose zone, cut and instant.
func FuzzDates(f *testing.F) {
	for i := range oddZones {
		f.Add(uint8(i), uint16(18*60), int64(1792800000))
	}
	f.Fuzz(func(t *testing.T, zone uint8, cut uint16, unix int64) {
		const first, last = -2_000_000_000, 4_000_000_000 // 1906 to 2096; clocks of towns before that are nobody's business dates
		if unix < first || unix > last {
			t.Skip("no year of ours")
		}
		c := days{loc: location(t, oddZones[int(zone)%len(oddZones)]), cut: int(cut) % (24 * 60)}
		at := time.Unix(unix, 0)
		date := c.date(at)
		if from, until := c.span(date); at.Before(from) || !at.Before(until) {
			t.Fatalf("%s: %s falls in %s, which goes from %s to %s", c.loc, at.UTC(), date, from.UTC(), until.UTC())
		}
	})
}

// FuzzParseClock checks that what is read is what was written.
func FuzzParseClock(f *testing.F) {
	for _, s := range []string{"00:00", "23:59", "24:00", "9:30", "09:3", "aa:bb", "-1:00", "12:00:00", "", "12:60"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseClock(s)
		if err != nil {
			return
		}
		if back := fmt.Sprintf("%02d:%02d", m/60, m%60); back != s || m < 0 || m >= 24*60 {
			t.Fatalf("%q was read as %d minutes, which is %s", s, m, back)
		}
	})
}

// FuzzParseKey checks that what is read writes itself back.
func FuzzParseKey(f *testing.F) {
	for _, s := range []string{
		"close:2026-11-22", "close:2026-11-22:20261122T041000Z", "close", ":2026-11-22", "close:2026-11-22:", "close:2026-11-22:now",
		"close:22.11.2026", "a:b:c:d", "close:2026-02-30", "close:2026-11-22:20261122T041000ZZ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKey(s)
		if err == nil && k.String() != s {
			t.Fatalf("%q was read as %+v, which is %q", s, k, k)
		}
	})
}

// TestParseKey says what is a key and what is not.
func TestParseKey(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Key{
		"close:2026-11-22":                           {Chain: "close", BusinessDate: "2026-11-22"},
		"close:2026-11-22:20261122T041000Z-1a2b3c4d": {Chain: "close", BusinessDate: "2026-11-22", Cycle: "20261122T041000Z-1a2b3c4d"},
	} {
		if got, err := ParseKey(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "close", ":2026-11-22", "close:2026-02-30", "close:2026-11-22:", "close:2026-11-22:x", "close:2026-11-22:20261122T041000Z", "a:2026-11-22:20261122T041000Z-1a2b3c4d:b"} {
		if got, err := ParseKey(s); err == nil {
			t.Errorf("%q was read as %+v", s, got)
		}
	}
}
