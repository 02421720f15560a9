package schedule

import (
	"math/bits"
	"time"
)

// wall is a minute of a wall clock, counted from 1970-01-01 00:00 of that clock. It is what the daemons
// count; two instants have the same one where a clock was set back.
type wall int64

const (
	day    = 24 * 60 // minutes
	noWall = wall(1<<63 - 1)
)

// wallOf is the minute that a clock with this offset, in seconds, shows at an instant, in seconds.
func wallOf(t, offset int64) wall { return wall(floorDiv(t+offset, 60)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func ceilDiv(a, b int64) int64 { return -floorDiv(-a, b) }

// String gives it as people write it.
func (w wall) String() string { return time.Unix(int64(w)*60, 0).UTC().Format("2006-01-02 15:04") }

// parts takes a minute of the wall clock apart.
func (w wall) parts() (date time.Time, minuteOfDay int) {
	days := floorDiv(int64(w), day)
	return time.Unix(days*day*60, 0).UTC(), int(int64(w) - days*day)
}

// dayMatches tells whether the schedule fires on a date at all.
func (s *Schedule) dayMatches(date time.Time) bool {
	dom := s.sets[dayOfMonth]&(1<<date.Day()) != 0
	dow := s.sets[dayOfWeek]&(1<<int(date.Weekday())) != 0
	if s.both {
		return dom && dow
	}
	return dom || dow
}

// matches tells whether the fields match a minute of the wall clock.
func (s *Schedule) matches(w wall) bool { return s.seek(w, w+1) == w }

// seek finds the first minute of the wall clock from w on and before limit that the fields match, or
// gives noWall.
func (s *Schedule) seek(w, limit wall) wall {
	if s.sets[minute] == 0 || s.sets[hour] == 0 || s.sets[month] == 0 || s.reboot {
		return noWall
	}
	for w < limit {
		date, m := w.parts()
		if s.sets[month]&(1<<int(date.Month())) == 0 {
			next := time.Date(date.Year(), date.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			w = wall(next.Unix() / 60)
			continue
		}
		start := w - wall(m)
		if s.dayMatches(date) {
			if m = s.seekInDay(m); m < day {
				if w = start + wall(m); w < limit {
					return w
				}
				return noWall
			}
		}
		w = start + day
	}
	return noWall
}

// seekInDay finds the first minute of a day from m on that minute and hour match, or gives day or more.
func (s *Schedule) seekInDay(m int) int {
	h := m / 60
	if left := s.sets[minute] >> (m % 60); left != 0 && s.sets[hour]&(1<<h) != 0 {
		return m + bits.TrailingZeros64(left)
	}
	later := s.sets[hour] >> (h + 1)
	if later == 0 {
		return day
	}
	h += 1 + bits.TrailingZeros64(later)
	return h*60 + bits.TrailingZeros64(s.sets[minute])
}
