package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"signalbox/adapters/job"
)

// table prints aligned columns.
type table struct {
	w      *tabwriter.Writer
	indent string
}

func (a *app) table(indent string) *table {
	return &table{w: tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0), indent: indent}
}

// row adds one line. Control characters of foreign text are shown, not obeyed.
func (t *table) row(cells ...string) {
	for i, c := range cells {
		if c == "" {
			c = "-"
		}
		cells[i] = plain(c)
	}
	fmt.Fprintln(t.w, t.indent+strings.Join(cells, "\t"))
}

func (t *table) flush() { _ = t.w.Flush() }

// plain makes foreign text safe for a terminal: one line, no escape sequences.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '·'
		}
		return r
	}, s)
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// clock prints a time in UTC, to the second.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func (a *app) jobRows(indent string, jobs []job.Job) {
	t := a.table(indent)
	t.row("JOB", "NATIVE CLOCK", "SCHEDULE", "ENDS", "COMMAND")
	for i := range jobs {
		j := &jobs[i]
		clock, ends := "off", "unknown"
		if j.Enabled {
			clock = "on"
		}
		if j.Wrapped {
			ends = "known"
		}
		t.row(j.Ref.String(), clock, j.Schedule, ends, j.Command)
		for _, p := range j.Problems {
			t.row("  ! " + p)
		}
	}
	t.flush()
}

func (a *app) runRows(indent string, runs []job.Run) {
	t := a.table(indent)
	t.row("RUN", "STATE", "STARTED", "ENDED", "END", "CAUSE")
	for i := range runs {
		r := &runs[i]
		state := string(r.State())
		if r.Latest.Attempt > 1 {
			state += fmt.Sprintf(" (attempt %d)", r.Latest.Attempt)
		}
		if r.State() == job.Unknown && r.Latest.Reason != job.None {
			state += ": " + strings.ReplaceAll(string(r.Latest.Reason), "_", " ")
		}
		t.row(r.Key.String(), state, clock(r.Started.At), clock(r.Latest.Ended.At), r.Latest.End.String(), string(r.Cause))
	}
	t.flush()
}
