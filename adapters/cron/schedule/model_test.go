package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/cron/schedule"
)

// model is a naive daemon: it looks at the wall clock once a minute and keeps lists of values. It skips
// nothing and knows nothing of offsets.
type model struct {
	values [5][]int // minute, hour, day of month, month, day of week
	both   bool
	wild   bool
	zone   *time.Location
}

// matches compares with what a wall clock shows; the time is in UTC and stands for any wall clock.
func (m *model) matches(w time.Time) bool {
	has := func(i, v int) bool { return slices.Contains(m.values[i], v) }
	dom, dow := has(2, w.Day()), has(4, int(w.Weekday()))
	days := dom || dow
	if m.both {
		days = dom && dow
	}
	return has(0, w.Minute()) && has(1, w.Hour()) && has(3, int(w.Month())) && days
}

// shown is what the wall clock of the zone shows, as a time in UTC.
func (m *model) shown(t time.Time) time.Time {
	l := t.In(m.zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

// debian plays the loop of Debian's cron, one minute after the other. Runs that are made up for take no
// time in it, so it must not be asked for more than six in a row.
func (m *model) debian(from, until time.Time) (fires []time.Time) {
	virtual := m.shown(from.Add(-time.Minute))
	add := func(at, w time.Time, want bool) {
		if want && m.matches(w) {
			fires = append(fires, at)
		}
	}
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		shown := m.shown(at)
		switch ahead := int(shown.Sub(virtual).Minutes()); {
		case ahead == 1 || ahead > 180 || ahead <= -180:
			virtual = shown
			add(at, shown, true)
		case ahead > 0:
			add(at, shown, ahead > 5 && m.wild)
			for virtual.Before(shown) {
				virtual = virtual.Add(time.Minute)
				add(at, virtual, ahead <= 5 || !m.wild)
			}
		default:
			add(at, shown, m.wild)
		}
	}
	return fires
}

// busybox fires whenever the wall clock shows a minute that matches.
func (m *model) busybox(from, until time.Time) (fires []time.Time) {
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		if m.matches(m.shown(at)) {
			fires = append(fires, at)
		}
	}
	return fires
}

// timer is systemd: a minute of the wall clock counts if it is later than all before.
func (m *model) timer(from, until time.Time) (fires []time.Time) {
	latest := m.shown(from.Add(-time.Minute))
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		shown := m.shown(at)
		if shown.After(latest) {
			if latest = shown; m.matches(shown) {
				fires = append(fires, at)
			}
		}
	}
	return fires
}

// randomField gives the text of a field and its values. Few keeps it to at most six values.
func randomField(r *rand.Rand, low, high int, few bool) (text string, values []int) {
	add := func(from, to, step int) {
		for v := from; v <= to; v += step {
			values = append(values, v)
		}
	}
	from := low + r.IntN(high-low+1)
	to := from + r.IntN(high-from+1)
	step := 1 + r.IntN(max(1, (high-low)/3))
	switch kind := r.IntN(5); {
	case kind == 0 && !few:
		add(low, high, 1)
		return "*", values
	case kind == 1 && !few:
		add(low, high, step)
		return fmt.Sprintf("*/%d", step), values
	case kind == 2:
		step = max(step, (to-from)/5+1)
		add(from, to, step)
		return fmt.Sprintf("%d-%d/%d", from, to, step), values
	case kind == 3:
		values = []int{from, to}
		return fmt.Sprintf("%d,%d", from, to), values
	}
	return fmt.Sprint(from), []int{from}
}

// TestAgainstModel compares the fires of random expressions with those of a naive model, around clock
// changes of many kinds.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	windows := []struct {
		zone string
		at   string
	}{
		{"UTC", "2028-02-28T12:00Z"},
		{"Europe/Berlin", "2026-03-29T01:00Z"}, {"Europe/Berlin", "2026-10-25T01:00Z"},
		{"Europe/Berlin", "2040-12-31T12:00Z"}, {"America/New_York", "2051-11-05T06:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:30Z"}, {"Australia/Lord_Howe", "2026-04-04T15:00Z"},
		{"America/Santiago", "2026-09-06T04:00Z"}, {"America/Santiago", "2026-04-05T03:00Z"},
		{"Europe/Dublin", "2026-10-25T01:00Z"}, {"Africa/Casablanca", "2026-02-15T02:00Z"},
		{"Asia/Almaty", "2024-02-29T18:00Z"}, {"Antarctica/Troll", "2026-03-29T01:00Z"},
		{"Pacific/Apia", "2011-12-30T10:00Z"}, {"Pacific/Kwajalein", "1993-08-21T12:00Z"},
		{"Asia/Kathmandu", "1985-12-31T18:30Z"}, {"America/Caracas", "2016-05-01T07:00Z"},
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same cases each time
	for range 600 {
		w := windows[random.IntN(len(windows))]
		m := model{zone: zone(t, w.zone)}
		var words []string
		for i, f := range [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}} {
			text, values := randomField(random, f[0], f[1], i == 0)
			if i > 1 && random.IntN(2) == 0 {
				text, values = "*", nil
				for v := f[0]; v <= f[1]; v++ {
					values = append(values, v)
				}
			}
			words, m.values[i] = append(words, text), values
		}
		starred := func(i int) bool { return strings.HasPrefix(words[i], "*") }
		m.wild = starred(0) || starred(1)
		expr := strings.Join(words, " ")
		at := instant(t, w.at)
		from, until := at.AddDate(0, 0, -2), at.AddDate(0, 0, 2)
		for d, play := range map[schedule.Dialect]func(from, until time.Time) []time.Time{
			schedule.Debian: m.debian, schedule.SystemdCron: m.timer, schedule.BusyBox: m.busybox,
		} {
			m.both = d == schedule.SystemdCron || d == schedule.Debian && (starred(2) || starred(4))
			if d == schedule.Debian && len(m.values[0])*len(m.values[1]) > 6 && !m.wild {
				continue // more than a minute of runs to make up for
			}
			if d == schedule.BusyBox && (words[2] != "*" || words[4] != "*") {
				continue // other rules; see TestFieldsAgainstBusyBox
			}
			s, err := schedule.Parse(expr, d)
			if err != nil {
				t.Errorf("%s: %q: %v", d, expr, err)
				continue
			}
			compare(t, s, play(from, until), from, until, m.zone)
		}
	}
}

// compare holds Fires and Next to what a model says.
func compare(t *testing.T, s *schedule.Schedule, want []time.Time, from, until time.Time, z *time.Location) {
	t.Helper()
	var got []time.Time
	for f := range s.Fires(from, until, z) {
		got = append(got, f.At)
	}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%s: %q in %s from %s: got %d\n%.400v\nwant %d\n%.400v", s.Dialect(), s, z, from, len(got), got, len(want), want)
		return
	}
	after := from.Add(-time.Minute)
	for i, w := range slices.CompactFunc(want, time.Time.Equal) {
		next, ok := s.Next(after, z)
		if !ok || !next.Equal(w) {
			t.Errorf("%s: %q in %s: next after %s is %s %v, want %s", s.Dialect(), s, z, after, next, ok, w)
			return
		}
		if after = next; i > 10 {
			return
		}
	}
}
