package cronhost

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestParseTable: what counts as what in a table. Each answer was taken from the real crontab -n of
// Debian 12; TestParseTableAgainstDebian asks it again where it is installed.
func TestParseTable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              "ok",
		"\n# c\n\t# d\n":                "ok",
		"* * * * * x":                   string(errNoNewline),
		"* * * * * x\n  # no newline":   "ok",
		"75 * * * * x":                  string(errNoNewline),
		"75 * * * * x\n":                "0: bad minute",
		"# a\n\nA=b\n75 * * * * x\n":    "3: bad minute",
		"1 2 3\n":                       "1: bad month",
		"MAILTO=\n":                     "0: bad minute",
		"MAILTO=''\n":                   "ok",
		"export X=y\n":                  "0: bad minute",
		"A = b # not a comment \n":      "ok",
		"A=\"b\" # rubbish\n":           "0: bad minute",
		"@daily\n":                      "ok",
		"@daily * x\n":                  "0: bad command",
		"* * * * *\n":                   "ok",
		"A=b\r\n* * * * * x\r\n":        "ok",
		"* * * * * " + long(998) + "\n": "ok",
		"* * * * * " + long(999) + "\n": "1: command too long",
		strings.Repeat("#\n", 10001):    string(errTooLong),
	} {
		if got := verdict(text); got != want {
			t.Errorf("%.60q: %s, want %s", text, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func verdict(text string) string {
	if _, err := parseTable(text); err != nil {
		return err.Error()
	}
	return "ok"
}

// TestEnvironmentLines: they hold for what follows, and nothing in them is expanded.
func TestEnvironmentLines(t *testing.T) {
	t.Parallel()
	table, err := parseTable("* * * * * one\nA = b c \n'Q' = \" $A \"\n* * * * * two\nA=d\n* * * * * three\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 one []", "4 two [A=b c Q= $A ]", "6 three [A=b c Q= $A  A=d]"}
	for i, e := range table.entries {
		if got := fmt.Sprint(e.line, " ", e.command, " ", e.env); got != want[i] {
			t.Errorf("entry %d: %s, want %s", i, got, want[i])
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		`cat`:              {"cat", ""},
		`cat%a%b`:          {"cat", "a\nb\n"},
		`cat%a%`:           {"cat", "a\n"},
		`date +\%F%x\%y`:   {"date +%F", "x%y\n"},
		`echo \\ \n%a\\%b`: {`echo \ \n`, `a\%b` + "\n"},
		`echo "a%b"`:       {`echo "a`, `b"` + "\n"},
	} {
		command, stdin := splitPercent(text)
		if command != want[0] || stdin != want[1] {
			t.Errorf("%s: %q with %q, want %q", text, command, stdin, want)
		}
	}
}

// TestParseTableAgainstDebian compares verdicts, word for word, with the crontab program of Debian on
// random tables. It needs no rights: a dry run installs nothing.
func TestParseTableAgainstDebian(t *testing.T) {
	t.Parallel()
	crontab := peer(t, "/usr/bin/crontab")
	if said := debianVerdict(t, crontab, "* * * * * x\n"); said != "ok" {
		t.Skipf("%s is not Debian's: %s", crontab, said)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		text := randomTable(random)
		if want, got := debianVerdict(t, crontab, text), verdict(text); got != want {
			t.Errorf("%q: %s, cron says %s", text, got, want)
		}
	}
}

func debianVerdict(t *testing.T, crontab, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(crontab, "-n", name).CombinedOutput()
	if err == nil {
		return "ok"
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimPrefix(first, fmt.Sprintf("%q:", name))
}

func randomTable(r *rand.Rand) string {
	pieces := []string{
		"*", "*", "*", " ", " ", " ", "\t", "0", "7", "12", "59", "60", "-", ",", "/", "5-9", "*/2", "mon", "JAN", "Sun-sat",
		"@daily", "@reboot", "@x", "A=b", "A = 'c", "\"", "#", "%", "x", "\\", "~", "\n", "\n", "* * * * * x\n", "0 12 1 * 1 y\n",
	}
	var b strings.Builder
	for range r.IntN(14) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String() + "\n"
}

func FuzzParseTable(f *testing.F) {
	for _, seed := range []string{"* * * * * x\n", "A=b\n@daily y%z\n", "0-59/15 12 1 jan-mar/2 sun-7 a\\%b\n", "'a'='b'\n", "*/99999999999999999999 * * * * x\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, err := parseTable(text)
		if err != nil {
			return
		}
		lines := strings.Count(text, "\n")
		for _, e := range table.entries {
			if e.line < 1 || e.line > lines {
				t.Errorf("entry on line %d of %d", e.line, lines)
			}
			if strings.Contains(e.command, "\n") {
				t.Errorf("command %q spans lines", e.command)
			}
			if e.stdin != "" && !strings.HasSuffix(e.stdin, "\n") {
				t.Errorf("standard input %q has no final line feed", e.stdin)
			}
		}
	})
}

// peer finds a program of the real world. On a laptop without it the test is skipped; in CI it fails.
func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v: CI must have it", err)
	default:
		t.Skip(err)
	}
	return path
}
