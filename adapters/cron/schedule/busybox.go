package schedule

import "strings"

// busyboxField reads a field as BusyBox crond does. That never refuses a field: at the first fault it
// logs a parse error, and keeps the line with what it has read so far.
func (p *parser) busyboxField(f field, word string) (set uint64, _ error) {
	r := busyboxReader{field: f, rest: word, values: int32(f.high - f.low + 1)} //nolint:gosec // at most 60
	switch {
	case f.high == 31:
		r.values = 32 // there is a day 0, so that "*/2" are the even days
	case f.high == 7:
		r.values = 7
	case f.low == 1:
		r.offset = -1 // months count from 0
	}
	good := r.read()
	set = r.set
	if r.offset < 0 {
		set <<= 1
	}
	switch {
	case !good && set == 0:
		p.s.note("%s %q: BusyBox logs a parse error, keeps the line, and the field matches nothing", f.name, word)
	case !good:
		p.s.note("%s %q: BusyBox logs a parse error, and keeps the line with %s", f.name, word, f.list(set))
	case f.high == 31 && strings.HasPrefix(word, "*/"):
		p.s.note("%s %q: BusyBox counts from day 0, so it is %s", f.name, word, f.list(set&^1))
	}
	return set, nil
}

// busyboxReader is BusyBox's reader of fields, step by step.
type busyboxReader struct {
	field
	rest   string
	values int32 // how many values the field has, from 0
	offset int32 // what is added to a number
	set    uint64
}

// read reads a list, and tells whether there was no fault.
func (r *busyboxReader) read() bool {
	for {
		low, high, ok := r.bounds()
		if !ok {
			return false
		}
		step := int32(1)
		if strings.HasPrefix(r.rest, "/") {
			step = r.step()
		}
		if !r.fill(low, high, step) {
			return false
		}
		if !strings.HasPrefix(r.rest, ",") {
			return r.rest == ""
		}
		r.rest = r.rest[1:]
	}
}

// bounds reads "*", "N" or "N-M". Until there is a second bound it is -1, and so is the first.
func (r *busyboxReader) bounds() (low, high int32, ok bool) {
	low, high = -1, -1
	for {
		if strings.HasPrefix(r.rest, "*") {
			r.rest = r.rest[1:]
			low, high = 0, r.values-1
		} else if n, ok := r.number(); !ok {
			return 0, 0, false
		} else if low < 0 {
			low = n
		} else {
			high = n
		}
		if high < 0 && strings.HasPrefix(r.rest, "-") {
			r.rest = r.rest[1:]
			continue
		}
		if high < 0 {
			high = low
		}
		return low, high, true
	}
}

// number reads a number, or the first three letters of a name.
func (r *busyboxReader) number() (int32, bool) {
	if n := digits(r.rest); n > 0 {
		v := cInt(r.rest[:n]) + r.offset
		r.rest = r.rest[n:]
		return v, true
	}
	for i, name := range r.names {
		if len(r.rest) >= 3 && strings.EqualFold(name, r.rest[:3]) {
			r.rest = r.rest[3:]
			return int32(i), true //nolint:gosec // at most 11
		}
	}
	return 0, false
}

// step reads what stands behind a slash as C's strtol does. What is no number is 0, and is not consumed.
func (r *busyboxReader) step() int32 {
	r.rest = r.rest[1:]
	text, sign := r.rest, int32(1)
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	if sign < 0 || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	n := digits(text)
	if n == 0 {
		return 0
	}
	r.rest = text[n:]
	return sign * cInt(text[:n])
}

// fill sets every step-th value from low up to high, going round at the end of the field. A bound that
// is out of range is never met: it goes round until it gives up, which is a fault.
func (r *busyboxReader) fill(low, high, step int32) bool {
	countdown := int32(1)
	low--
	for range 1023 {
		low = (low + 1) % r.values
		if countdown--; countdown == 0 {
			if low >= 0 { // below is memory that is not the field's
				r.set |= 1 << low
			}
			countdown = step
		}
		if low == high {
			return true
		}
	}
	low = (low + 1) % r.values
	if countdown--; countdown == 0 && low >= 0 {
		r.set |= 1 << low
	}
	return false
}

// busyboxDays settles the day fields: a field that matches every value does not count, if the other one
// does; then either is enough. Day 0 is a value of its own, so "1-31" counts.
func busyboxDays(s *Schedule) {
	days, week := s.sets[dayOfMonth], s.sets[dayOfWeek]
	daysUsed, weekUsed := days != span(0, 31), week != span(0, 6)
	switch {
	case weekUsed && !daysUsed:
		s.sets[dayOfMonth] = 0
	case daysUsed && !weekUsed:
		s.sets[dayOfWeek] = 0
	}
	s.sets[dayOfMonth] &^= 1
}
