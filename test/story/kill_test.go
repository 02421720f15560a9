package story

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/all"
	"signalbox/config"
	"signalbox/federation"
	"signalbox/federation/store/sqlite"
	"signalbox/test/peer"
)

// killVariable makes the test binary a Signalbox that kills itself with SIGKILL: "STEP" at that step
// of its first start, "sent+20ms" that long after it was claimed, "none" never. configVariable names
// the configuration.
const (
	killVariable   = "SIGNALBOX_STORY_KILL_AT"
	configVariable = "SIGNALBOX_STORY_CONFIG"
)

// victim runs a Signalbox like "signalbox serve" does, less the web, and kills it at a step.
func victim(at string) int {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	err := func() error {
		cfg, err := config.Load(os.Getenv(configVariable), all.Kinds())
		if err != nil {
			return err
		}
		st, err := sqlite.Open(ctx, cfg.Database)
		if err != nil {
			return err
		}
		var sources []*adapters.Source
		for i := range cfg.Sources {
			adapter, opts, err := cfg.Sources[i].Open(log)
			if err != nil {
				return err
			}
			s, err := adapters.NewSource(adapter, opts)
			if err != nil {
				return err
			}
			sources = append(sources, s)
		}
		e, err := federation.New(federation.Options{
			Store: st, Sources: sources, Definitions: cfg.Chains, Node: cfg.Node, Log: log, OnStep: killer(at),
		})
		if err != nil {
			return err
		}
		return e.Run(ctx)
	}()
	fmt.Fprintln(os.Stderr, "victim ended:", err)
	return 1
}

func killer(at string) func(federation.Step) {
	die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }
	if after, ok := strings.CutPrefix(at, "sent+"); ok {
		delay, err := time.ParseDuration(after)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var once atomic.Bool
		return func(s federation.Step) {
			if s == federation.StepClaimed && once.CompareAndSwap(false, true) {
				time.AfterFunc(delay, die)
			}
		}
	}
	return func(s federation.Step) {
		if string(s) == at {
			die()
			select {} // SIGKILL is on its way
		}
	}
}

// TestKillAtEveryStep kills a real process between decision, intent, send, answer and record, and at
// moments while the call is under way, against a real sshd. After the restart the job ran once.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	moments := []string{
		string(federation.StepDecided), string(federation.StepCommitted), string(federation.StepClaimed),
		string(federation.StepAnswered), string(federation.StepRecorded),
	}
	for _, ms := range []int{1, 3, 6, 10, 15, 25, 40, 60, 100} {
		moments = append(moments, "sent+"+strconv.Itoa(ms)+"ms")
	}
	for _, at := range moments {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			killStory(t, at)
		})
	}
}

const oneStart = `chain: one
timezone: UTC
keep_open: 10m
jobs:
  load: {job: b/load, stage: drive}
`

func killStory(t *testing.T, at string) {
	t.Helper()
	b := peer.Start(t, peer.Options{})
	ran := filepath.Join(t.TempDir(), "ran")
	b.SetCrontab(t, "# Name: load\n0 17 * * * echo x >> "+ran+"\n")
	s := newSite(t, machine(b), machine(b), oneStart)
	s.must("wrap", "install", "b")
	s.must("native", "hold", "b/load")

	if killed := s.victim(at, func() bool { return false }); !killed {
		t.Fatal("it was not killed")
	}
	s.victim("none", func() bool { return s.ledgerClosed() })
	if got := lines(t, ran); len(got) != 1 {
		t.Fatalf("the job ran %d times; want once", len(got))
	}
	if out := s.must("audit", "verify"); !strings.Contains(out, "equal to the byte") {
		t.Error(out)
	}
}

// victim runs one and waits until it dies or done holds; then it is killed. It tells whether it died by
// its own hand.
func (s *site) victim(at string, done func() bool) (died bool) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killVariable+"="+at, configVariable+"="+s.config)
	log := &tail{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() {
		if s.t.Failed() {
			s.t.Log(at + ":\n" + log.String())
		}
	}()
	gone := false
	peer.Eventually(s.t, 60*time.Second, "killed at "+at+", or done", func() bool {
		select {
		case err := <-exited:
			s.t.Log(at, err)
			gone = true
			return true
		default:
			return done()
		}
	})
	if gone {
		status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	_ = cmd.Process.Kill() // it is alive: it did not exit
	<-exited               //nolint:errcheck // it was killed: always an error
	return false
}

// ledgerClosed tells whether the ledger holds an instance that came to its end.
func (s *site) ledgerClosed() bool {
	out, _, code := s.run("instances", "--output", "json")
	return code == 0 && strings.Contains(out, `"closed"`)
}
