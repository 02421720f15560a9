package schedule

import (
	"slices"
	"strconv"
	"strings"
)

// systemdMacro finds the short form that systemd-cron takes a word for. It adds its own to meanings.
func systemdMacro(word string, meanings map[string]string) string {
	meanings["@minutely"] = "* * * * *"
	meanings["@quarterly"] = "0 0 1 1,4,7,10 *"
	meanings["@semi-annually"] = "0 0 1 1,7 *"
	meanings["@weekly"] = "0 0 * * 1"
	name := "@" + strings.ToLower(strings.TrimLeft(word, "@"))
	switch name {
	case "@semiannually", "@biannually", "@bi-annually":
		return "@semi-annually"
	case "@anually":
		return "@yearly"
	}
	if days, ok := pyInt(name[1:]); ok && days >= 1 && days <= 30 {
		meanings[name] = "0 0 1-31/" + strconv.Itoa(days) + " * *"
	}
	return name
}

// systemdField reads a field as the generator of systemd-cron does, which selects from a list of values
// by slices of Python.
func (p *parser) systemdField(f field, word string) (set uint64, err error) {
	if f.high == 7 {
		f.high = 6
	}
	at, before := 0, len(p.s.notes)
	for part := range strings.SplitSeq(word, ",") {
		if word == "*" {
			set = span(f.low, f.high)
			break
		}
		bits, err := p.systemdRange(f, part, at)
		if err != nil {
			if f.high != 6 {
				return 0, err
			}
			set = 0
			break
		}
		set |= bits
		at += len(part) + 1
	}
	if set != 0 {
		return set, nil
	}
	if f.high != 6 {
		return 0, faultAt(0, "%q selects nothing: no timer is made", word)
	}
	p.s.notes = p.s.notes[:before]
	p.s.note("%s %q is garbled by systemd-cron: the timer has no weekday, it fires on every one", f.name, word)
	return span(f.low, f.high), nil
}

// systemdRange reads one part of a list: "*", "N" or "N-M", each perhaps with a step. at is where it
// stands in its word.
func (p *parser) systemdRange(f field, text string, at int) (uint64, error) {
	bounds, step := text, 1
	if parts := strings.Split(text, "/"); len(parts) == 2 {
		n, ok := pyInt(parts[1])
		if !ok || n == 0 {
			return 0, faultAt(at+len(parts[0])+1, "%q is no step", parts[1])
		}
		bounds, step = parts[0], n
	}
	values := f.high - f.low + 1
	if bounds == "*" {
		if step < 0 {
			return f.slice(values-1, -values-1, step), nil
		}
		p.remark(f, text, true, int32(f.low), int32(f.high), int32(min(step, 1000))) //nolint:gosec // at most 1000
		return f.slice(0, values, step), nil
	}
	from, to := bounds, bounds
	if parts := strings.Split(bounds, "-"); len(parts) == 2 {
		from, to = parts[0], parts[1]
	}
	low, ok1 := f.systemdNumber(from)
	high, ok2 := f.systemdNumber(to)
	if !ok1 || !ok2 {
		return 0, faultAt(at, "it cannot read %q", bounds)
	}
	set := f.slice(low-f.low, high-f.low+1, step)
	switch {
	case set == 0:
		p.s.note("%s %q selects nothing", f.name, text)
	case step != 1 && from == to:
		p.s.note("%s %q: a step without a range has no effect", f.name, text)
	}
	for _, name := range []string{from, to} {
		if i := slices.Index(f.names, strings.ToLower(name[:min(3, len(name))])); f.low == 1 && i > 9 {
			p.s.note("%s %q: systemd-cron forgets October and takes %s for the month before", f.name, text, name)
			break
		}
	}
	return set, nil
}

// systemdNumber reads a number or a name. Of a name the first three letters count.
func (f field) systemdNumber(text string) (int, bool) {
	name := strings.ToLower(text[:min(3, len(text))])
	switch {
	case f.low == 1 && f.names != nil: // months: numbers first, and the list of names lacks October
		if n, ok := pyInt(text); ok {
			return n, true
		}
		known := slices.DeleteFunc(slices.Clone(f.names), func(s string) bool { return s == "oct" })
		i := slices.Index(known, name)
		return i + 1, i >= 0
	case f.names != nil:
		if i := slices.Index(f.names, name); i >= 0 {
			return i, true
		}
		n, ok := pyInt(text)
		return ((n % 7) + 7) % 7, ok
	}
	return pyInt(text)
}

// slice selects values of the field as Python's values[start:stop:step] does: a negative index counts
// from the end, and what is out of range selects nothing.
func (f field) slice(start, stop, step int) (set uint64) {
	n := f.high - f.low + 1
	low, high := 0, n
	if step < 0 {
		low, high = -1, n-1
	}
	index := func(i int) int {
		if i < 0 {
			i += n
		}
		return max(low, min(high, i))
	}
	start, stop = index(start), index(stop)
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		set |= 1 << (f.low + i)
	}
	return set
}

// pyInt converts what Python's int() takes for a number in ASCII.
func pyInt(text string) (int, bool) {
	body := strings.TrimLeft(text, "+-")
	if len(text)-len(body) > 1 || body == "" || strings.HasPrefix(body, "_") || strings.HasSuffix(body, "_") || strings.Contains(body, "__") {
		return 0, false
	}
	plain := strings.ReplaceAll(body, "_", "")
	if digits(plain) < len(plain) {
		return 0, false
	}
	n, err := strconv.Atoi(plain)
	if err != nil || n > 1<<40 {
		n = 1 << 40 // it selects nothing, as any number that is too big
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}
