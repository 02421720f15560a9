package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Warnings lists what is accepted and yet probably not what was meant, and what will go wrong at the
// clock changes of the zone in the year after a time: runs that are lost, doubled, or late.
func (s *Schedule) Warnings(zone *time.Location, at time.Time) []string {
	list := slices.Clone(s.notes)
	if s.reboot {
		return list
	}
	if s.macro == "" {
		list = append(list, s.dayWarnings()...)
	}
	if s.never() {
		return append(list, "it never fires: "+s.whyNever())
	}
	if next, ok := s.Next(at, zone); !ok {
		list = append(list, fmt.Sprintf("it does not fire within %d years", years))
	} else if next.Sub(at) > 366*24*time.Hour {
		list = append(list, "it does not fire within a year: the next time is on "+next.Format(time.DateOnly))
	}
	return append(list, s.changeWarnings(zone, at)...)
}

// dayWarnings is about how the two day fields work together.
func (s *Schedule) dayWarnings() []string {
	dom, dow := s.words[dayOfMonth], s.words[dayOfWeek]
	if dom == "*" || dow == "*" || s.drawn != nil {
		return nil
	}
	everyDay := s.sets[dayOfMonth] == all(dayOfMonth) || s.sets[dayOfWeek] == all(dayOfWeek)
	if everyDay && s.both || s.sets[dayOfMonth] == 0 || s.sets[dayOfWeek] == 0 {
		return nil
	}
	either := fmt.Sprintf("day of month %q and day of week %q: either is enough", dom, dow)
	both := fmt.Sprintf("day of month %q and day of week %q: both must match", dom, dow)
	switch {
	case s.dialect == SystemdCron:
		return []string{both + " with systemd-cron; most other daemons would run it on either"}
	case s.dialect == BusyBox && !s.both && (starred(dom) || starred(dow)):
		return []string{either + " with BusyBox; other daemons want both, because of the star"}
	case s.both:
		return []string{both + ", because one of the fields begins with a star"}
	case everyDay:
		return []string{either + ", and one of them matches every day: it runs on every day"}
	}
	return []string{either + "; for both to count, one of the fields must begin with a star"}
}

// change is a change of a zone's offset.
type change struct {
	at            time.Time
	before, after period
}

// minutes is by how much the wall clock is set, forward if positive.
func (c change) minutes() wall { return wall((c.after.offset - c.before.offset) / 60) }

// span is the part of the wall clock that does not exist, or exists twice.
func (c change) span() (from, until wall) {
	from, until = wallOf(c.at.Unix(), c.before.offset), wallOf(c.at.Unix(), c.after.offset)
	return min(from, until), max(from, until)
}

func (c change) String() string {
	from, until := c.span()
	if c.minutes() < 0 {
		from, until = until, from
	}
	clock := func(w wall) string { return strings.Fields(w.String())[1] }
	return fmt.Sprintf("on %s, when the clock goes from %s to %s", c.at.Format(time.DateOnly), clock(from), clock(until))
}

// changes finds the changes of a zone's offset in the year after a time.
func changes(zone *time.Location, at time.Time) []change {
	z := zones{zone: zone}
	var list []change
	p := z.at(at.Unix())
	for p.end < at.AddDate(1, 0, 0).Unix() {
		c := change{at: time.Unix(p.end, 0).In(zone), before: p, after: z.at(p.end)}
		if c.minutes() != 0 {
			list = append(list, c)
		}
		p = c.after
	}
	return list
}

// changeWarnings is about the clock changes of the year.
func (s *Schedule) changeWarnings(zone *time.Location, at time.Time) []string {
	var list []string
	add := func(text string) {
		if text != "" {
			list = append(list, text)
		}
	}
	if s.tableZone != nil {
		list = append(list, "cronie takes no care of clock changes in the zone of CRON_TZ: what is jumped over is lost, what is repeated runs again")
		for _, c := range changes(s.tableZone, at) {
			add(s.changeWarning(c, s.tableZone))
		}
		return list
	}
	for _, c := range changes(zone, at) {
		if s.dialect == Cronie && c.before.summer == c.after.summer {
			list = append(list, fmt.Sprintf("%s: summer time neither begins nor ends, so cronie does not notice: until it is started again, all runs are %d minutes off",
				c, max(c.minutes(), -c.minutes())))
			continue
		}
		add(s.changeWarning(c, zone))
	}
	return list
}

// changeWarning says what a clock change does to the schedule; nothing if all is as people expect it.
func (s *Schedule) changeWarning(c change, zone *time.Location) string {
	from, until := c.span()
	if s.seek(from, until) == noWall {
		return ""
	}
	everyHour := s.sets[hour] == all(hour)
	jump := time.Duration(c.minutes()) * time.Minute
	if jump > 0 {
		return s.forwardWarning(c, zone, everyHour)
	}
	before, _ := s.count(c.at.Add(jump), c.at, zone)
	after, _ := s.count(c.at, c.at.Add(-jump), zone)
	switch {
	case before == 1 && after == 1 && !everyHour:
		return fmt.Sprintf("%s: it runs twice", c)
	case before > 0 && after > 0 && !everyHour:
		return fmt.Sprintf("%s: it runs %d times, and then %d times again", c, before, after)
	case before > 0 && after == 0 && everyHour:
		return fmt.Sprintf("%s: it does not run while that time passes again", c)
	}
	return ""
}

func (s *Schedule) forwardWarning(c change, zone *time.Location, everyHour bool) string {
	from, until := c.span()
	lost := 0
	first := s.seek(from, until)
	for w := first; w != noWall; w = s.seek(w+1, until) {
		lost++
	}
	runs := "the run of " + first.String()[len("2006-01-02 "):]
	if lost > 1 {
		runs = fmt.Sprintf("the %d runs that are due in between", lost)
	}
	_, madeUp := s.count(c.at, c.at.Add(3*time.Hour), zone)
	switch {
	case madeUp > 0 && everyHour:
		return fmt.Sprintf("%s: %s is made up for, besides the one that is due then", c, runs)
	case madeUp > 0 && lost == 1:
		return fmt.Sprintf("%s: %s starts when it is %s", c, runs, c.at.Format("15:04"))
	case madeUp > 0:
		return fmt.Sprintf("%s: %s start one after another from %s on", c, runs, c.at.Format("15:04"))
	case everyHour:
		return ""
	case lost > 1:
		return fmt.Sprintf("%s: %s are lost", c, runs)
	}
	return fmt.Sprintf("%s: %s is lost", c, runs)
}

// count counts the runs between two times, and those among them that are made up for.
func (s *Schedule) count(from, until time.Time, zone *time.Location) (n, madeUp int) {
	if s.tableZone != nil {
		zone = time.UTC
	}
	for f := range s.Fires(from, until, zone) {
		n++
		if f.MadeUp != "" {
			madeUp++
		}
	}
	return n, madeUp
}
