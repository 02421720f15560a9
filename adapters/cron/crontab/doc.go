// Package crontab reads and edits the text of a user's crontab as the cron daemons read it: lines,
// environment, commands with their input, names of jobs, and the few edits that Signalbox makes, each of
// which can be undone byte for byte. It does no I/O and knows no clock.
//
// The daemons differ, see [Dialect]. What none of them accepts is a fault with line and reason; the
// other lines are still read.
package crontab
