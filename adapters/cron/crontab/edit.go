package crontab

import (
	"errors"
	"fmt"
	"strings"
)

// The block that makes cron run every job through the wrapper. It is always the first thing in the
// table, so that it holds for every line.
const (
	blockBegin = "# >>> signalbox"
	blockEnd   = "# <<< signalbox"
	keptShell  = "SB_SHELL" // what SHELL= lines of the table are called while the block is there
)

func isWrapper(shell string) bool { return strings.HasSuffix(shell, "/bin/sbsh") }

// Wrap gives the table with the block for a wrapper at this path. A table that has the block already
// is brought up to date. SHELL= lines of the table are renamed to SB_SHELL=, so that the wrapper runs
// the shell that they ask for. [Unwrap] undoes it byte for byte.
func Wrap(text, wrapper string) (string, error) {
	plain, err := Unwrap(text)
	if err != nil {
		return "", err
	}
	if plain != "" && !strings.HasSuffix(plain, "\n") {
		return "", errors.New("the last line has no line feed at its end, so cron does not read the table as it is: correct it first (crontab -e)")
	}
	lines := splitLines(plain)
	for i, line := range lines {
		name, ok := envOf(line)
		switch {
		case ok && name == keptShell:
			return "", fmt.Errorf("line %d sets %s, which is the wrapper's own name", i+1, keptShell)
		case ok && name == "SHELL":
			lines[i] = strings.Replace(line, "SHELL", keptShell, 1)
		}
	}
	block := []string{
		blockBegin + ": cron runs every job below through this shell, which keeps a trace of it. To remove it by hand,",
		"# delete these lines up to the end mark, and write SHELL= again where SB_SHELL= stands.",
		"SHELL=" + wrapper,
		blockEnd,
	}
	return joinLines(append(block, lines...)), nil
}

// Unwrap gives the table without the block, as it was before [Wrap]. A table without the block is
// given as it is.
func Unwrap(text string) (string, error) {
	lines := splitLines(text)
	begin, end := -1, -1
	for i, line := range lines {
		switch {
		case begin < 0 && strings.HasPrefix(line, blockBegin):
			begin = i
		case begin >= 0 && end < 0 && line == blockEnd:
			end = i
		}
	}
	switch {
	case begin < 0:
		return text, nil
	case end < 0 || end-begin > 10:
		return "", fmt.Errorf("the block of Signalbox at line %d has no end mark (%s): remove it by hand", begin+1, blockEnd)
	}
	rest := append(append([]string{}, lines[:begin]...), lines[end+1:]...)
	for i, line := range rest {
		if name, ok := envOf(line); ok && name == keptShell {
			rest[i] = strings.Replace(line, keptShell, "SHELL", 1)
		}
	}
	plain := joinLines(rest)
	if !strings.HasSuffix(text, "\n") {
		plain = strings.TrimSuffix(plain, "\n")
	}
	return plain, nil
}

// envOf reads a line as a setting, in any dialect.
func envOf(line string) (name string, ok bool) {
	line = strings.TrimLeft(line, " \t")
	if line == "" || line[0] == '#' {
		return "", false
	}
	name, _, ok = parseEnv(line, Cronie)
	return name, ok
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// Hold gives the table with the line of a job commented out behind a mark. A job that is held already
// is left as it is.
func (t *Table) Hold(key string) (string, error) {
	return t.edit(key, func(e *Entry, line string) (string, error) {
		if e.Held {
			return line, nil
		}
		return heldMark + line, nil
	})
}

// Unhold gives the table with the line of a held job as it was before. A job that is not held is left
// as it is.
func (t *Table) Unhold(key string) (string, error) {
	return t.edit(key, func(e *Entry, line string) (string, error) {
		if !e.Held {
			return line, nil
		}
		rest, ok := strings.CutPrefix(line, heldMark)
		if !ok {
			return "", fmt.Errorf("the held line %d was changed by hand: remove the mark %q there", e.Line, strings.TrimSpace(heldMark))
		}
		return rest, nil
	})
}

// ErrNoEntry says that the table has no entry with the key.
var ErrNoEntry = errors.New("the crontab has no such job")

func (t *Table) edit(key string, change func(*Entry, string) (string, error)) (string, error) {
	e, ok := t.Entry(key)
	if !ok {
		return "", ErrNoEntry
	}
	lines := strings.Split(t.Text, "\n") // with what stands behind the last line feed, to keep it
	changed, err := change(e, lines[e.Line-1])
	if err != nil {
		return "", err
	}
	lines[e.Line-1] = changed
	return strings.Join(lines, "\n"), nil
}
