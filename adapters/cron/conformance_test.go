package cron_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/adaptertest"
	"signalbox/adapters/cron"
	"signalbox/test/peer"
)

// TestConformance runs alone, and one case after the other: the suite gives some calls 300 ms, which
// includes a login at a real SSH server.
func TestConformance(t *testing.T) {
	place := make(chan struct{}, 1)
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness {
		t.Helper()
		place <- struct{}{}
		t.Cleanup(func() { <-place })
		return newHarness(t)
	})
}

const passphrase = "hunter2-is-no-passphrase"

// harness drives a real sshd with the wrapper deployed. Native runs are started as cron starts them:
// the table's SHELL with -c and the command, in a session of its own with cron's environment.
type harness struct {
	t       *testing.T
	host    *peer.Host
	line    *peer.Line
	key     string
	ctl     string // folder through which jobs and spy are steered
	log     *lockedBuffer
	runs    map[string]*exec.Cmd
	state   string // of everything that only commands of adapters change
	changes int
	skewed  bool
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"spy.sh", "job.sh"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o755))
	}
	h := &harness{t: t, ctl: dir, log: &lockedBuffer{}, runs: map[string]*exec.Cmd{}}
	h.host = peer.Start(t, peer.Options{Config: []string{"ForceCommand " + dir + "/spy.sh " + dir}})
	h.key = h.host.NewPEMKey(t, "locked", passphrase)
	h.host.Allow(t, h.key)
	h.line = peer.NewLine(t, h.host.Addr)
	h.host.Trust(t, h.line.Port)
	h.host.SetCrontab(t, "# Name: alpha\n0 5 * * * "+h.command("alpha")+"\n@daily "+h.command("beta")+"\n")
	a := h.Adapter()
	if _, err := a.(adapters.Deployer).Deploy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	must(t, a.Close())
	t.Cleanup(h.stopJobs)
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *harness) command(name string) string {
	return fmt.Sprintf("exec %s/job.sh %s %s", h.ctl, h.ctl, name)
}

// stopJobs ends whatever still waits, also jobs that adapters started.
func (h *harness) stopJobs() {
	for _, name := range []string{"alpha", "beta"} {
		for range 5 {
			_ = os.WriteFile(filepath.Join(h.ctl, name+".end"), []byte("0"), 0o600)
		}
	}
	peer.Eventually(h.t, 20*time.Second, "the jobs have ended", func() bool {
		left, _ := filepath.Glob(filepath.Join(h.host.Home, ".signalbox/live/*"))
		for _, name := range []string{"alpha", "beta"} {
			_ = os.WriteFile(filepath.Join(h.ctl, name+".end"), []byte("0"), 0o600)
		}
		return len(left) == 0
	})
}

func (h *harness) Source() string { return "etl" }

