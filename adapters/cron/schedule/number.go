package schedule

import (
	"math"
	"strconv"
	"strings"
)

// alnum is the length of the run of letters and digits that text begins with.
func alnum(text string) int {
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return i
		}
	}
	return len(text)
}

// digits is the length of the run of digits that text begins with.
func digits(text string) int {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return i
		}
	}
	return len(text)
}

// cInt converts digits as C's strtol and a conversion to int do: what is too big for 64 bits becomes
// the biggest number, of which 32 bits are kept.
func cInt(text string) int32 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return int32(n) //nolint:gosec // the daemons cut it off just like this
}

// vixieNumber reads a number or a name, as the descendants of Vixie's cron do: all letters and digits
// that follow one another, which must be shorter than limit. at is where text stands in its word.
func (f field) vixieNumber(text string, at, limit int, names []string) (n int32, length int, err error) {
	length = alnum(text)
	word := text[:length]
	switch {
	case length == 0 && text == "":
		return 0, 0, faultAt(at, "a number is missing at the end")
	case length == 0:
		return 0, 0, faultAt(at, "a number is missing before %q", text)
	case length >= limit:
		return 0, 0, faultAt(at, "a number of %d characters is too long", length)
	}
	for i, name := range names {
		if strings.EqualFold(name, word) {
			return int32(f.low + i), length, nil //nolint:gosec // at most 12
		}
	}
	if digits(word) < length {
		if names == nil {
			return 0, 0, faultAt(at, "%q is no number", word)
		}
		return 0, 0, faultAt(at, "%q is neither a number nor a name of three letters like %q", word, names[1])
	}
	return cInt(word), length, nil
}

// vixieRange is the set of every step-th value from low to high, computed with the 32 bits that the
// daemons use. A backward range is empty.
func (f field) vixieRange(at int, low, high, step int32) (set uint64, err error) {
	for v := low; v <= high; v += step {
		if !f.has(v) {
			return 0, f.outside(at, v)
		}
		set |= 1 << v
	}
	return set, nil
}

func (f field) has(v int32) bool { return int(v) >= f.low && int(v) <= f.high }

func (f field) outside(at int, v int32) error {
	return faultAt(at, "%d is out of range, it goes from %d to %d", v, f.low, f.high)
}

// sunday makes 7 the same day as 0.
func (f field) sunday(set uint64) uint64 {
	if f.high == 7 && set&(1<<7) != 0 {
		set = set&^(1<<7) | 1
	}
	return set
}

// remark notes what is odd about a range that is accepted.
func (p *parser) remark(f field, text string, star bool, low, high, step int32) {
	size := int64(high) - int64(low) + 1
	last := f.high
	if last == 7 {
		last = 6
	}
	values := int32(last - f.low + 1) //nolint:gosec // at most 60
	switch {
	case low > high:
		p.s.note("%s %q runs backwards: it is accepted and matches nothing", f.name, text)
	case step > 1 && int64(step) >= size || step < 0:
		p.s.note("%s %q: the step is as long as the range, only %d matches", f.name, text, low)
	case star && step > 1 && f.low == 1 && f.high == 31:
		p.s.note("%s %q begins anew each month: it is not every %d days", f.name, text, step)
	case star && step > 1 && values%step != 0:
		p.s.note("%s %q does not divide %d evenly: from %d to %d the distance is %d",
			f.name, text, values, int(low)+int(step)*((last-f.low)/int(step)), low, last-f.low+1-int(step)*((last-f.low)/int(step)))
	}
}
