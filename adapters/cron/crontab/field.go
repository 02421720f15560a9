package crontab

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// field is one of the five fields of a schedule.
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

// parse reads the text of a field into a set of values. It follows the daemons' reader character by
// character: Debian stops reading a field at the first character that it has no use for and ignores
// the rest, cronie refuses it. warn says what a person should know of a field that is accepted.
func (f field) parse(text string, d Dialect) (set uint64, warn string, err error) {
	if d == Cronie && strings.Contains(text, "~") {
		for v := f.low; v <= f.high; v++ {
			set |= 1 << v
		}
		return set, fmt.Sprintf("%s %q is drawn by the daemon when it loads the table: nobody outside knows it", f.name, text), nil
	}
	rest := text
	for {
		var low, high, step int
		low, high, step, rest, err = f.span(rest, d)
		if err != nil {
			return 0, "", fmt.Errorf("%s %q: %w", f.name, text, err)
		}
		if low > high {
			warn = fmt.Sprintf("%s %q runs backwards and never matches", f.name, text)
		}
		for v := low; v <= high; v += step {
			if v < f.low || v > f.high {
				return 0, "", fmt.Errorf("%s %d is out of range (%d-%d)", f.name, v, f.low, f.high)
			}
			set |= 1 << v
		}
		if !strings.HasPrefix(rest, ",") {
			break
		}
		rest = rest[1:]
	}
	switch {
	case rest == "":
	case d == Cronie:
		return 0, "", fmt.Errorf("%s %q: cannot read %q", f.name, text, rest)
	default:
		warn = fmt.Sprintf("%s %q: cron ignores %q", f.name, text, rest)
	}
	if f.high == 7 && set&(1|1<<7) != 0 {
		set |= 1 | 1<<7 // both are Sunday
	}
	return set, warn, nil
}

// span reads "*", "N", "N-M", each but the second with a step.
func (f field) span(text string, d Dialect) (low, high, step int, rest string, err error) {
	step = 1
	switch {
	case strings.HasPrefix(text, "*"):
		low, high, rest = f.low, f.high, text[1:]
	default:
		if low, rest, err = f.number(text, f.names); err != nil {
			return 0, 0, 0, "", err
		}
		high = low
		if strings.HasPrefix(rest, "/") {
			return 0, 0, 0, "", errors.New("a step needs a range or a star before it")
		}
		if !strings.HasPrefix(rest, "-") {
			return low, high, step, rest, nil
		}
		if high, rest, err = f.number(rest[1:], f.names); err != nil {
			return 0, 0, 0, "", err
		}
		if d == Cronie && f.high == 7 && high == 0 && low > 0 {
			high = 7 // cronie reads n-sun as n-7
		}
	}
	if strings.HasPrefix(rest, "/") {
		if step, rest, err = f.number(rest[1:], nil); err != nil {
			return 0, 0, 0, "", err
		}
		if step == 0 {
			return 0, 0, 0, "", errors.New("a step of 0")
		}
	}
	return low, high, step, rest, nil
}

// number reads a number, or a name of three letters.
func (f field) number(text string, names []string) (n int, rest string, err error) {
	end := strings.IndexFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end < 0 {
		end = len(text)
	}
	word := text[:end]
	if word == "" {
		return 0, "", errors.New("a number is missing")
	}
	for i, name := range names {
		if strings.EqualFold(name, word) {
			return f.low + i, text[end:], nil
		}
	}
	n, err = strconv.Atoi(word)
	if err != nil || n > 9999 {
		return 0, "", fmt.Errorf("%q is no number%s", word, hint(names))
	}
	return n, text[end:], nil
}

func hint(names []string) string {
	if names == nil {
		return ""
	}
	return fmt.Sprintf(" and no name like %q", names[1])
}
