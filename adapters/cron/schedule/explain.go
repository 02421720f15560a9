package schedule

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Explain says in words when the schedule fires, as its daemon reads it.
func (s *Schedule) Explain() string {
	switch {
	case s.reboot:
		return "once after each boot, when the daemon starts; never at a time"
	case s.never():
		return "never: " + s.whyNever()
	}
	text := s.explainTime() + " " + s.explainDays()
	if s.tableZone != nil {
		text += ", by the clock of " + s.tableZone.String()
	}
	return text
}

func (s *Schedule) explainTime() string {
	minutes, hours := s.sets[minute], s.sets[hour]
	everyMinute, everyHour := minutes == all(minute), hours == all(hour)
	f := fields()
	switch {
	case everyMinute && everyHour:
		return "every minute"
	case everyMinute:
		return "every minute of " + plural("hour", hours, f[hour].list(hours))
	case everyHour:
		return "at " + plural("minute", minutes, f[minute].list(minutes)) + " of every hour"
	case bits.OnesCount64(minutes)*bits.OnesCount64(hours) > 6:
		return "at " + plural("minute", minutes, f[minute].list(minutes)) + " of " + plural("hour", hours, f[hour].list(hours))
	}
	var times []string
	for h := range 24 {
		for m := range 60 {
			if hours&(1<<h) != 0 && minutes&(1<<m) != 0 {
				times = append(times, fmt.Sprintf("%02d:%02d", h, m))
			}
		}
	}
	return "at " + join(times, "and")
}

func (s *Schedule) explainDays() string {
	dom, dow := s.sets[dayOfMonth], s.sets[dayOfWeek]
	everyDate, everyWeekday := dom == all(dayOfMonth), dow == all(dayOfWeek)
	dates, weekdays := "day-of-month "+fields()[dayOfMonth].or(dom), fields()[dayOfWeek].or(dow)
	text := ""
	switch {
	case everyDate && everyWeekday, !s.both && (everyDate || everyWeekday):
		text = "on every day"
	case everyDate, !s.both && dom == 0:
		text = "on every " + weekdays
	case everyWeekday, !s.both && dow == 0:
		text = "on every " + dates
	case s.both:
		text = "on every " + dates + " that is a " + weekdays
	default:
		text = "on every " + dates + ", or on " + weekdays
	}
	if months := s.sets[month]; months != all(month) {
		text += " in " + fields()[month].or(months)
	}
	return text
}

// plural is a word for what the set counts, with the list of it.
func plural(word string, set uint64, list string) string {
	if bits.OnesCount64(set) == 1 {
		return word + " " + list
	}
	return "the " + word + "s " + list
}

// runs lists the values of a set, three and more that follow one another as "2-7".
func (f field) runs(set uint64) []string {
	var list []string
	for v := 0; v < 64; v++ {
		if set&(1<<v) == 0 {
			continue
		}
		last := v
		for last < 63 && set&(1<<(last+1)) != 0 {
			last++
		}
		if last >= v+2 {
			list = append(list, f.word(v)+"-"+f.word(last))
			v = last
			continue
		}
		list = append(list, f.word(v))
	}
	return list
}

func (f field) list(set uint64) string { return strings.Join(f.runs(set), ", ") }

func (f field) or(set uint64) string { return join(f.runs(set), "or") }

// word is how people write a value.
func (f field) word(v int) string {
	months := [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	days := [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	switch {
	case f.names == nil:
	case f.low == 1 && v >= 1 && v <= 12:
		return months[v-1]
	case f.low == 0 && v < 7:
		return days[v]
	}
	return strconv.Itoa(v)
}

func join(list []string, word string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " " + word + " " + list[last]
}

// never tells whether there is no date and time at all that matches.
func (s *Schedule) never() bool { return !s.reboot && s.whyNever() != "" }

func (s *Schedule) whyNever() string {
	for _, i := range []int{minute, hour, month} {
		if s.sets[i] == 0 {
			return "the " + fields()[i].name + " matches nothing"
		}
	}
	dom, dow := s.sets[dayOfMonth], s.sets[dayOfWeek]
	switch {
	case s.both && dow == 0:
		return "the day of week matches nothing"
	case dow != 0 && !s.both:
		return ""
	case dom == 0:
		return "the day of month matches nothing"
	}
	longest := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	for m, days := range longest {
		if s.sets[month]&(1<<(m+1)) != 0 && dom&span(1, days) != 0 {
			return ""
		}
	}
	return "no such day in " + fields()[month].or(s.sets[month])
}
