package cron_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/test/peer"
)

// TestRealCron lets the real Debian cron run wrapped jobs, beside a twin that is not wrapped, and
// compares what they got.
func TestRealCron(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the next minute")
	}
	dir := t.TempDir()
	twin := peer.Start(t, peer.Options{RealCron: true})
	b := newBox(t, peer.Start(t, peer.Options{RealCron: true}), nil)
	table := func(name string) string {
		show := `env | sort | grep -v -e "^_=" -e "^SHLVL="; pwd; cat`
		return "FOO = 'a  b'\n# Name: show\n* * * * * (" + show + ") >" + filepath.Join(dir, name) + ".env%one%two \\% three\n" +
			"SHELL=/bin/bash\n# Name: bash\n* * * * * echo \"$BASH_VERSION $SHELL\" >" + filepath.Join(dir, name) + ".bash; exit 4\n" +
			"SHELL=/bin/sh\nSB_JOB=killed\n* * * * * kill -9 $$\n"
	}
	twin.SetCrontab(t, strings.ReplaceAll(table("twin"), "SB_JOB=killed\n", ""))
	b.host.SetCrontab(t, table("ours"))
	b.deploy()
	l, err := b.List(t.Context())
	if err != nil || len(l.Jobs) != 3 || len(l.Problems) != 0 || !l.Jobs[0].Wrapped || !l.Jobs[1].Wrapped || !l.Jobs[2].Wrapped {
		t.Fatalf("%v %+v", err, l)
	}
	if p := b.Properties(); p.Peer != "cron (Debian)" || p.Version == "" || p.Zone == "" {
		t.Errorf("%+v", p)
	}
	ends := map[string]job.Run{}
	peer.Eventually(t, 80*time.Second, "each job has run", func() bool {
		b.poll()
		for _, r := range b.runs {
			if r.Terminal() {
				ends[r.Key.Job] = r
			}
		}
		return len(ends) == 3
	})
	for key, want := range map[string]struct {
		state  job.State
		native string
	}{"show": {job.Succeeded, "rc=0"}, "bash": {job.Failed, "rc=4"}, "killed": {job.Failed, "rc=137 sig=9"}} {
		r := ends[key]
		if r.State() != want.state || r.Latest.NativeState != want.native || r.Cause != job.CauseSchedule || r.Token != "" || r.Started.IsZero() || r.Latest.Confidence != job.Confirmed {
			t.Errorf("%s: %+v", key, r)
		}
	}
	peer.Eventually(t, 80*time.Second, "the twin has run", func() bool {
		_, err := os.Stat(filepath.Join(dir, "twin.bash"))
		return err == nil
	})
	for _, part := range []string{"env", "bash"} {
		ours, err1 := os.ReadFile(filepath.Join(dir, "ours."+part))
		theirs, err2 := os.ReadFile(filepath.Join(dir, "twin."+part))
		if err1 != nil || err2 != nil || string(ours) != string(theirs) {
			t.Errorf("%s: %v %v\nwrapped:\n%s\nnot wrapped:\n%s", part, err1, err2, ours, theirs)
		}
	}
	// A start by us gives the job the same. HOME is that of the account's sessions, which the test has moved.
	if err := os.Remove(filepath.Join(dir, "ours.env")); err != nil {
		t.Fatal(err)
	}
	if err := b.Hold(t.Context(), "show"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start(t.Context(), adapters.StartRequest{Token: "t1", Job: "show"}); err != nil {
		t.Fatal(err)
	}
	b.wait("t1")
	ours, _ := os.ReadFile(filepath.Join(dir, "ours.env"))
	theirs, _ := os.ReadFile(filepath.Join(dir, "twin.env"))
	moved := strings.NewReplacer("HOME=/root\n", "HOME="+b.host.Home+"\n", "PWD=/root\n", "PWD="+b.host.Home+"\n", "\n/root\n", "\n"+b.host.Home+"\n")
	if want := moved.Replace(string(theirs)); os.Getuid() == 0 && string(ours) != want {
		t.Errorf("started by us:\n%s\nby cron:\n%s", ours, want)
	}
	if err := b.Unhold(t.Context(), "show"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Undeploy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if now, _ := b.host.Crontab(t); now != table("ours") {
		t.Errorf("after removal:\n%s", now)
	}
}

// TestRealCrontabRefuses lets the real crontab command judge a table.
func TestRealCrontabRefuses(t *testing.T) {
	t.Parallel()
	b := newBox(t, peer.Start(t, peer.Options{RealCron: true}), nil)
	if err := b.Hold(t.Context(), "x"); adapters.KindOf(err) != adapters.NotFound {
		t.Errorf("no crontab at all: %v", err)
	}
	// From no table to the wrapper and back to none.
	b.deploy()
	if now, ok := b.host.Crontab(t); !ok || !strings.Contains(now, "sbsh") {
		t.Errorf("%v %q", ok, now)
	}
	c, err := b.Undeploy(t.Context(), false)
	if err != nil || !c.Done {
		t.Fatalf("%v %+v", err, c)
	}
	if now, ok := b.host.Crontab(t); ok {
		t.Errorf("there was none, and now there is %q", now)
	}
}
