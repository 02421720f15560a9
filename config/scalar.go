package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// scalar is a setting of one word or number.
type scalar[T any] struct {
	into  *T
	words string // what is wanted
	tag   string // the YAML type that it must have
	parse func(f *file, text string) (T, error)
	guess func(text string) string // what a wrong value probably meant; may be nil
	after func(f *file, n *yaml.Node, v T)
}

func (s *scalar[T]) want() string { return s.words }

// read wants the YAML type as well as the value: port: "22" is a fault. A file that says what it means
// is worth two quotes, and the hint tells where they go.
func (s *scalar[T]) read(f *file, name string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		f.fault(n, "", "%s: want %s, not %s", name, s.words, given(n))
		return
	}
	hint := ""
	if s.guess != nil {
		hint = meant(s.guess(n.Value))
	}
	if n.Tag != s.tag {
		if hint == "" && s.tag == "!!str" {
			hint = "put it in quotes"
		}
		f.fault(n, hint, "%s: want %s, not %s", name, s.words, s.shown(n))
		return
	}
	v, err := s.parse(f, n.Value)
	w, told := errors.AsType[*wrongError](err)
	switch {
	case told:
		f.fault(n, w.hint, "%s: %s", name, w.what)
	case err != nil:
		f.fault(n, hint, "%s: want %s, not %s", name, s.words, s.shown(n))
	default:
		*s.into = v
		if s.after != nil {
			s.after(f, n, v)
		}
	}
}

// shown tells a value that is not what is wanted, so that quotes and their absence can be seen.
func (s *scalar[T]) shown(n *yaml.Node) string {
	switch {
	case n.Tag == s.tag && n.Tag == "!!str":
		return quote(n.Value)
	case n.Tag == s.tag:
		return strings.Trim(quote(n.Value), `"`)
	case n.Value == "":
		return given(n)
	case n.Tag == "!!str" && s.tag == "!!bool", n.Tag == "!!str" && s.tag == "!!int":
		return "the text " + quote(n.Value)
	case n.Tag == "!!bool":
		return "the bare word " + n.Value
	}
	return given(n) + " (" + strings.Trim(quote(n.Value), `"`) + ")"
}

// errWanted says that a value is not what its type wants, without more.
var errWanted = errors.New("not what is wanted")

// Text is any text in one line but the empty one, as far as the checks allow; words says what is wanted,
// and a check's error what is wrong, in words for the operator.
func Text(into *string, words string, checks ...func(string) error) Value {
	return &scalar[string]{into: into, words: words, tag: "!!str", parse: func(_ *file, text string) (string, error) {
		if strings.TrimSpace(text) == "" {
			return "", wrong("", "want %s, not empty text", words)
		}
		if strings.ContainsAny(text, "\r\n") {
			return "", wrong("", "want %s, in one line", words)
		}
		for _, check := range checks {
			if err := check(text); err != nil {
				return "", asWrong(err)
			}
		}
		return text, nil
	}}
}

// Int is a whole number within bounds.
func Int(into *int, least, most int) Value {
	words := fmt.Sprintf("a whole number from %d to %d", least, most)
	return &scalar[int]{into: into, words: words, tag: "!!int", parse: func(_ *file, text string) (int, error) {
		v, err := strconv.Atoi(text)
		if err != nil || v < least || v > most {
			return 0, errWanted
		}
		return v, nil
	}, guess: func(text string) string {
		if v, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && v >= least && v <= most && strconv.Itoa(v) != text {
			return strconv.Itoa(v)
		} else if err == nil && v >= least && v <= most {
			return text + " without quotes"
		}
		return ""
	}}
}

// YesNo is true or false.
func YesNo(into *bool) Value {
	return &scalar[bool]{into: into, words: "true or false", tag: "!!bool", parse: func(_ *file, text string) (bool, error) {
		return strings.ToLower(text) == "true", nil
	}, guess: func(text string) string {
		switch strings.ToLower(text) {
		case "yes", "on", "1", "true", "y":
			return "true"
		case "no", "off", "0", "false", "n":
			return "false"
		}
		return ""
	}}
}

// Choice is one of a few words.
func Choice[T ~string](into *T, choices ...T) Value {
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = string(c)
	}
	return &scalar[T]{into: into, words: oneOf(names), tag: "!!str", parse: func(_ *file, text string) (T, error) {
		if !slices.Contains(choices, T(text)) {
			return "", errWanted
		}
		return T(text), nil
	}, guess: func(text string) string { return closest(text, names) }}
}

// oneOf lists words for a sentence: "a, b or c".
func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Duration is a length of time with its unit, within bounds.
func Duration(into *time.Duration, least, most time.Duration) Value {
	return &scalar[time.Duration]{
		into: into, words: "a duration such as 30s or 5m", tag: "!!str", guess: guessDuration,
		parse: func(_ *file, text string) (time.Duration, error) {
			v, err := time.ParseDuration(text)
			switch {
			case err != nil:
				return 0, err
			case v < least || v > most:
				return 0, wrong("", "want a duration from %s to %s, not %s", brief(least), brief(most), text)
			}
			return v, nil
		},
	}
}

