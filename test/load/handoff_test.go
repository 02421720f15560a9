package load

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/test/peer"
)

// TestHandoff measures the time from the end of a job on host A to the start of a job on host B, over real
// sshd, by the clock that both share. The floor is what no design can avoid: one durable commit and one
// command on a connection that is kept. It prints p50 and p99 beside the poll interval.
func TestHandoff(t *testing.T) {
	rounds, poll := size(t, "HANDOFF_ROUNDS", 4), time.Duration(size(t, "HANDOFF_POLL_MS", 200))*time.Millisecond
	a, b := peer.Start(t, peer.Options{}), peer.Start(t, peer.Options{})
	dir := t.TempDir()
	ended, began := filepath.Join(dir, "ended"), filepath.Join(dir, "began")
	const extract = "sleep 0.2"
	a.SetCrontab(t, "# Name: extract\n0 4 * * * "+extract+"\n")
	b.SetCrontab(t, "# Name: load\n0 4 30 2 * date -u +\\%s.\\%N >> "+began+"\n")
	sa, sb := wrapped(t, a, "a", poll), wrapped(t, b, "b", poll)
	if err := sb.Hold(t.Context(), "load"); err != nil {
		t.Fatal(err)
	}
	stop := startEngine(t, filepath.Join(dir, "ledger.db"), sa, sb)
	defer stop()
	var handoffs []time.Duration
	for round := 1; round <= rounds; round++ {
		native(t, a, extract, ended)
		peer.Eventually(t, time.Minute, "the job on B has begun", func() bool { return len(stamps(t, began)) >= round })
		e, s := stamps(t, ended), stamps(t, began)
		if len(e) != round || len(s) != round {
			t.Fatalf("round %d: %d ends, %d starts", round, len(e), len(s))
		}
		handoffs = append(handoffs, s[round-1].Sub(e[round-1]))
	}
	floor := floorOf(t, b, dir)
	p50, p99 := percentile(handoffs, 0.5), percentile(handoffs, 0.99)
	t.Logf("handoff over sshd, polled each %s, %d rounds, load %s: p50 %s, p99 %s; floor (commit + command) %s; p50 without the mean wait P/2: %.1f floors",
		poll, rounds, loadAverage(), p50.Round(time.Millisecond), p99.Round(time.Millisecond), floor.Round(100*time.Microsecond),
		float64(p50-poll/2)/float64(floor))
	for _, h := range handoffs {
		if h < 0 {
			t.Errorf("B began %s before A had ended", -h)
		}
	}
}

func wrapped(t *testing.T, h *peer.Host, name string, poll time.Duration) *adapters.Source {
	t.Helper()
	c, err := cron.New(cron.Options{
		Source: name, Host: "127.0.0.1", Port: h.Port, User: h.User, KeyFile: h.KeyFile, KnownHosts: h.KnownHosts,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := adapters.NewSource(c, adapters.SourceOptions{Name: name, Node: "load", Fast: poll, Slow: poll, PollsPerMinute: 60000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Deploy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	return s
}

func startEngine(t *testing.T, ledger string, sources ...*adapters.Source) (stop func()) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	e, err := federation.New(federation.Options{
		Store: st, Sources: sources, Node: "load",
		Definitions: []chain.Definition{{
			Chain: "handoff", DayCut: "00:00", Timezone: "UTC", KeepOpen: 3600, Repeat: "extract",
			Nodes: []chain.Node{
				{Name: "extract", Job: job.Ref{Source: "a", Job: "extract"}, Stage: chain.Watch},
				{
					Name: "load", Job: job.Ref{Source: "b", Job: "load"}, Stage: chain.Drive,
					After: []chain.Dependency{{Node: "extract", On: chain.OnSuccess}},
				},
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	<-e.Ready()
	peer.Eventually(t, time.Minute, "both hosts are seen", func() bool {
		for _, s := range e.Sources() {
			if s.LastSeen.IsZero() {
				return false
			}
		}
		return true
	})
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// native runs a job of host A as its cron would, through the wrapper, and notes when the wrapper's shell
// saw it end: that is before the wrapper itself writes it down.
func native(t *testing.T, h *peer.Host, text, ended string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(h.Home, ".signalbox", "bin", "sbsh"), "-c", text)
	cmd.Env = []string{"HOME=" + h.Home, "LOGNAME=" + h.User, "PATH=/usr/bin:/bin", "SHELL=" + cmd.Path}
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The wrapper's own record has the end; the process is gone only after it. Taking its exit as the
	// end would flatter us, so the end is the record's.
	end := recordedEnd(t, h, begun)
	f, err := os.OpenFile(ended, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%d.%09d\n", end.Unix(), end.Nanosecond()); err != nil {
		t.Fatal(err)
	}
}

// recordedEnd gives the time stamp of the latest end in the host's spool.
func recordedEnd(t *testing.T, h *peer.Host, after time.Time) time.Time {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(h.Home, ".signalbox", "spool", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no spool: %v", err)
	}
	text, err := os.ReadFile(logs[len(logs)-1])
	if err != nil {
		t.Fatal(err)
	}
	var latest time.Time
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "sb1 e ") {
			continue
		}
		for field := range strings.FieldsSeq(line) {
			if stamp, ok := strings.CutPrefix(field, "t="); ok {
				if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && at.After(after) {
					latest = at
				}
			}
		}
	}
	if latest.IsZero() {
		t.Fatalf("no end in the spool:\n%s", text)
	}
	return latest
}

func stamps(t *testing.T, path string) []time.Time {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []time.Time
	for field := range strings.FieldsSeq(string(text)) {
		sec, nano, ok := strings.Cut(field, ".")
		s, err1 := strconv.ParseInt(sec, 10, 64)
		n, err2 := strconv.ParseInt(nano, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			t.Fatalf("%s holds %q", path, field)
		}
		out = append(out, time.Unix(s, n))
	}
	return out
}

// floorOf measures one durable commit and one command on a connection that is kept, medians of 20.
func floorOf(t *testing.T, h *peer.Host, dir string) time.Duration {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(dir, "floor.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	fence, err := st.Acquire(t.Context(), "floor", "load", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	client := dial(t, h)
	defer client.Close()
	var commits, commands []time.Duration
	for i := range 20 {
		rec, err := job.Seal("floor/1", i)
		if err != nil {
			t.Fatal(err)
		}
		entry := store.Entry{At: time.Now().UTC(), Subject: "floor", Record: rec}
		commits = append(commits, spent(func() {
			if _, err := st.Commit(t.Context(), &store.Batch{Fence: fence, Records: []store.Entry{entry}}); err != nil {
				t.Fatal(err)
			}
		}).wall)
		commands = append(commands, spent(func() {
			s, err := client.NewSession()
			if err == nil {
				err = s.Run("exec /bin/true")
			}
			if err != nil {
				t.Fatal(err)
			}
		}).wall)
	}
	return percentile(commits, 0.5) + percentile(commands, 0.5)
}

func dial(t *testing.T, h *peer.Host) *ssh.Client {
	t.Helper()
	key, err := os.ReadFile(h.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", h.Addr, &ssh.ClientConfig{
		User: h.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // a floor is measured, against a server of this test
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