func (h *harness) Adapter() adapters.Adapter {
	a, err := cron.New(cron.Options{
		Source: "etl", Host: "127.0.0.1", Port: h.line.Port, User: h.host.User, KeyFile: h.key, Passphrase: passphrase,
		KnownHosts: h.host.KnownHosts, Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	must(h.t, err)
	return a
}

// The second job has no name of its own.
func (h *harness) Jobs() []string { return []string{"alpha", h.betaKey()} }

func (h *harness) betaKey() string {
	cmd := exec.Command("cksum")
	cmd.Stdin = strings.NewReader(h.command("beta"))
	out, err := cmd.Output()
	must(h.t, err)
	var crc uint32
	_, err = fmt.Sscan(string(out), &crc)
	must(h.t, err)
	return fmt.Sprintf("cmd-%08x", crc)
}

func (h *harness) name(job string) string {
	if job == "alpha" {
		return "alpha"
	}
	return "beta"
}

func (h *harness) StartNative(job string) string {
	h.t.Helper()
	name := h.name(job)
	wrapper := filepath.Join(h.host.Home, ".signalbox/bin/sbsh")
	before := strings.Count(h.spool(), "\nsb1 s ")
	args := []string{wrapper, "-c", h.command(name)}
	if h.skewed {
		args = append([]string{"unshare", "-m", "sh", "-c", `mount --bind "$1" /usr/bin/date && shift && exec "$@"`, "sh", h.fakeDate()}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"HOME=" + h.host.Home, "LOGNAME=" + h.host.User, "PATH=/usr/bin:/bin", "SHELL=" + wrapper}
	cmd.Dir = h.host.Home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	must(h.t, cmd.Start())
	run := fmt.Sprintf("%s#%d", name, cmd.Process.Pid)
	h.runs[run] = cmd
	peer.Eventually(h.t, 20*time.Second, "the run has begun", func() bool {
		return strings.Count(h.spool(), "\nsb1 s ") > before
	})
	return run
}

func (h *harness) spool() string {
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(h.host.Home, ".signalbox/spool/0*.log"))
	must(h.t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(h.t, err)
		all.Write(text)
	}
	return all.String()
}

func (h *harness) Finish(run string) { h.end(run, "0") }

func (h *harness) Fail(run string) { h.end(run, "3") }

func (h *harness) end(run, status string) {
	h.t.Helper()
	name, _, _ := strings.Cut(run, "#")
	file := filepath.Join(h.ctl, name+".end")
	must(h.t, os.WriteFile(file+".new", []byte(status), 0o600))
	must(h.t, os.Rename(file+".new", file))
	_ = h.runs[run].Wait() // its exit status is the job's
}

// ChangingCommands looks at what only commands of adapters change, and counts each new state.
func (h *harness) ChangingCommands() int {
	h.t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, h.host.CrontabChanges())
	for _, dir := range []string{"bin", "claim", "stop", "backup", "tmp"} {
		err := filepath.WalkDir(filepath.Join(h.host.Home, ".signalbox", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil && dir != "tmp" {
				fmt.Fprintln(&b, path, info.Size(), info.ModTime())
			}
			return err
		})
		must(h.t, err)
	}
	if h.state != "" && b.String() != h.state {
		h.changes++
	}
	h.state = b.String()
	return h.changes
}

func (h *harness) Secrets() []string { return []string{passphrase} }

func (h *harness) Gaps() map[adaptertest.Case]string {
	gaps := map[adaptertest.Case]string{
		adaptertest.ZoneEdges:     "the wrapper writes UTC: no local time of the host is read",
		adaptertest.UnknownStatus: "the words in the spool are those of our own wrapper; a record of another kind counts as torn, see TestTornRecords",
	}
	if os.Getuid() != 0 {
		gaps[adaptertest.ClockSkew] = "only root can give a run a clock of its own"
	}
	return gaps
}

func (h *harness) mode(word string) {
	h.t.Helper()
	must(h.t, os.WriteFile(filepath.Join(h.ctl, "mode"), []byte(word), 0o600))
}

func (h *harness) BreakLine(f adaptertest.Fault) {
	h.t.Helper()
	switch f {
	case adaptertest.Refused:
		h.line.Refuse(true)
	case adaptertest.Slow:
		h.line.Freeze()
	case adaptertest.Truncated:
		h.mode("truncated")
	case adaptertest.Garbage:
		h.mode("garbage")
	case adaptertest.WrongPassword:
		h.host.DenyAll(h.t)
		h.line.Cut()
	case adaptertest.DroppedAfterEffect:
		h.mode("dropped")
	}
}

func (h *harness) RestoreLine() {
	h.t.Helper()
	h.line.Refuse(false)
	h.line.Thaw()
	h.mode("")
	h.host.DenyAll(h.t)
	h.host.Allow(h.t, h.key)
}

func (h *harness) StartsOf(token string) int {
	h.t.Helper()
	count := func() int {
		text, err := os.ReadFile(filepath.Join(h.ctl, "starts"))
		if err != nil {
			return 0
		}
		return strings.Count(string(text), " "+token+"\n")
	}
	peer.Eventually(h.t, 10*time.Second, "a run of "+token, func() bool { return count() > 0 })
	return count()
}

func (h *harness) SkewClock(offset time.Duration) {
	h.t.Helper()
	h.skewed = true
	program, err := exec.LookPath("date")
	must(h.t, err)
	text, err := os.ReadFile(program)
	must(h.t, err)
	must(h.t, os.WriteFile(filepath.Join(h.ctl, "date.real"), text, 0o755))
	script := fmt.Sprintf("#!/bin/sh\nexec %s/date.real -d '%d seconds' \"$@\"\n", h.ctl, int(offset.Seconds()))
	must(h.t, os.WriteFile(h.fakeDate(), []byte(script), 0o755))
	must(h.t, os.Symlink(h.fakeDate(), filepath.Join(h.host.Bin, "date")))
}

func (h *harness) fakeDate() string { return filepath.Join(h.ctl, "date") }

// Calls reads the SSH server's own log.
func (h *harness) Calls() adaptertest.Calls {
	var c adaptertest.Calls
	open := 0
	for line := range strings.Lines(h.host.Log()) {
		switch {
		case strings.Contains(line, "Starting session: "):
			c.Total++
			open++
			c.Peak = max(c.Peak, open)
		case strings.Contains(line, "Close session: "):
			open--
		}
	}
	return c
}

func (h *harness) Logged() string { return h.log.String() }
