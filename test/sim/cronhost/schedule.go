package cronhost

import (
	"strconv"
	"strings"
	"time"
)

// schedule is a set of minutes, one bit a value.
type schedule struct {
	minute, hour, dom, month, dow uint64
	dayStar                       bool // a day field began with a star: both must match, else either
}

// matches says whether a job line is due in the minute of t, in t's zone.
func (s *schedule) matches(t time.Time) bool {
	return s.due(t.Minute(), t.Hour(), t.Day(), int(t.Month()), int(t.Weekday()))
}

// due takes the minute apart: month from 1, Sunday is 0.
func (s *schedule) due(minute, hour, day, month, weekday int) bool {
	has := func(bits uint64, value int) bool { return bits>>value&1 == 1 }
	if !has(s.minute, minute) || !has(s.hour, hour) || !has(s.month, month) {
		return false
	}
	dom, dow := has(s.dom, day), has(s.dow, weekday)
	if s.dayStar {
		return dom && dow
	}
	return dom || dow
}

// field is one of the five time fields.
type field struct {
	name      string
	low, high int
	names     string // three letters each, in order from low
}

func (f *field) holds(value int) bool { return value >= f.low && value <= f.high }

const (
	monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"
	dayNames   = "sunmontuewedthufrisat"
)

// fields reads the five time fields and stops at the command. It returns what is wrong in cron's words,
// or nothing.
func (e *entry) fields(c *cursor) string {
	s := &e.when
	for _, f := range []struct {
		field
		bits *uint64
	}{
		{field{name: "minute", high: 59}, &s.minute},
		{field{name: "hour", high: 23}, &s.hour},
		{field{name: "day-of-month", low: 1, high: 31}, &s.dom},
		{field{name: "month", low: 1, high: 12, names: monthNames}, &s.month},
		{field{name: "day-of-week", high: 7, names: dayNames}, &s.dow},
	} {
		if c.ch == '*' && strings.HasPrefix(f.name, "day-") {
			s.dayStar = true
		}
		bits, ok := c.list(&f.field)
		if !ok {
			return "bad " + f.name
		}
		*f.bits = bits
	}
	const sunday = 1<<0 | 1<<7
	if s.dow&sunday != 0 {
		s.dow |= sunday
	}
	return ""
}

// macro reads a word such as @daily and stops at the command.
func (e *entry) macro(c *cursor) string {
	word := c.word()
	fields := map[string]string{
		"@yearly":   "0 0 1 1 *",
		"@annually": "0 0 1 1 *",
		"@monthly":  "0 0 1 * *",
		"@weekly":   "0 0 * * 0",
		"@daily":    "0 0 * * *",
		"@midnight": "0 0 * * *",
		"@hourly":   "0 * * * *",
	}[word]
	if fields == "" && word != "@reboot" {
		return "bad time specifier"
	}
	c.skipBlanks()
	if word == "@reboot" {
		e.reboot = true
		return ""
	}
	return e.fields(newCursor(fields))
}

// cursor reads a job line byte by byte; its end is a line feed.
type cursor struct {
	text string
	pos  int
	ch   byte // text[pos], or a line feed at the end
}

func newCursor(text string) *cursor {
	c := &cursor{text: text, pos: -1}
	c.advance()
	return c
}

func (c *cursor) advance() {
	c.pos++
	c.ch = '\n'
	if c.pos < len(c.text) {
		c.ch = c.text[c.pos]
	}
}

// newlines is 1 if the line feed was read.
func (c *cursor) newlines() int {
	if c.pos >= len(c.text) {
		return 1
	}
	return 0
}

func (c *cursor) skipBlanks() {
	for c.ch == ' ' || c.ch == '\t' {
		c.advance()
	}
}

// word reads up to a blank.
func (c *cursor) word() string {
	start := c.pos
	for c.ch != ' ' && c.ch != '\t' && c.ch != '\n' {
		c.advance()
	}
	return c.text[start:c.pos]
}

// list reads spans with commas between. What follows the last span is skipped unread: cron takes 1;x
// for 1.
func (c *cursor) list(f *field) (bits uint64, ok bool) {
	for {
		span, ok := c.span(f)
		if !ok {
			return 0, false
		}
		bits |= span
		if c.ch != ',' {
			break
		}
		c.advance()
	}
	c.word()
	c.skipBlanks()
	return bits, true
}

// span reads a star, a number or a range, the first and the last with a step or without. A backward
// range holds nothing.
func (c *cursor) span(f *field) (bits uint64, ok bool) {
	low, high, step := f.low, f.high, 1
	if c.ch == '*' {
		c.advance()
	} else {
		if low, ok = c.number(f); !ok || c.ch == '/' {
			return 0, false
		}
		if c.ch != '-' {
			return 1 << uint(low&63), f.holds(low)
		}
		c.advance()
		if high, ok = c.number(f); !ok {
			return 0, false
		}
	}
	if c.ch == '/' {
		c.advance()
		digits := c.alphanumerics()
		var err error
		if step, err = strconv.Atoi(digits); err != nil || step == 0 {
			return 0, false
		}
	}
	if !f.holds(low) || !f.holds(high) {
		return 0, false
	}
	for v := low; v <= high; v += min(step, f.high+1) {
		bits |= 1 << v
	}
	return bits, true
}

// number reads a number or one of f's names.
func (c *cursor) number(f *field) (int, bool) {
	text := strings.ToLower(c.alphanumerics())
	if len(text) == 3 {
		if i := strings.Index(f.names, text); i >= 0 && i%3 == 0 {
			return f.low + i/3, true
		}
	}
	v, err := strconv.Atoi(text)
	return v, err == nil
}

func (c *cursor) alphanumerics() string {
	start := c.pos
	for c.ch >= '0' && c.ch <= '9' || c.ch >= 'a' && c.ch <= 'z' || c.ch >= 'A' && c.ch <= 'Z' {
		c.advance()
	}
	return c.text[start:c.pos]
}
