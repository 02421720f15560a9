package cronhost_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/test/sim/cronhost"
)

// settled waits until all that cron started is over, and gives it.
func settled(t *testing.T, h *cronhost.Host, n int) []cronhost.Run {
	t.Helper()
	var runs []cronhost.Run
	eventually(t, "the runs are over", func() bool {
		runs = h.Runs()
		for _, r := range runs {
			if r.Ended.IsZero() {
				return false
			}
		}
		return len(runs) >= n
	})
	return runs
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFire: the lines that are due run as cron runs them, others do not.
func TestFire(t *testing.T) {
	t.Parallel()
	const table = `# Name: first
30 5 * * * env | grep -v CRONHOST | sort >env; pwd >cwd; exit 3
A = b c
PATH=/opt/bin:/usr/bin:/bin
LOGNAME=mallory
30 5 22 * 1 cat >stdin; echo "$A $PATH $LOGNAME" >vars%one%two
31 5 * * * touch never
30 5 * * * kill -9 $$
`
	h := start(t, func(c *cronhost.Config) { c.Crontab, c.Zone = table, "UTC" })
	if n := h.Fire(time.Date(2026, 11, 22, 5, 30, 40, 0, time.UTC)); n != 3 {
		t.Fatalf("%d lines fired, want 3", n)
	}
	bin := filepath.Join(h.Dir(), "bin")
	var ends []string
	for _, r := range settled(t, h, 3) {
		ends = append(ends, r.Exit)
		if r.PID == 0 || !r.Minute.Equal(time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)) {
			t.Errorf("run %+v", r)
		}
	}
	if got := strings.Join(ends, ", "); got != "exit 3, exit 0, signal KILL" {
		t.Errorf("ends %s", got)
	}
	for name, want := range map[string]string{
		"cwd":   h.Home() + "\n",
		"stdin": "one\ntwo\n",
		"vars":  "b c " + bin + ":/opt/bin:/usr/bin:/bin ops\n",
		"env":   "HOME=" + h.Home() + "\nLOGNAME=ops\nPATH=" + bin + ":/usr/bin:/bin\nPWD=" + h.Home() + "\nSHELL=/bin/sh\nTZ=UTC\n",
	} {
		if got := read(t, filepath.Join(h.Home(), name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if exists(filepath.Join(h.Home(), "never")) {
		t.Error("a line ran that was not due")
	}
}

// TestShellLine: a wrapper that is installed through SHELL= gets -c and the text as it stands.
func TestShellLine(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	wrapper := filepath.Join(h.Home(), "sbsh")
	if err := os.WriteFile(wrapper, []byte("#!/bin/sh\nprintf '%s|' \"$@\" \"$SHELL\" \"$JOB\" >>wrapped\nexec /bin/sh \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	table := "SHELL=" + wrapper + "\nJOB=a\n# Name: one\n@hourly echo 'it'\"'\"'s' >out\n# Name: two\nJOB=b\n0 0 30 2 * exit 5 # five\n"
	if err := h.SetCrontab(table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"Name: one", "exit 5"} {
		if err := h.RunNow(part); err != nil {
			t.Fatal(err)
		}
	}
	runs := settled(t, h, 2)
	if runs[0].Exit != "exit 0" || runs[1].Exit != "exit 5" {
		t.Errorf("runs %+v", runs)
	}
	if got := read(t, filepath.Join(h.Home(), "out")); got != "it's\n" {
		t.Errorf("out %q", got)
	}
	got := read(t, filepath.Join(h.Home(), "wrapped"))
	for _, want := range []string{"-c|echo 'it'\"'\"'s' >out|" + wrapper + "|a|", "-c|exit 5 # five|" + wrapper + "|b|"} {
		if !strings.Contains(got, want) {
			t.Errorf("wrapper got %q, want %q in it", got, want)
		}
	}
	if err := h.RunNow("three"); err == nil {
		t.Error("a line that is not there was run")
	}
}

// TestMissingShell: cron cannot run a job whose shell is missing, and says so.
func TestMissingShell(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Crontab = "SHELL=/nonexistent/sh\n@hourly true\n" })
	if err := h.RunNow("true"); err != nil {
		t.Fatal(err)
	}
	if r := settled(t, h, 1)[0]; r.PID != 0 || !strings.HasPrefix(r.Exit, "not started: ") {
		t.Errorf("run %+v", r)
	}
	if log := read(t, filepath.Join(h.Dir(), "var/cron/log")); !strings.Contains(log, "ERROR") {
		t.Errorf("log %q", log)
	}
}

// TestIgnoredTable: one bad line, put there past the crontab command, and nothing of the table runs;
// once it is repaired everything does.
func TestIgnoredTable(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Crontab = "* * * * * true\n* 99 * * * true\n" })
	if n := h.Fire(h.Now()); n != 0 {
		t.Errorf("%d lines of a bad table fired", n)
	}
	if got := h.CrontabFault(); got != "1: bad hour" {
		t.Errorf("fault %q", got)
	}
	if log := read(t, filepath.Join(h.Dir(), "var/cron/log")); strings.Count(log, "ERROR (1: bad hour") != 1 {
		t.Errorf("log %q", log)
	}
	if err := h.SetCrontab("* * * * * true\n* 23 * * * true\n"); err != nil {
		t.Fatal(err)
	}
	if n := h.Fire(time.Date(2026, 1, 1, 1, 1, 0, 0, time.Local)); n != 1 || h.CrontabFault() != "" {
		t.Errorf("%d lines fired, fault %q", n, h.CrontabFault())
	}
}

// TestFastClock: the daemon's own clock runs jobs minute after minute without being asked, stands
// still while the daemon is down, and takes up a new table.
func TestFastClock(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Minute, c.Crontab = 20*time.Millisecond, "* * * * * echo one >>out\n" })
	eventually(t, "five minutes of cron", func() bool { return len(h.Runs()) >= 5 })
	seen := make(map[time.Time]bool)
	for _, r := range h.Runs() {
		if seen[r.Minute] || r.Minute.Second() != 0 {
			t.Errorf("a job for %s, which is not a minute or came before", r.Minute)
		}
		seen[r.Minute] = true
	}
	_, _, err := run(t, dial(t, h), "echo '* * * * * echo two >>out' | crontab -", "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new table", func() bool { return strings.Contains(read(t, filepath.Join(h.Home(), "out")), "two") })
	set(t, h, cronhost.Faults{CronDown: true})
	before, at := len(h.Runs()), h.CronNow()
	eventually(t, "five minutes more", func() bool { return h.CronNow().Sub(at) > 5*time.Minute })
	if after := len(h.Runs()); after > before+1 { // One may have been on its way.
		t.Errorf("cron is down and started %d jobs", after-before)
	}
	set(t, h, cronhost.Faults{})
	eventually(t, "cron is up again", func() bool { return len(h.Runs()) > before+1 })
}

