package cronhost

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of Debian's cron.
const (
	maxLines   = 10000
	maxCommand = 998 // bytes
)

// table is a crontab as the daemon understands it.
type table struct {
	entries []entry
}

// entry is one job line with what was in effect where it stood.
type entry struct {
	line    int // 1-based
	when    schedule
	reboot  bool
	command string   // what the shell gets
	stdin   string   // what follows the first %
	env     []string // NAME=value of the environment lines above, later ones win
}

// syntaxError says why Debian's crontab refuses a table, in its own words and counting: lines from 0,
// one more if the line feed was read before the error was noticed.
type syntaxError struct {
	line int
	what string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%d: %s", e.line, e.what) }

// tableError is a fault of the table as a whole.
type tableError string

func (e tableError) Error() string { return string(e) }

// The faults of a whole table, in the words of Debian's crontab.
const (
	errNoNewline tableError = "new crontab file is missing newline before EOF, can't install."
	errTooLong   tableError = "crontab is too long; maximum number of lines is 10000."
)

// parseTable reads a crontab as Debian's cron does: one fault and the whole table counts for nothing.
// The error is a *syntaxError or a tableError.
func parseTable(text string) (*table, error) {
	t := &table{}
	var env []string
	lines := strings.SplitAfter(text, "\n")
	if strings.Count(text, "\n") > maxLines {
		return nil, errTooLong
	}
	for i, raw := range lines {
		line, ended := strings.CutSuffix(raw, "\n")
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		if !ended {
			return nil, errNoNewline
		}
		if name, value, ok := parseEnv(line); ok {
			env = append(slices.Clip(env), name+"="+value)
			continue
		}
		e, err := parseEntry(line)
		if err != nil {
			err.line += i
			return nil, err
		}
		e.line, e.env = i+1, env
		t.entries = append(t.entries, e)
	}
	return t, nil
}

// parseEnv reads NAME=value: either side may stand in quotes, an unquoted value is trimmed, must not be
// empty, and nothing is expanded.
func parseEnv(line string) (name, value string, ok bool) {
	rest := line
	if q := rest[0]; q == '"' || q == '\'' {
		name, rest, ok = strings.Cut(rest[1:], string(q))
		if !ok || strings.Contains(name, "=") {
			return "", "", false
		}
	} else {
		end := strings.IndexAny(rest, " \t\r\v\f=")
		if end < 0 {
			return "", "", false
		}
		name, rest = rest[:end], rest[end:]
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t\r\v\f"), "=")
	rest = strings.TrimLeft(rest, " \t\r\v\f")
	if !ok || rest == "" {
		return "", "", false
	}
	if q := rest[0]; q == '"' || q == '\'' {
		value, rest, ok = strings.Cut(rest[1:], string(q))
		return name, value, ok && strings.TrimRight(rest, " \t\r\v\f") == ""
	}
	return name, strings.TrimRight(rest, " \t\r\v\f"), true
}

// parseEntry reads a job line without its line feed.
func parseEntry(line string) (entry, *syntaxError) {
	c := newCursor(line)
	var e entry
	var fault string
	if c.ch == '@' {
		fault = e.macro(c)
	} else {
		fault = e.fields(c)
	}
	if fault == "" && c.ch == '*' {
		fault = "bad command"
	}
	if fault == "" && len(line)-c.pos > maxCommand {
		c.pos = len(line)
		fault = "command too long"
	}
	if fault != "" {
		return e, &syntaxError{line: c.newlines(), what: fault}
	}
	if c.pos < len(line) {
		e.command, e.stdin = splitPercent(line[c.pos:])
	}
	return e, nil
}

// splitPercent cuts a command at its first unescaped % and makes the rest its standard input, further
// ones line feeds, with one line feed at the end.
func splitPercent(text string) (command, stdin string) {
	command, rest, found := unescape(text)
	if !found {
		return command, ""
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && i+1 < len(rest) && rest[i+1] == '%':
			i++
			b.WriteByte('%')
		case rest[i] == '%':
			b.WriteByte('\n')
		default:
			b.WriteByte(rest[i])
		}
	}
	stdin = b.String()
	if stdin != "" && !strings.HasSuffix(stdin, "\n") {
		stdin += "\n"
	}
	return command, stdin
}

// unescape resolves \% and \\ up to the first bare %.
func unescape(text string) (command, rest string, found bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '%' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		case text[i] == '%':
			return b.String(), text[i+1:], true
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), "", false
}
