package crontab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Dialect is the family of the daemon that reads the table.
type Dialect string

// The dialects. What is not known is read like Debian's, which is the strictest about whole tables.
const (
	Unknown     Dialect = ""
	Debian      Dialect = "debian"
	Cronie      Dialect = "cronie"
	BusyBox     Dialect = "busybox"
	SystemdCron Dialect = "systemd-cron"
)

// Limits of Debian's daemon, behind which it ignores the whole table.
const (
	maxCommand = 998
	maxLines   = 10_000
)

// Table is a crontab, read.
type Table struct {
	Text    string
	Dialect Dialect
	Entries []Entry // in the order of their lines, held ones too
	Faults  []Fault // what the daemon does not accept
	Wrapped bool    // it holds our block
}

// Fault is something in the table that the daemon does not accept.
type Fault struct {
	Line int // from 1; 0 = the table as a whole
	What string
	Fix  string
}

// Var is a setting of the environment.
type Var struct{ Name, Value string }

// Entry is one scheduled command.
type Entry struct {
	Line     int      // from 1
	Key      string   // identifies the job, its name or made of its command, see README
	Name     string   // from an SB_JOB= line in effect, else from a comment "# Name: X" above it; may be empty
	Schedule Schedule //
	Text     string   // what the shell gets
	Input    string   // what the job gets as input
	HasInput bool     // the command has a %
	Env      []Var    // settings in effect, each name once, in the order of first appearance
	Sum      Sum      // of Text
	Held     bool     // taken out by [Table.Hold]
	Warnings []string // what is accepted and yet probably not meant

	tagged bool // Name comes from SB_JOB, which the wrapper sees too
}

// Lookup gives the value of a setting in effect for the entry.
func (e *Entry) Lookup(name string) (string, bool) {
	for _, v := range e.Env {
		if v.Name == name {
			return v.Value, true
		}
	}
	return "", false
}

// Shell is the shell that runs the entry's command: cron's own choice, or the one that our block
// replaced.
func (e *Entry) Shell() string {
	shell, ok := e.Lookup("SHELL")
	if ok && !isWrapper(shell) {
		return shell
	}
	if kept, set := e.Lookup(keptShell); set {
		return kept
	}
	return "/bin/sh"
}

// Wrapped tells whether cron starts the entry through our wrapper.
func (e *Entry) Wrapped() bool {
	shell, _ := e.Lookup("SHELL")
	return isWrapper(shell)
}

// heldMark stands before a line that was taken out of effect.
const heldMark = "#signalbox-held# "

// Parse reads a table. It never fails: what cannot be read is in Faults.
func Parse(text string, d Dialect) *Table {
	t := &Table{Text: text, Dialect: d}
	r := reader{table: t}
	lines := splitLines(text)
	for i, line := range lines {
		r.no = i + 1
		r.line(line)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Faults = append(t.Faults, Fault{
			Line: len(lines), What: "the last line has no line feed at its end" + t.ruin("drops that line"), Fix: "add an empty line at the end: crontab -e",
		})
	}
	if len(lines) > maxLines && t.strict() {
		t.Faults = append(t.Faults, Fault{What: fmt.Sprintf("more than %d lines%s", maxLines, t.ruin("")), Fix: "split the table"})
	}
	t.nameEntries()
	return t
}

// strict tells whether one bad line costs the whole table.
func (t *Table) strict() bool { return t.Dialect == Debian || t.Dialect == Unknown }

// ruin says what a fault costs.
func (t *Table) ruin(otherwise string) string {
	switch {
	case t.strict():
		return "; Debian's cron ignores the WHOLE table because of it"
	case otherwise != "":
		return "; cron " + otherwise
	}
	return ""
}

// reader goes through the lines of a table.
type reader struct {
	table *Table
	no    int
	env   []Var
	name  string // from a comment, for the next entry
}