func TestMail(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) {
		c.Mail, c.Crontab = true, "@hourly echo loud; echo error >&2\n@hourly true\nMAILTO=\"\"\n@hourly echo unheard\n"
	})
	for _, part := range []string{"loud", "true", "unheard"} {
		if err := h.RunNow(part); err != nil {
			t.Fatal(err)
		}
	}
	settled(t, h, 3)
	box := filepath.Join(h.Dir(), "var/mail/ops")
	eventually(t, "mail", func() bool { return exists(box) && strings.Contains(read(t, box), "\n\nloud\nerror\n") })
	text := read(t, box)
	if strings.Count(text, "Subject: ") != 1 || !strings.Contains(text, "Subject: Cron <ops@hosta> echo loud; echo error >&2\n") {
		t.Errorf("mailbox %q", text)
	}
	eventually(t, "no output is left over", func() bool {
		left, err := filepath.Glob(filepath.Join(h.Dir(), "var/mail/job.*"))
		return err == nil && len(left) == 0
	})
}

// TestClockOffset: sessions and jobs see the shifted clock, in all forms of date that scripts use.
func TestClockOffset(t *testing.T) {
	t.Parallel()
	const offset = 7*time.Minute + 500*time.Millisecond
	h := start(t, func(c *cronhost.Config) { c.Offset, c.Crontab = offset, "@hourly date +\\%s >job\n" })
	client := dial(t, h)
	reads := func(line, layout string) {
		t.Helper()
		before := h.Now().Truncate(time.Second)
		out, _, err := run(t, client, line, "")
		got, parseErr := time.Parse(layout, strings.TrimSpace(out))
		if err != nil || parseErr != nil || got.Before(before) || got.After(h.Now()) {
			t.Errorf("%s: %q, %v, %v; want the time between %s and %s", line, out, err, parseErr, before, h.Now())
		}
	}
	reads("date -u +%Y-%m-%dT%H:%M:%S.%NZ", time.RFC3339Nano)
	reads("date -u +%Y%m%dT%H%M%SZ", "20060102T150405Z")
	reads("date --iso-8601=seconds", time.RFC3339)
	if out, _, err := run(t, client, "date -u -d @0 +%F; date -u --date=@86400 +%F", ""); out != "1970-01-01\n1970-01-02\n" || err != nil {
		t.Errorf("a date of one's own is shifted: %q, %v", out, err)
	}
	if err := h.RunNow("job"); err != nil {
		t.Fatal(err)
	}
	settled(t, h, 1)
	if got := read(t, filepath.Join(h.Home(), "job")); len(got) < 10 || got < strconv.FormatInt(time.Now().Add(5*time.Minute).Unix(), 10) {
		t.Errorf("a job's date: %q", got)
	}
	if d := time.Until(h.Now()); d < offset-time.Second || d > offset {
		t.Errorf("Now is %s ahead", d)
	}
	if err := h.SetOffset(-time.Hour); err != nil {
		t.Fatal(err)
	}
	reads("date -u +%Y-%m-%dT%H:%M:%SZ", time.RFC3339)
	if err := h.SetOffset(0); err != nil {
		t.Fatal(err)
	}
	reads("date -u +%Y-%m-%dT%H:%M:%SZ", time.RFC3339)
}

func TestZone(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Zone = "Asia/Kolkata" })
	if out, _, err := run(t, dial(t, h), "date +%z", ""); out != "+0530\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if _, offset := h.Now().Zone(); offset != 19800 {
		t.Errorf("Now in %s", h.Now().Location())
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]cronhost.Config{
		"Config.Dir is empty":  {},
		"unknown time zone":    {Dir: t.TempDir(), Zone: "Moon/Tycho"},
		"plain account name":   {Dir: t.TempDir(), User: "a b"},
		"unknown action":       {Dir: t.TempDir(), Faults: cronhost.Faults{Rules: []cronhost.Rule{{Do: "x"}}}},
		"a quote or a line":    {Dir: filepath.Join(t.TempDir(), "it's")},
		"cannot assign reques": {Dir: t.TempDir(), Address: "192.0.2.1:22"},
	} {
		h, err := cronhost.Start(cfg)
		if err == nil {
			t.Errorf("%s: it started; stop: %v", want, h.Stop())
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}
