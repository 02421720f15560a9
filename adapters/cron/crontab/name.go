package crontab

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Sum is what the POSIX command cksum prints for a text: its CRC and its length.
type Sum struct {
	CRC    uint32
	Length int
}

// String gives "crc.length", the form in which the host's programs write it.
func (s Sum) String() string {
	return strconv.FormatUint(uint64(s.CRC), 10) + "." + strconv.Itoa(s.Length)
}

// ParseSum reads what String wrote.
func ParseSum(text string) (Sum, bool) {
	crc, length, ok := strings.Cut(text, ".")
	c, err := strconv.ParseUint(crc, 10, 32)
	n, err2 := strconv.Atoi(length)
	if !ok || err != nil || err2 != nil || n < 0 {
		return Sum{}, false
	}
	return Sum{CRC: uint32(c), Length: n}, true
}

// Checksum computes the POSIX cksum of a text.
func Checksum(text string) Sum {
	var crc uint32
	step := func(b byte) {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04C11DB7
			} else {
				crc <<= 1
			}
		}
	}
	for i := range len(text) {
		step(text[i])
	}
	for n := len(text); n > 0; n >>= 8 {
		step(byte(n))
	}
	return Sum{CRC: ^crc, Length: len(text)}
}

// plainKey is the key of a job that has no name. It is made of the command alone, so that an edited
// schedule stays the same job, and the wrapper's record of a run gives it without the table.
func plainKey(s Sum) string { return fmt.Sprintf("cmd-%08x", s.CRC) }

// nameEntries gives each entry its key: its name, else one made of its command. Of entries that would
// have the same key the second one is KEY~2, and so on in the order of the lines.
func (t *Table) nameEntries() {
	taken := map[string]bool{}
	for i := range t.Entries {
		e := &t.Entries[i]
		base := e.Name
		if base == "" {
			base = plainKey(e.Sum)
		}
		e.Key = base
		for n := 2; taken[e.Key]; n++ {
			e.Key = fmt.Sprintf("%s~%d", base, n)
		}
		taken[e.Key] = true
		if e.Key != base {
			e.Warnings = append(e.Warnings, t.twin(e))
		}
	}
}

// twin says how runs of entries with the same key are told apart.
func (t *Table) twin(e *Entry) string {
	for i := range t.Entries {
		o := &t.Entries[i]
		if o.Line < e.Line && o.Sum == e.Sum && o.Name == e.Name {
			return fmt.Sprintf("same command as line %d: their runs are told apart only by the minute in which they start; "+
				"put a line SB_JOB=name before each", o.Line)
		}
	}
	return "another line has the same name; give each its own"
}

// Entry gives the entry with a key.
func (t *Table) Entry(key string) (*Entry, bool) {
	for i := range t.Entries {
		if t.Entries[i].Key == key {
			return &t.Entries[i], true
		}
	}
	return nil, false
}

// KeyOf tells which job a run belongs to that cron started through the wrapper: by the name that the
// wrapper saw (SB_JOB), the sum of the command, and, where several entries have both in common, the
// minute in which it started, in the zone of the daemon. A run whose line is gone keeps a key that is
// made of what the wrapper saw.
func (t *Table) KeyOf(name string, sum Sum, started time.Time) string {
	name = cleanName(name)
	var same []*Entry
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Sum == sum && ((e.tagged && e.Name == name) || (!e.tagged && name == "")) {
			same = append(same, e)
		}
	}
	switch {
	case len(same) == 0 && name != "":
		return name
	case len(same) == 0:
		return plainKey(sum)
	}
	// A daemon under load may be late by seconds, which can be the next minute.
	for _, late := range []time.Duration{0, time.Minute} {
		for _, e := range same {
			if len(same) > 1 && !e.Held && e.Schedule.Matches(started.Add(-late)) {
				return e.Key
			}
		}
	}
	return same[0].Key
}
