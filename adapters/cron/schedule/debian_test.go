package schedule_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signalbox/adapters/cron/schedule"
)

// debianSays asks Debian's crontab for its verdict: empty, or the name of the field that it refuses. It
// is a dry run, which needs no rights.
func debianSays(t *testing.T, crontab, expr string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte(expr+" x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(crontab, "-n", name).CombinedOutput()
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(string(out), "\n")
	_, said, ok := strings.Cut(first, ": ")
	if _, said2, more := strings.Cut(first, ": bad "); more {
		said = said2
	}
	if !ok {
		t.Fatalf("%q: crontab says %s", expr, out)
	}
	return strings.ReplaceAll(said, "-", " ")
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

// TestAcceptanceAgainstDebian compares acceptance, and the field that is at fault, with the crontab
// program of Debian on random expressions.
func TestAcceptanceAgainstDebian(t *testing.T) {
	t.Parallel()
	crontab := peer(t, "/usr/bin/crontab")
	if said := debianSays(t, crontab, "*5 * * * *"); said != "" {
		t.Skipf("%s is not Debian's: bad %s", crontab, said)
	}
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same tables each time
	for range 700 {
		expr := randomExpression(random)
		said, got := debianSays(t, crontab, expr), ""
		if _, err := schedule.Parse(expr, schedule.Debian); err != nil {
			var e *schedule.Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			if got = e.Field; got == "" {
				got = "command or form"
			}
		}
		if got == "command or form" && (said == "command" || said == "time specifier") {
			continue
		}
		if got != said {
			t.Errorf("%q: we refuse %q, cron refuses %q", expr, got, said)
		}
	}
}

// randomExpression has five fields, most of which are well-formed, or a short form.
func randomExpression(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	number := func() string {
		return pick("0", "1", "5", "7", "11", "12", "23", "24", "31", "59", "60", "08", "007", "4294967297", "99999999999999999999", "jan", "Dec", "SUN", "sat", "xyz", "1x", "")
	}
	part := func() string {
		switch r.IntN(9) {
		case 0, 1, 2:
			return "*" + pick("", "", "", "/2", "/0", "/60", "/x", "5", "-5", "/2147483647", "\xff", "x\xff")
		case 3, 4:
			return number() + pick("", "", "", "x", "#3", ";,", "~5", "/5", "\xff", "\xfe", "-")
		case 5, 6:
			return number() + "-" + number()
		case 7:
			return number() + "-" + number() + "/" + pick("1", "2", "2/3", "0", "9-3", "2147483647", "4294967296", "sun")
		}
		return pick("?", "L", "H", "~", "$", "%", "15W", "-5", "\r")
	}
	if r.IntN(25) == 0 {
		return pick("@daily", "@hourly", "@reboot", "@DAILY", "@every", "@weekly x", "@yearly *", "@monthly\t*", "@", "@midnight ")
	}
	var words []string
	for range 5 {
		word := "*"
		if r.IntN(2) == 0 {
			word = part()
			for r.IntN(4) == 0 {
				word += "," + part()
			}
		}
		if word == "" {
			word = "1"
		}
		words = append(words, word)
	}
	if r.IntN(8) == 0 {
		words = append(words, pick("*", "*x", "5", "cmd", "?"))
	}
	return strings.TrimLeft(strings.Join(words, pick(" ", "\t", "  ")), "#")
}
