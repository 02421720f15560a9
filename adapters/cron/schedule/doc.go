// Package schedule tells when a line of a crontab fires. It reads an expression as the daemon of a
// dialect reads it, with that daemon's leniencies and mistakes, and follows the daemon's loop over the
// minutes, so that it knows what runs when clocks change: what is made up for, lost, or run twice.
//
// It is pure: it reads no clock and does no I/O. Times are to the minute, because cron knows nothing
// finer. A [Schedule] does not change; it may be used from several goroutines at once.
//
// The daemons followed are Debian's cron 3.0pl1 (Debian 12), cronie 1.7, systemd-cron 1.15 (which makes
// timers of systemd of the lines), and BusyBox crond 1.3x.
package schedule

import (
	"fmt"
	"strings"
)

// Dialect is the daemon whose reading of a crontab counts.
type Dialect string

// The dialects.
const (
	Debian      Dialect = "debian"
	Cronie      Dialect = "cronie"
	SystemdCron Dialect = "systemd-cron"
	BusyBox     Dialect = "busybox"
)

// Dialects lists all dialects.
func Dialects() []Dialect { return []Dialect{Debian, Cronie, SystemdCron, BusyBox} }

// ParseDialect finds a dialect by its name.
func ParseDialect(name string) (Dialect, error) {
	var names []string
	for _, d := range Dialects() {
		if string(d) == name {
			return d, nil
		}
		names = append(names, string(d))
	}
	return "", fmt.Errorf("dialect %q: want one of %s", name, strings.Join(names, ", "))
}

// vixie tells whether the daemon descends from Vixie's cron and has its loop.
func (d Dialect) vixie() bool { return d == Debian || d == Cronie }

// daemon names the dialect's daemon in a sentence.
func (d Dialect) daemon() string {
	switch d {
	case Debian:
		return "Debian's cron"
	case Cronie:
		return "cronie"
	case SystemdCron:
		return "systemd-cron"
	case BusyBox:
		return "BusyBox crond"
	}
	return string(d)
}
