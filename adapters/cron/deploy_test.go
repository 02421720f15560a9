package cron_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/adapters/job"
	"signalbox/test/peer"
)

func TestUndeployKeepsEdits(t *testing.T) {
	t.Parallel()
	b := deployed(t, "SHELL=/bin/bash\n# Name: a\n@daily true\n")
	now, _ := b.host.Crontab(t)
	b.host.SetCrontab(t, now+"@hourly new\n")
	if err := b.Hold(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	c, err := b.Undeploy(t.Context(), true)
	if err != nil || c.Done || !strings.Contains(strings.Join(c.Steps, "\n"), "was edited since") || !strings.Contains(strings.Join(c.Steps, "\n"), "1 held line") {
		t.Fatalf("%v %+v", err, c)
	}
	if _, err = b.Undeploy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	want := "SHELL=/bin/bash\n# Name: a\n#signalbox-held# @daily true\n@hourly new\n"
	if now, _ := b.host.Crontab(t); now != want {
		t.Errorf("%q, want %q", now, want)
	}
	if again, err := b.Undeploy(t.Context(), false); err != nil || len(again.Steps) != 0 || !again.Done {
		t.Errorf("removed twice: %v %+v", err, again)
	}
	if _, err := os.Stat(b.path(".signalbox/bin/sbsh")); !os.IsNotExist(err) {
		t.Error("the wrapper is still there")
	}
	copies, _ := filepath.Glob(b.path(".signalbox/backup/crontab.*"))
	if len(copies) == 0 {
		t.Error("no copy of the crontab was kept")
	}
}

// fake puts a program before the real one in the PATH of sessions.
func fake(t *testing.T, h *peer.Host, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.Bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestDeployRefuses(t *testing.T) {
	t.Parallel()
	head := "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\n"
	for name, tt := range map[string]struct {
		prepare func(*box)
		kind    adapters.Kind
		has     string
	}{
		"network": {func(b *box) {
			fake(b.t, b.host, "df", head+"echo 'nas:/export/home 1000000 10 999990 1% /home'")
		}, adapters.Unsupported, "on the network (nas:/export/home)"},
		"full": {func(b *box) {
			fake(b.t, b.host, "df", head+"echo '/dev/sda1 1000000 999990 10 100% /'")
		}, adapters.Unsupported, "10 KiB free"},
		"no line feed": {func(b *box) { b.host.SetCrontab(b.t, "@daily x") }, adapters.Rejected, "line feed"},
		"own SB_SHELL": {func(b *box) { b.host.SetCrontab(b.t, "SB_SHELL=x\n@daily x\n") }, adapters.Rejected, "line 1"},
		"cron refuses": {func(b *box) {
			text, err := os.ReadFile(filepath.Join(b.host.Bin, "crontab"))
			must(b.t, err)
			fake(b.t, b.host, "crontab.real", string(text))
			fake(b.t, b.host, "crontab", `[ "$1" != - ] || { cat >/dev/null; echo '"-":1: bad minute' >&2; exit 1; }; exec `+b.host.Bin+`/crontab.real "$@"`)
		}, adapters.Rejected, "bad minute"},
		"somebody edits": {func(b *box) {
			text, err := os.ReadFile(filepath.Join(b.host.Bin, "crontab"))
			must(b.t, err)
			fake(b.t, b.host, "crontab.real", string(text))
			fake(b.t, b.host, "crontab", `[ "$1" = - ] || echo "# $$" >>$HOME/.crontab; exec `+b.host.Bin+`/crontab.real "$@"`)
		}, adapters.Unavailable, "right now"},
		"not executable": {func(b *box) {
			fake(b.t, b.host, "chmod", `case $* in *sbsh*) exit 0;; esac; exec /bin/chmod "$@"`)
		}, adapters.Unavailable, "cannot be run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, peer.Start(t, peer.Options{}), nil)
			b.host.SetCrontab(t, "@daily x\n")
			tt.prepare(b)
			_, err := b.Deploy(t.Context(), false)
			if adapters.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.has) {
				t.Errorf("%v (%s)", err, adapters.KindOf(err))
			}
			if n := b.host.CrontabChanges(); n != 0 {
				t.Errorf("%d changes of the crontab", n)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: a\n@daily true\n")
	problems := func() string {
		t.Helper()
		l, err := b.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, p := range l.Problems {
			if p.Fix == "" || p.Where == "" {
				t.Errorf("%+v", p)
			}
			text.WriteString(p.Where + ": " + p.What + "\n")
		}
		for _, j := range l.Jobs {
			text.WriteString(strings.Join(j.Problems, "\n"))
		}
		return text.String()
	}
	want := func(part string) {
		t.Helper()
		if text := problems(); !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	now, _ := b.host.Crontab(t)
	b.host.SetCrontab(t, now+"99 * * * * x\nSHELL=/bin/sh\n@hourly y\n")
	want("line 7: minute 99 is out of range (0-59); Debian's cron ignores the WHOLE table")
	want("a SHELL= line above it replaces the wrapper")
	b.deploy() // takes the new SHELL= line in
	if l, err := b.List(t.Context()); err != nil || !l.Jobs[0].Wrapped || !l.Jobs[1].Wrapped {
		t.Errorf("%v %+v", err, l)
	}
	b.appendTo("bin/sbsh", "# edited\n")
	want("is not the one of this version")
	if err := os.Chmod(b.path(".signalbox/bin/sbsh"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("cannot be executed: cron cannot start ANY job")
	if err := os.Remove(b.path(".signalbox/bin/sbsh")); err != nil {
		t.Fatal(err)
	}
	want("is missing: cron cannot start ANY job")
	b.deploy()
	if text := problems(); strings.Contains(text, "wrapper") {
		t.Errorf("after a new deployment: %q", text)
	}
}

// TestPollWhenToolsVanish goes on by script, and keeps reading the spool that is still there.
func TestPollWhenToolsVanish(t *testing.T) {
	t.Parallel()
	b := deployed(t, "SB_JOB=a\n@daily true\n")
	b.poll()
	b.native("exit 2", "SB_JOB=a")
	for _, name := range []string{"sbpoll", "sbstart"} {
		if err := os.Remove(b.path(".signalbox/bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	if obs := b.poll(); len(obs) != 2 || obs[1].State != job.Failed {
		t.Errorf("%+v", obs)
	}
	if _, err := b.Start(t.Context(), startRequest("t1", "a")); adapters.KindOf(err) != adapters.Unsupported {
		t.Errorf("%v", err)
	}
	if p := b.Properties(); p.Start != adapters.StartNone {
		t.Errorf("%+v", p)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	good := cron.Options{Source: "s", Host: "h", User: "u", KeyFile: "k", KnownHosts: "n"}
	if a, err := cron.New(good); err != nil || a.Properties().Address != "u@h:22" || a.Close() != nil {
		t.Errorf("%v", err)
	}
	for _, edit := range []func(*cron.Options){
		func(o *cron.Options) { o.Source = "" },
		func(o *cron.Options) { o.Source = "a/b" },
		func(o *cron.Options) { o.Host = "" },
		func(o *cron.Options) { o.Dir = "/abs" },
		func(o *cron.Options) { o.Dir = "../up" },
		func(o *cron.Options) { o.Dir = "a b" },
	} {
		o := good
		edit(&o)
		if _, err := cron.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// TestTwinsAreToldApartByTheirMinute has two lines with one command.
func TestTwinsAreToldApartByTheirMinute(t *testing.T) {
	t.Parallel()
	b := deployed(t, "0 0 29 2 1 true\n* * * * * true\n")
	b.native("true")
	obs := b.poll()
	if len(obs) != 2 || !strings.HasSuffix(obs[0].Run.Job, "~2") || obs[1].Run != obs[0].Run {
		t.Errorf("%+v", obs)
	}
}

// TestRunKeepsItsJobWhenTheTableIsEdited renames a job while it runs.
func TestRunKeepsItsJobWhenTheTableIsEdited(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: before\n@daily sleep 1\n")
	go b.native("sleep 1")
	for len(b.runs) == 0 {
		b.poll()
	}
	now, _ := b.host.Crontab(t)
	b.host.SetCrontab(t, strings.ReplaceAll(now, "before", "after"))
	r := b.wait("")
	if len(b.runs) != 1 || r.Key.Job != "before" || r.State() != job.Succeeded {
		t.Errorf("%+v", b.runs)
	}
}

func TestNoiseOfTheLoginShell(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	if err := os.WriteFile(filepath.Join(h.Home, ".bashrc"), []byte("echo Welcome; echo sb begin; printf noise\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBox(t, h, nil)
	h.SetCrontab(t, "SB_JOB=a\n@daily true\n")
	b.deploy()
	b.start("t1", "a")
	if r := b.wait("t1"); r.State() != job.Succeeded {
		t.Errorf("%+v", r)
	}
}
