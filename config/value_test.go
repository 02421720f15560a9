package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGuesses(t *testing.T) {
	t.Parallel()
	check := func(name string, guess func(string) string, cases map[string]string) {
		for given, want := range cases {
			if got := guess(given); got != want {
				t.Errorf("%s(%q) = %q, want %q", name, given, got, want)
			}
		}
	}
	check("duration", guessDuration, map[string]string{
		"30": "30s or 30m", "5 min": "5m", "5minutes": "5m", "1 hour": "1h", "3d": "72h", "2 Sec": "2s", "-1s": "", "1.5": "", "soon": "",
		"3 weeks": "", "9999999999": "",
	})
	check("time of day", guessTimeOfDay, map[string]string{
		"3:00": `"03:00"`, "3am": `"03:00"`, "3 pm": `"15:00"`, "12am": `"00:00"`, "12:30pm": `"12:30"`, "0300": `"03:00"`, "24:00": `"00:00"`,
		"03:00:00": `"03:00"`, "3h30": `"03:30"`, "25:00": "", "03:75": "", "noon": "", "": "",
	})
	check("zone", guessZone, map[string]string{
		"europe/berlin": "Europe/Berlin", "AMERICA/NEW_YORK": "America/New_York", "utc": "UTC", "cet": "CET", "Mars/Base": "", "local": "", "": "",
		"america/new york": "America/New_York",
	})
	check("address", guessHostPort, map[string]string{"8440": "127.0.0.1:8440", "box1": "box1:8440", "::1": "[::1]:8440", "a b": ""})
}

func TestBrief(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"72h": 72 * time.Hour, "1h30m": 90 * time.Minute, "5m": 5 * time.Minute, "30s": 30 * time.Second, "100ms": 100 * time.Millisecond, "10m30s": 630 * time.Second,
	} {
		if got := brief(d); got != want {
			t.Errorf("brief(%s) = %s", want, got)
		}
	}
}

func TestHomeIsNotExpanded(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip("the account has no home: ", err)
	}
	_, err = (&file{dir: "/x"}).resolve("~/key")
	if w, ok := errors.AsType[*wrongError](err); !ok || w.hint != "did you mean "+filepath.Join(home, "key")+"?" {
		t.Errorf("%#v", err)
	}
}

// TestSyntaxPlace checks that the place of broken YAML is where a person would put the finger.
func TestSyntaxPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int{
		"a: 1\nb: [1, 2\nc: 3\n":                        {2, 4},
		"a: 1\nb: \"x\nc: 3\n":                          {2, 4},
		"a: 1\nb: 'x' y\nc: 3\n":                        {2, 8},
		"a: 1\n  b: 2\n":                                {2, 4},
		"a:\n  b: 1\n c: 2\n":                           {3, 2},
		"a: 1\nb\nc: 3\n":                               {2, 1},
		"a: - b\n":                                      {1, 4},
		"a:\n- b\n c\n- d\n  e: f\n":                    {5, 4},
		"a: {b: 1\n":                                    {1, 4},
		"a: `b`\n":                                      {1, 4},
		"%YAML 9\n---\na: 1\n":                          {1, 1},
		"ä: 1\nö: [ü, \"é\" ]x\n":                       {2, 13},
		"a: 1\n---\nb: 2\n---\nc: [\n":                  {5, 4},
		strings.Repeat("a: 1\n", 3) + "}\n":             {4, 1},
		"a: |\n  text\n bad\nb: 1\n":                    {3, 2},
		"a: 1\r\nb: [\r\n":                              {2, 4},
		"a: \"" + strings.Repeat("x", 2000):             {1, 4},
		strings.Repeat("a:\n  b: 1\n", 2) + "\n  - c\n": {6, 3},
	} {
		line, column := syntaxPlace([]byte(text))
		if line != want[0] || column != want[1] {
			t.Errorf("%.60q: %d:%d, want %d:%d", text, line, column, want[0], want[1])
		}
	}
}

// TestSyntaxPlaceIsBounded breaks a long file in its first line: the search must give up.
func TestSyntaxPlaceIsBounded(t *testing.T) {
	t.Parallel()
	text := append([]byte("a: \"\n"), bytes.Repeat([]byte("b: 1\n"), 50_000)...)
	if line, _ := syntaxPlace(text); line < 1 {
		t.Errorf("line %d", line)
	}
}