// brief writes a duration as people do: 72h, not 72h0m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

var looseDuration = regexp.MustCompile(`^(\d{1,6})\s*([a-zA-Z]*)$`)

// guessDuration understands what people write: 30, 5min, 3 days.
func guessDuration(text string) string {
	m := looseDuration.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return ""
	}
	switch unit := strings.ToLower(m[2]); {
	case unit == "":
		return fmt.Sprintf("%ds or %dm", n, n)
	case strings.HasPrefix(unit, "s"):
		return fmt.Sprintf("%ds", n)
	case unit == "m" || strings.HasPrefix(unit, "min"):
		return fmt.Sprintf("%dm", n)
	case strings.HasPrefix(unit, "h"):
		return fmt.Sprintf("%dh", n)
	case strings.HasPrefix(unit, "d"):
		return fmt.Sprintf("%dh", 24*n)
	}
	return ""
}

// TimeOfDay is a local time "HH:MM".
func TimeOfDay(into *string) Value {
	return &scalar[string]{
		into: into, words: `a time of day such as "03:00"`, tag: "!!str", guess: guessTimeOfDay,
		parse: func(_ *file, text string) (string, error) {
			if _, err := minutes(text); err != nil {
				return "", err
			}
			return text, nil
		},
	}
}

// minutes since midnight of a time of day.
func minutes(text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, errWanted
	}
	return t.Hour()*60 + t.Minute(), nil
}

var looseTime = regexp.MustCompile(`^(\d{1,2})[:.hH]?(\d{2})?(?::\d{2})?\s*([aApP][mM])?$`)

// guessTimeOfDay understands 3:00, 3am, 0300, 24:00, 03.00.
func guessTimeOfDay(text string) string {
	m := looseTime.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	hour, err := strconv.Atoi(m[1])
	if err != nil {
		return ""
	}
	switch strings.ToLower(m[3]) {
	case "am":
		hour %= 12
	case "pm":
		hour = hour%12 + 12
	}
	minute := m[2]
	if minute == "" {
		minute = "00"
	}
	guess := fmt.Sprintf("%02d:%s", hour%24, minute)
	if _, err := minutes(guess); hour > 24 || err != nil {
		return ""
	}
	return strconv.Quote(guess)
}

// Zone is the name of a time zone.
func Zone(into *string) Value {
	return &scalar[string]{
		into: into, words: "a time zone such as Europe/Berlin or UTC", tag: "!!str", guess: guessZone,
		parse: func(_ *file, text string) (string, error) {
			if text == "" || text == "Local" {
				return "", errWanted // they mean another zone on another host
			}
			if _, err := time.LoadLocation(text); err != nil {
				return "", errWanted
			}
			return text, nil
		},
	}
}

// guessZone repairs the case: europe/berlin, America/new_york.
func guessZone(text string) string {
	up := []byte(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), " ", "_"))
	for i := range up {
		if (i == 0 || up[i-1] == '/' || up[i-1] == '_' || up[i-1] == '-') && up[i] >= 'a' && up[i] <= 'z' {
			up[i] -= 'a' - 'A'
		}
	}
	for _, try := range []string{string(up), strings.ToUpper(string(up))} {
		if _, err := time.LoadLocation(try); err == nil && try != "" && try != text && try != "LOCAL" && try != "Local" {
			return try
		}
	}
	return ""
}

// HostPort is an address to listen on.
func HostPort(into *string) Value {
	return &scalar[string]{
		into: into, words: "an address such as 127.0.0.1:8440", tag: "!!str", guess: guessHostPort,
		parse: func(_ *file, text string) (string, error) {
			host, port, err := net.SplitHostPort(text)
			if err != nil || strings.ContainsAny(host, "/ @") {
				return "", errWanted
			}
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
				return "", errWanted
			}
			return text, nil
		},
	}
}

// guessHostPort understands a port or a host alone.
func guessHostPort(text string) string {
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return "127.0.0.1:" + text
	}
	if checkHost(text) == nil {
		return net.JoinHostPort(text, "8440")
	}
	return ""
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

// Host is the name or address of a host.
func Host(into *string) Value { return Text(into, "the name or address of a host", checkHost) }

// checkHost refuses what would not be a host, and says so when a port was written behind it.
func checkHost(text string) error {
	if net.ParseIP(text) != nil || hostPattern.MatchString(text) {
		return nil
	}
	if host, port, err := net.SplitHostPort(text); err == nil && hostPattern.MatchString(host) {
		return wrong("write host: "+host+" and port: "+port, "want the name or address of a host, without a port")
	}
	return wrong("", "want the name or address of a host, not %s", quote(text))
}
