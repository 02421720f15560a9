package schedule

import (
	"errors"
	"fmt"
	"strings"
)

// parser reads one line.
type parser struct {
	s       *Schedule
	dialect Dialect
	expr    string
	all     []string // its words
	at      []int    // where each word begins, in bytes
}

// fault is a fault within a word.
type fault struct {
	at  int // in bytes from the beginning of the word
	why string
}

func (f *fault) Error() string { return f.why }

func faultAt(at int, format string, a ...any) error { return &fault{at, fmt.Sprintf(format, a...)} }

// refuse is a refusal at a byte of the line.
func (p *parser) refuse(at int, format string, a ...any) error {
	return &Error{Dialect: p.dialect, Column: at + 1, Why: fmt.Sprintf(format, a...)}
}

// split takes the line apart at blanks.
func (p *parser) split(expr string) error {
	if i := strings.IndexAny(expr, "\n\x00"); i >= 0 {
		return p.refuse(i, "a schedule is one line of text")
	}
	p.expr = expr
	for i := 0; i < len(expr); {
		if p.blank(expr[i]) {
			i++
			continue
		}
		end := i
		for end < len(expr) && !p.blank(expr[end]) {
			end++
		}
		p.all, p.at = append(p.all, expr[i:end]), append(p.at, i)
		i = end
	}
	if len(p.all) == 0 {
		return p.refuse(0, "there is nothing")
	}
	return nil
}

// blank tells what separates words. The generator of systemd-cron is a Python script, which takes more
// for blank than the others do.
func (p *parser) blank(c byte) bool {
	return c == ' ' || c == '\t' || p.dialect == SystemdCron && (c == '\r' || c == '\v' || c == '\f')
}

func (p *parser) parse() error {
	first := p.all[0]
	if p.dialect == BusyBox {
		return p.parseBusybox(first)
	}
	switch {
	case strings.HasPrefix(first, "#"):
		return p.refuse(p.at[0], "it is a comment")
	case strings.Contains(first, "=") || len(p.all) > 1 && strings.HasPrefix(p.all[1], "="):
		return p.refuse(p.at[0], "it is a setting of the environment, not a schedule")
	case strings.HasPrefix(first, "@"):
		return p.macro(first)
	case p.dialect == Cronie && strings.HasPrefix(first, "-"):
		return p.refuse(p.at[0], "only root may begin a line with -, which turns off its log lines")
	}
	return p.fields()
}

// parseBusybox takes for a comment what follows a # anywhere, and knows few settings.
func (p *parser) parseBusybox(first string) error {
	words := 6
	if strings.HasPrefix(first, "@") {
		words = 2
	}
	for i, w := range p.all[:min(words, len(p.all))] {
		if at := strings.IndexByte(w, '#'); at == 0 || at > 0 && i < words-1 {
			return p.refuse(p.at[i]+at, "a comment begins before there is a command")
		}
	}
	for _, name := range []string{"MAILTO=", "SHELL=", "PATH="} {
		if strings.HasPrefix(first, name) {
			return p.refuse(p.at[0], "it is a setting of the environment, not a schedule")
		}
	}
	if words == 2 {
		return p.macro(first)
	}
	return p.fields()
}

// fields reads the five fields.
func (p *parser) fields() error {
	if len(p.all) < 5 {
		return p.refuse(len(strings.TrimRight(p.expr, " \t")), "a schedule has five fields, there are %d", len(p.all))
	}
	copy(p.s.words[:], p.all)
	for i, f := range fields() {
		set, err := p.field(i, p.all[i])
		if err != nil {
			return p.locate(f.name, p.at[i], err)
		}
		p.s.sets[i] = set
	}
	if err := p.command(5); err != nil {
		return err
	}
	p.combine()
	return nil
}

// locate says where in the line a fault within a word is.
func (p *parser) locate(field string, at int, err error) error {
	var f *fault
	if errors.As(err, &f) {
		at += f.at
	}
	return &Error{Dialect: p.dialect, Field: field, Column: at + 1, Why: err.Error()}
}

func (p *parser) field(i int, word string) (uint64, error) {
	f := fields()[i]
	switch p.dialect {
	case Debian:
		return p.debianField(f, word)
	case Cronie:
		return p.cronieField(f, word)
	case SystemdCron:
		return p.systemdField(f, word)
	case BusyBox:
		return p.busyboxField(f, word)
	}
	return 0, fmt.Errorf("dialect %q is not known", p.dialect)
}

// command looks at what stands behind the schedule, from word n on.
func (p *parser) command(n int) error {
	if len(p.all) <= n {
		return nil
	}
	word, at := p.all[n], p.at[n]
	switch {
	case p.dialect.vixie() && strings.HasPrefix(word, "*"):
		return p.refuse(at, "the command begins with a star: there is a field too many")
	case p.dialect == Cronie && strings.HasPrefix(word, "-") && word != "-n":
		return p.refuse(at, "the command begins with %q: before the command, -n is the only option", word)
	case p.dialect == Cronie && word == "-n" && len(p.all) > n+1 && strings.HasPrefix(p.all[n+1], "-"):
		return p.refuse(p.at[n+1], "the command begins with %q: before the command, -n may stand once", p.all[n+1])
	case p.dialect == Cronie && word == "-n":
	case n == 5 && strings.ContainsRune("0123456789*?", rune(word[0])):
		p.s.note("there are more than five fields: the sixth, %q, is the command that is run", word)
	}
	return nil
}

// combine settles how the two day fields work together, and what counts as wild.
func (p *parser) combine() {
	s := p.s
	switch p.dialect {
	case Debian, Cronie:
		s.both = starred(s.words[dayOfMonth]) || starred(s.words[dayOfWeek])
		s.wild = starred(s.words[minute]) || starred(s.words[hour])
	case SystemdCron:
		s.both = true
	case BusyBox:
		busyboxDays(s)
	}
}

func starred(word string) bool { return strings.HasPrefix(word, "*") }

// macro reads a short form.
func (p *parser) macro(word string) error {
	meanings := map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
		"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *", "@reboot": "",
	}
	name := word
	if p.dialect == SystemdCron {
		name = systemdMacro(word, meanings)
	}
	meaning, ok := meanings[name]
	if !ok {
		hint := ""
		if _, lower := meanings[strings.ToLower(word)]; lower {
			hint = "; short forms are written in lower case"
		}
		return p.refuse(p.at[0], "%s is no short form that it knows%s", word, hint)
	}
	if err := p.command(1); err != nil {
		return err
	}
	p.s.macro, p.s.reboot = word, name == "@reboot"
	if p.s.reboot {
		return nil
	}
	if word == "@weekly" && p.dialect == SystemdCron {
		p.s.note("systemd's week begins on Monday; other daemons run @weekly on Sunday")
	}
	for i, w := range strings.Fields(meaning) {
		set, err := p.field(i, w)
		if err != nil {
			return p.locate(fields()[i].name, p.at[0], err)
		}
		p.s.sets[i] = set
	}
	if p.dialect == BusyBox {
		busyboxDays(p.s)
		return nil
	}
	p.s.both, p.s.wild = true, p.dialect.vixie() && name == "@hourly"
	return nil
}
