package schedule

import (
	"iter"
	"time"
)

// Fire is one run that the daemon starts.
type Fire struct {
	At time.Time // the minute in which it starts, in the zone that was given

	// MadeUp is the minute of the wall clock, as "2026-03-29 02:30", that the clock jumped over and that
	// this run makes up for. It is empty for a run at its own time.
	MadeUp string
}

// years is how long Next and Fires look ahead for the next run before they give up. A run on 29 February
// may be eight years away.
const years = 9

// warmUp is how long before the time that was asked for the daemon is taken to have run: long enough
// that a clock change before that time has its effect after it.
const warmUp = 26 * time.Hour

// Next gives the first minute after a time in which the daemon of the zone starts a run. It is false if
// there is none within nine years. A run that is made up for counts at the minute in which it starts;
// runs of the same minute count once.
//
// Cronie does not notice a change of its zone's offset that comes without a change of its summer-time
// flag, and goes on with the old offset until it is started again; it is taken to have been started at
// the given time.
func (s *Schedule) Next(after time.Time, zone *time.Location) (time.Time, bool) {
	from := after.Truncate(time.Minute).Add(time.Minute)
	for f := range s.Fires(from, from.AddDate(years+1, 0, 0), zone) {
		return f.At, true
	}
	return time.Time{}, false
}

// Fires gives all runs that the daemon of the zone starts from one time on and before another, in order.
// Runs that start in the same minute, as they may after a clock change, are given one by one. It ends
// early when there is no run within nine years. What Next says of cronie applies here too.
func (s *Schedule) Fires(from, until time.Time, zone *time.Location) iter.Seq[Fire] {
	return func(yield func(Fire) bool) {
		if s.reboot || !from.Before(until) {
			return
		}
		l := loop{
			s: s, zone: zones{zone: zone}, from: from.Unix(), until: until.Unix(),
			giveUp: from.AddDate(years, 0, 0).Unix(),
		}
		if from.Nanosecond() > 0 {
			l.from++
		}
		l.yield = func(at int64, madeUp wall) bool {
			f := Fire{At: time.Unix(at, 0).In(zone)}
			if madeUp != noWall {
				f.MadeUp = madeUp.String()
			}
			return yield(f)
		}
		switch s.dialect {
		case Debian, Cronie:
			(&vixieLoop{loop: &l}).run()
		case SystemdCron:
			l.timers()
		case BusyBox:
			l.plain()
		}
	}
}

// loop is what the loops of all daemons share. Times are in seconds of the epoch.
type loop struct {
	s           *Schedule
	zone        zones
	from, until int64
	giveUp      int64 // when there has been no run
	yield       func(at int64, madeUp wall) bool
}

// emit gives a run, unless it is before the time that was asked for. It is false when no more are wanted.
func (l *loop) emit(at int64, madeUp wall) bool {
	at = floorDiv(at, 60) * 60
	if at < l.from {
		return true
	}
	if at >= l.until {
		return false
	}
	l.giveUp = time.Unix(at, 0).UTC().AddDate(years, 0, 0).Unix()
	return l.yield(at, madeUp)
}

// end is when to stop, as things stand.
func (l *loop) end() int64 { return min(l.until, l.giveUp+1) }

// plain is the loop of BusyBox crond: every minute of absolute time counts at what the wall clock shows
// in it.
func (l *loop) plain() {
	for t := ceilDiv(l.from, 60) * 60; t < l.end(); {
		at, ok := l.s.plainNext(&l.zone, t, l.end())
		if !ok || !l.emit(at, noWall) {
			return
		}
		t = at + 60
	}
}

// plainNext finds the first instant among t, t+60, t+120 ... before end at which the clock of a zone
// shows a minute that the fields match.
func (s *Schedule) plainNext(zone *zones, t, end int64) (int64, bool) {
	for t < end {
		p := zone.at(t)
		w, stop := wallOf(t, p.offset), min(p.end, end)
		steps := ceilDiv(stop-t, 60)
		if m := s.seek(w, w+wall(steps)); m != noWall {
			return t + int64(m-w)*60, true
		}
		t += steps * 60
	}
	return 0, false
}

// timers is what systemd makes of a calendar expression: a minute that the wall clock jumps over is
// skipped, and after the clock was set back a minute counts only when it is later than all before.
func (l *loop) timers() {
	t, passed := l.from-int64(warmUp/time.Second), wall(-1<<62)
	for t < l.end() {
		p := l.zone.at(t)
		stop := min(p.end, l.end())
		w, limit := max(wall(ceilDiv(t+p.offset, 60)), passed+1), wall(ceilDiv(stop+p.offset, 60))
		m := l.s.seek(w, limit)
		if m == noWall {
			passed, t = max(passed, limit-1), stop
			continue
		}
		passed, t = m, int64(m)*60-p.offset+60
		if !l.emit(t-60, noWall) {
			return
		}
	}
}