func TestBadText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int{
		"a: 1\n":            {0, 0},
		"a: \t1\r\n\u0085":  {0, 0},
		"a: \x00":           {1, 4},
		"a\r\nb\rc\nd \x7f": {4, 3},
		"äö\xc3":            {1, 3},
		"a\n\ufffe":         {2, 1},
	} {
		line, column, what := badText([]byte(text))
		if line != want[0] || column != want[1] || (what == "") != (line == 0) {
			t.Errorf("%q: %d:%d %s, want %d:%d", text, line, column, what, want[0], want[1])
		}
	}
}

// one reads text as the value of a setting and gives what is wrong with it.
func one(t *testing.T, v Value, text string) string {
	t.Helper()
	f := &file{name: "f", dir: t.TempDir(), found: &findings{}}
	docs, err := parse(strings.NewReader("x: " + text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	b := &block{settings: []Setting{{Name: "x", Into: v}}}
	b.read(f, "the file", docs[0])
	return Faults(f.found.faults).Error()
}

// TestValues reads good and bad values of every type; a bad one leaves the target as it was.
func TestValues(t *testing.T) {
	t.Parallel()
	text, number, yes, length := "before", -1, false, time.Duration(-1)
	for _, c := range []struct {
		name  string
		value Value
		good  []string
		bad   []string
	}{
		{"text", Text(&text, "text"), []string{"a", "a b", `"5"`, "'true'", "|-\n  a"}, []string{"5", "true", "''", "[]", "{}", "null", "~", "", "2001-01-01", ".5", "|\n  a\n  b"}},
		{"int", Int(&number, 1, 100), []string{"1", "100", "50"}, []string{"0", "101", "-1", "1.0", "1e1", "0x10", "'1'", "1_0", "one", "99999999999999999999", "[1]"}},
		{"yes or no", YesNo(&yes), []string{"true", "false", "True", "FALSE"}, []string{"yes", "on", "1", "'true'", "[true]"}},
		{"duration", Duration(&length, time.Second, time.Hour), []string{"1s", "1h", "59m59.5s", "'5m'", "3600s"}, []string{"999ms", "61m", "-5m", "5", "5 m", "1d", "[1s]"}},
		{"time of day", TimeOfDay(&text), []string{"00:00", "23:59", "'03:00'"}, []string{"24:00", "3:00", "03:60", "03:00:00", "0300", "3am", "+3:00", "03.00"}},
		{"zone", Zone(&text), []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}, []string{"Local", "''", "Berlin", "../etc/passwd", "/etc/localtime", "+01:00"}},
		{"choice", Choice(&text, "one", "two"), []string{"one", "'two'"}, []string{"One", "three", "1", "''"}},
		{"address", HostPort(&text), []string{"127.0.0.1:0", "'[::1]:8440'", "localhost:80", "':80'", "box.example.org:65535"}, []string{"8440", "localhost", "a:b", "a:65536", "a:-1", "a:080", "http://a:80", "'::1:80'", "'a b:80'"}},
		{"host", Host(&text), []string{"a", "box.example.org", "10.0.0.1", "'::1'", "fe80::1", "my_box"}, []string{"a:22", "-a", "a b", "http://a", "a/b", "user@a", "''", "'$(reboot)'"}},
	} {
		for _, good := range c.good {
			if got := one(t, c.value, good); got != "" {
				t.Errorf("%s: %q: %s", c.name, good, got)
			}
		}
		was := []any{text, number, yes, length}
		for _, bad := range c.bad {
			got := one(t, c.value, bad)
			if !strings.HasPrefix(got, "f:1:") || strings.Count(got, "\n") != 0 {
				t.Errorf("%s: %q: %q; want one fault", c.name, bad, got)
			}
		}
		if now := []any{text, number, yes, length}; !slices.Equal(now, was) {
			t.Errorf("%s: a bad value was stored: %v, before %v", c.name, now, was)
		}
	}
}

// TestMistypedSettings mistypes every setting in three ways; each is suggested.
func TestMistypedSettings(t *testing.T) {
	t.Parallel()
	var blocks [][]string
	collect := func(settings []Setting) {
		blocks = append(blocks, (&block{settings: settings}).names())
	}
	collect(newLoader(kinds()).settings(&Config{}))
	collect((&chainDraft{}).declare())
	collect((&nodeDraft{}).declare())
	collect((&sourceDraft{}).pollSettings())
	for _, names := range blocks {
		for _, name := range names {
			middle := len(name) / 2
			for _, typo := range []string{
				strings.ToUpper(name), name[:middle] + "q" + name[middle:], name[:middle] + name[middle+1:],
				strings.ReplaceAll(name, "_", "-"),
			} {
				if got := closest(typo, names); got != name {
					t.Errorf("%s: suggests %q, not %s", typo, got, name)
				}
			}
		}
	}
}
