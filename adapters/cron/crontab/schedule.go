package crontab

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Schedule is when an entry fires, as written and as read. Times when clocks change are not its
// concern: it only tells whether a minute of the wall clock matches.
type Schedule struct {
	Text     string   // as written, blanks made single
	Reboot   bool     // at the start of the daemon after a boot, never at a minute
	Warnings []string // what is accepted and yet probably not meant

	sets [5]uint64
	star bool // one of the day fields begins with a star: both must match, else either does
}

// macros are the short forms, by what they mean.
func macros() map[string]string {
	return map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
		"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	}
}

// parseSchedule takes the schedule from the beginning of a line and gives what stands behind it.
func parseSchedule(line string, d Dialect) (s Schedule, rest string, err error) {
	if strings.HasPrefix(line, "@") {
		word, rest := cutField(line)
		if word == "@reboot" {
			return Schedule{Text: word, Reboot: true}, rest, nil
		}
		meaning, ok := macros()[word]
		if !ok {
			return Schedule{}, "", fmt.Errorf("%s is no short form that cron knows", word)
		}
		s, _, err = parseSchedule(meaning, d)
		s.Text = word
		return s, rest, err
	}
	var words []string
	rest = strings.TrimLeft(line, " \t")
	for range 5 {
		var word string
		word, rest = cutField(rest)
		if word == "" {
			return Schedule{}, "", fmt.Errorf("a schedule has five fields, there are %d", len(words))
		}
		words = append(words, word)
	}
	s.Text = strings.Join(words, " ")
	for i, f := range fields() {
		set, warn, err := f.parse(words[i], d)
		if err != nil {
			return Schedule{}, "", err
		}
		if warn != "" {
			s.Warnings = append(s.Warnings, warn)
		}
		s.sets[i] = set
	}
	if strings.HasPrefix(rest, "*") {
		return Schedule{}, "", errors.New("the command begins with a star: there is a field too many")
	}
	s.star = strings.HasPrefix(words[dayOfMonth], "*") || strings.HasPrefix(words[dayOfWeek], "*")
	return s, rest, nil
}

// Matches tells whether the schedule fires in the minute of the wall clock that t shows.
func (s *Schedule) Matches(t time.Time) bool {
	if s.Reboot {
		return false
	}
	has := func(i, v int) bool { return s.sets[i]&(1<<v) != 0 }
	if !has(minute, t.Minute()) || !has(hour, t.Hour()) || !has(month, int(t.Month())) {
		return false
	}
	dom, dow := has(dayOfMonth, t.Day()), has(dayOfWeek, int(t.Weekday()))
	if s.star {
		return dom && dow
	}
	return dom || dow
}

// cutField takes the first word, and the blanks behind it, from a line.
func cutField(line string) (word, rest string) {
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], " \t")
}
