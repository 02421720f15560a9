package schedule

import "time"

const (
	shortJump = 5      // minutes; all that was missed is made up for
	longJump  = 3 * 60 // minutes; nothing is made up for
	pause     = 10     // seconds after a run that is made up for
	tooLong   = 60 + 5 // seconds; cron does not sleep for so long
)

// vixieLoop is the loop of Debian's cron and of cronie. The daemon counts minutes of the wall clock
// ("virtual time") and compares that count with the wall clock each time it wakes up.
//
// A run of the loop is: sleep until the wall clock shows another minute; if it shows the one after the
// virtual minute, start what matches. If it is far ahead, start the fixed jobs of the minutes between
// and the wild ones of this minute; if it is behind, start the wild ones until it has caught up.
type vixieLoop struct {
	*loop
	table   zones // of CRON_TZ
	now     int64 // seconds of the epoch
	offset  int64 // of the zone, as far as the daemon has noticed
	summer  bool
	clock   wall // the minute in which the daemon last woke up
	virtual wall // all runs up to this minute have been started
}

func (v *vixieLoop) run() {
	v.now, v.table.zone = v.from-int64(warmUp/time.Second), v.s.tableZone
	p := v.zone.at(v.now)
	v.offset, v.summer = p.offset, p.summer
	v.clock = wallOf(v.now, v.offset)
	v.virtual = v.clock
	for v.sleep(); v.now < v.end(); v.sleep() {
		woken := v.clock
		if v.clock = v.look(); v.clock != woken && !v.turn() {
			return
		}
	}
}

// look reads the wall clock. Debian follows each change of the offset; cronie only those at which
// summer time begins or ends.
func (v *vixieLoop) look() wall {
	p := v.zone.at(v.now)
	if p.summer != v.summer || v.s.dialect == Debian || v.now < v.from {
		v.offset, v.summer = p.offset, p.summer
	}
	return wallOf(v.now, v.offset)
}

// sleep waits for the minute after the one in which the daemon woke up.
func (v *vixieLoop) sleep() {
	wait := int64(v.clock+1)*60 - (v.now + v.offset)
	switch {
	case wait == 0:
		v.now++
	case wait > 0 && wait < tooLong:
		v.now += wait
	}
}

// turn is one turn of the loop; turns without a run are taken together. It is false when no more runs
// are wanted.
func (v *vixieLoop) turn() (more bool) {
	switch ahead := v.clock - v.virtual; {
	case ahead == 1:
		more = v.steady(true, noWall)
		v.virtual = v.clock
	case ahead > longJump || v.tooFarBack(ahead):
		v.virtual = v.clock
		more = !v.due(v.clock) || v.emit(v.now, noWall)
	case ahead > 0:
		more = v.catchUp(ahead <= shortJump)
	default:
		more = v.steady(v.s.wild, v.virtual)
	}
	return more
}

// tooFarBack tells whether the clock was set back so far that the daemon starts afresh.
func (v *vixieLoop) tooFarBack(ahead wall) bool {
	if v.s.dialect == Debian {
		return ahead <= -longJump
	}
	return ahead < -longJump
}

// steady starts the next run that is wanted, and goes on to its minute; or to the last minute before the
// offset changes, but not beyond limit.
func (v *vixieLoop) steady(wanted bool, limit wall) bool {
	stop := min(v.zone.at(v.now).end, v.end())
	last := max(v.clock, min(limit, wall(ceilDiv(stop+v.offset, 60)-1)))
	to := noWall
	if wanted {
		to = v.next(v.clock, last+1)
	}
	found := to != noWall
	if !found {
		to = last
	}
	if to > v.clock {
		v.clock, v.now = to, int64(to)*60-v.offset
	}
	return !found || v.emit(v.now, noWall)
}

// catchUp starts the runs of the minutes that were jumped over, with a pause after each. After a short
// jump that is all of them; else it is those of fixed jobs, until the minute is over.
func (v *vixieLoop) catchUp(short bool) bool {
	queued := noWall
	if !short && v.s.wild && v.due(v.clock) {
		queued = v.clock
	}
	start := func() bool {
		madeUp := queued
		if queued == v.clock {
			madeUp = noWall
		}
		queued = noWall
		return v.emit(v.now, madeUp)
	}
	for {
		if queued != noWall {
			if !start() {
				return false
			}
			v.now += pause
		}
		v.virtual++
		zoneKnown := v.s.tableZone == nil || v.virtual >= v.clock
		if (short || !v.s.wild) && zoneKnown && v.due(v.virtual) {
			queued = v.virtual
		}
		if v.virtual >= v.clock || !short && v.look() != v.clock {
			break
		}
	}
	return queued == noWall || start()
}

// next finds the first virtual minute from w on and before limit that the fields match, in the zone of
// the table if it has one.
func (v *vixieLoop) next(w, limit wall) wall {
	if v.s.tableZone == nil {
		return v.s.seek(w, limit)
	}
	at, ok := v.s.plainNext(&v.table, int64(w)*60-v.offset, int64(limit)*60-v.offset)
	if !ok {
		return noWall
	}
	return wallOf(at, v.offset)
}

// due tells whether the fields match a virtual minute.
func (v *vixieLoop) due(w wall) bool { return v.next(w, w+1) == w }
