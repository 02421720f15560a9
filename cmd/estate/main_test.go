package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// syncBuffer may be written and read at the same time.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// eventually polls until what holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func text(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no folder":      {nil, exitUsage, "--dir is missing"},
		"unknown flag":   {[]string{"--quick"}, exitUsage, "unknown flag: --quick"},
		"argument":       {[]string{"--dir", dir, "now"}, exitUsage, `unknown command "now"`},
		"too fast":       {[]string{"--dir", dir, "--fast", "10ms"}, exitUsage, "want 1s to 1m"},
		"to the world":   {[]string{"--dir", dir, "--listen", "0.0.0.0"}, exitUsage, "want a loopback address"},
		"folder is file": {[]string{"--dir", "main.go/x"}, exitFailed, "not a directory"},
		"help":           {[]string{"--help"}, exitStopped, "Exit codes: 0 ended by a signal; 1 cannot start"},
	} {
		var out syncBuffer
		if code := run(t.Context(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: code %d, %q; want %d and %q", name, code, out.String(), c.code, c.want)
		}
	}
}

// launched starts an estate and gives a function that ends it and returns its exit code.
func launched(t *testing.T, dir string, args ...string) (out *syncBuffer, end func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = &syncBuffer{}
	done := make(chan int, 1)
	go func() { done <- run(ctx, append([]string{"--dir", dir}, args...), out, out) }()
	eventually(t, "the estate is up", func() bool {
		select {
		case code := <-done:
			t.Fatalf("it ended with %d: %s", code, out)
		default:
		}
		return strings.Contains(out.String(), "Ctrl-C")
	})
	return out, func() int { cancel(); return <-done }
}

// TestEstate: both hosts come up with what Signalbox needs, hosta's cron works by itself, and a second
// start in the folder goes on with the same addresses, keys and files.
func TestEstate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "estate")
	out, end := launched(t, dir, "--fast", "1s", "--hostb-clock", "7m")
	for _, want := range []string{"  hosta ", "  hostb ", "  configuration ", filepath.Join(dir, "signalbox.yaml")} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("introduction lacks %q:\n%s", want, out)
		}
	}
	eventually(t, "hosta wrote orders", func() bool {
		return strings.HasPrefix(text(filepath.Join(dir, "shared/outgoing/orders-1.csv")), "order,item,quantity\n1001,")
	})
	if code := end(); code != exitStopped {
		t.Errorf("ended with %d: %s", code, out)
	}
	if got := strings.TrimSpace(text(filepath.Join(dir, "hostb/etc/offset"))); got != "420.000000000" {
		t.Errorf("clock of hostb is off by %q", got)
	}
	kept := []string{"signalbox.yaml", "known_hosts", "keys/signalbox", "hosta/address", "hostb/address", "hosta/etc/ssh_host_ed25519_key"}
	before := make(map[string]string)
	for _, name := range kept {
		before[name] = text(filepath.Join(dir, name))
		if before[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	again, end := launched(t, dir, "--fast", "1m")
	if code := end(); code != exitStopped {
		t.Errorf("the second ended with %d: %s", code, again)
	}
	for _, name := range kept {
		if text(filepath.Join(dir, name)) != before[name] {
			t.Errorf("%s changed with a restart", name)
		}
	}
	var elsewhere syncBuffer
	if code := run(t.Context(), []string{"--dir", dir, "--listen", "127.0.0.2"}, &elsewhere, &elsewhere); code != exitFailed ||
		!strings.Contains(elsewhere.String(), "use --listen 127.0.0.1") {
		t.Errorf("another address: code %d, %s", code, elsewhere.String())
	}
}

// TestTwoInOneFolder: the second is refused and leaves the first alone.
func TestTwoInOneFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "estate")
	_, end := launched(t, dir)
	var out syncBuffer
	if code := run(t.Context(), []string{"--dir", dir}, &out, &out); code != exitFailed || !strings.Contains(out.String(), "in use") {
		t.Errorf("code %d, %s", code, out.String())
	}
	if code := end(); code != exitStopped {
		t.Errorf("the first ended with %d", code)
	}
}

// TestJobs runs every job of both hosts as their cron does, in the order of the chain.
func TestJobs(t *testing.T) {
	t.Parallel()
	o := options{dir: filepath.Join(t.TempDir(), "estate"), fast: time.Minute, listen: "127.0.0.1"}
	e, err := o.start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.stop(); err != nil {
			t.Error(err)
		}
	}()
	for host, fault := range []string{e.hosts[0].CrontabFault(), e.hosts[1].CrontabFault()} {
		if fault != "" {
			t.Errorf("crontab of host %d: %s", host, fault)
		}
	}
	for _, step := range []struct {
		host int
		job  string
		exit string
	}{
		{1, "load", "exit 1"}, // nothing extracted yet
		{0, "extract", "exit 0"},
		{0, "housekeeping", "exit 0"},
		{0, "weekly-note", "exit 0"},
		{1, "load", "exit 0"},
		{1, "report", "exit 0"},
		{1, "notify-failure", "exit 0"},
	} {
		h := e.hosts[step.host]
		if err := h.RunNow("Name: " + step.job); err != nil {
			t.Fatal(err)
		}
		eventually(t, step.job+" is over", func() bool {
			runs := h.Runs()
			return !runs[len(runs)-1].Ended.IsZero()
		})
		runs := h.Runs()
		if got := runs[len(runs)-1].Exit; got != step.exit {
			t.Errorf("%s: %s, want %s; mail:\n%s", step.job, got, step.exit, text(filepath.Join(h.Dir(), "var/mail/ops")))
		}
	}
	if got := text(e.path("shared", "report.txt")); got != "1 loads, 47 orders\n" {
		t.Errorf("report %q", got)
	}
	if err := os.WriteFile(filepath.Join(e.hosts[0].Home(), "state/extract.count"), []byte("4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.hosts[0].RunNow("Name: extract"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the fifth extract is over", func() bool {
		runs := e.hosts[0].Runs()
		return !runs[len(runs)-1].Ended.IsZero()
	})
	runs := e.hosts[0].Runs()
	if got := runs[len(runs)-1].Exit; got != "exit 1" {
		t.Errorf("the fifth extract: %s, want exit 1", got)
	}
}