func (r *reader) line(raw string) {
	line := strings.TrimLeft(raw, " \t")
	switch {
	case line == "":
		r.name = ""
		return
	case strings.HasPrefix(line, heldMark):
		if e, err := r.entry(strings.TrimLeft(line[len(heldMark):], " \t")); err == nil {
			e.Held = true
			r.table.Entries = append(r.table.Entries, e)
			r.name = ""
		} else {
			r.fault(fmt.Sprintf("a held line that is no schedule any more: %v", err), "", "restore it by hand: remove the mark and repair the line")
		}
		return
	case line[0] == '#':
		if strings.HasPrefix(line, blockBegin) {
			r.table.Wrapped = true
		}
		if name, ok := nameComment(line); ok {
			r.name = name
		}
		return
	}
	if name, value, ok := parseEnv(line, r.table.Dialect); ok {
		r.set(name, value)
		return
	}
	e, err := r.entry(line)
	if err != nil {
		r.fault(err.Error(), r.table.ruin("ignores the line"), "correct the line: crontab -e")
		r.name = ""
		return
	}
	r.table.Entries = append(r.table.Entries, e)
	r.name = ""
}

func (r *reader) fault(what, cost, fix string) {
	r.table.Faults = append(r.table.Faults, Fault{Line: r.no, What: what + cost, Fix: fix})
}

// set applies a setting to the lines that follow. The slice is copied: entries before keep theirs.
func (r *reader) set(name, value string) {
	r.env = slices.Clone(r.env)
	for i := range r.env {
		if r.env[i].Name == name {
			r.env[i].Value = value
			return
		}
	}
	r.env = append(r.env, Var{name, value})
}

var errNotAnEntry = errors.New("neither a setting (NAME=value) nor a schedule")

func (r *reader) entry(line string) (Entry, error) {
	d := r.table.Dialect
	if first := line[:min(1, len(line))]; first == "" || !strings.Contains("0123456789*@", first) {
		if _, _, _, _, err := fields()[minute].span(line, d); err != nil {
			return Entry{}, r.strange(line)
		}
	}
	schedule, command, err := parseSchedule(line, d)
	if err != nil {
		return Entry{}, err
	}
	if len(command) > maxCommand && r.table.strict() {
		return Entry{}, fmt.Errorf("the command has %d bytes, more than %d", len(command), maxCommand)
	}
	e := Entry{Line: r.no, Schedule: schedule, Env: r.env, Warnings: schedule.Warnings, Name: r.name}
	e.Text, e.Input, e.HasInput = splitCommand(command, d)
	e.Sum = Checksum(e.Text)
	if tag, ok := e.Lookup("SB_JOB"); ok {
		if tag = cleanName(tag); tag != "" {
			e.Name, e.tagged = tag, true
		}
	}
	e.Warnings = append(slices.Clip(e.Warnings), commandWarnings(command, &e)...)
	return e, nil
}

// strange explains a line that is nothing, for the mistakes that people make.
func (r *reader) strange(line string) error {
	name, value, ok := strings.Cut(line, "=")
	switch {
	case ok && strings.TrimSpace(value) == "" && !strings.ContainsAny(strings.TrimSpace(name), " \t"):
		return fmt.Errorf(`%s has no value: write %s=""`, strings.TrimSpace(line), strings.TrimSpace(name))
	case strings.HasPrefix(line, "export "):
		return errors.New("cron knows no export: write NAME=value alone")
	}
	return errNotAnEntry
}

func commandWarnings(raw string, e *Entry) []string {
	var all []string
	switch {
	case strings.TrimSpace(raw) == "":
		all = append(all, "there is no command: cron runs an empty one")
	case strings.HasSuffix(raw, "\r"):
		all = append(all, "the line ends with a carriage return, which is part of the command")
	}
	if e.HasInput && (strings.Count(e.Text, "'")%2 == 1 || strings.Count(e.Text, `"`)%2 == 1) {
		all = append(all, `a % within quotes ends the command all the same: write \%`)
	}
	return all
}

// nameComment reads "# Name: X".
func nameComment(line string) (string, bool) {
	text := strings.TrimSpace(strings.TrimLeft(line, "#"))
	if len(text) < 5 || !strings.EqualFold(text[:5], "name:") {
		return "", false
	}
	name := cleanName(text[5:])
	return name, name != ""
}

// maxName bounds names in bytes; longer ones are ignored here and in the wrapper.
const maxName = 200

func cleanName(name string) string {
	name = strings.TrimSpace(strings.ToValidUTF8(name, "\uFFFD"))
	if len(name) > maxName {
		return ""
	}
	return name
}

// splitLines gives the lines without their line feeds; a final line feed begins no further line.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
