package cron_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/adapters/job"
	"signalbox/test/peer"
)

// box is an adapter and the real host behind it.
type box struct {
	*cron.Adapter
	t    *testing.T
	host *peer.Host
	log  *lockedBuffer
	runs map[string]job.Run // folded from everything polled so far, by native id
	cur  adapters.Cursor
	gaps []string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func options(h *peer.Host, log *lockedBuffer) cron.Options {
	return cron.Options{
		Source: "etl", Host: "127.0.0.1", Port: h.Port, User: h.User, KeyFile: h.KeyFile, KnownHosts: h.KnownHosts,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// newBox makes an adapter for a host. edit changes its options.
func newBox(t *testing.T, h *peer.Host, edit func(*cron.Options)) *box {
	t.Helper()
	log := &lockedBuffer{}
	o := options(h, log)
	if edit != nil {
		edit(&o)
	}
	a, err := cron.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		quiet(h)
	})
	return &box{Adapter: a, t: t, host: h, log: log, runs: map[string]job.Run{}}
}

// quiet gives runs that are still under way a moment to write their end, before the host's folder is
// deleted under them.
func quiet(h *peer.Host) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		live, err := filepath.Glob(filepath.Join(h.Home, ".signalbox/live/*"))
		if err != nil || len(live) == 0 {
			return
		}
		<-tick.C
	}
}

// deployed starts a host with a table and the wrapper.
func deployed(t *testing.T, table string) *box {
	t.Helper()
	b := newBox(t, peer.Start(t, peer.Options{}), nil)
	b.host.SetCrontab(t, table)
	b.deploy()
	return b
}

func (b *box) deploy() {
	b.t.Helper()
	c, err := b.Deploy(b.t.Context(), false)
	if err != nil || !c.Done {
		b.t.Fatalf("deploy: %v %+v", err, c)
	}
}

// poll polls until there is nothing more, checks what must always hold, and folds it.
func (b *box) poll() []job.Observation {
	b.t.Helper()
	var all []job.Observation
	for more := true; more; {
		got, err := b.Poll(b.t.Context(), b.cur)
		if err != nil {
			b.t.Fatalf("poll: %v", err)
		}
		for i := range got.Observations {
			o := &got.Observations[i]
			if err := o.Check(); err != nil {
				b.t.Errorf("%v", err)
			}
			rec, err := o.Seal()
			if err != nil {
				b.t.Fatal(err)
			}
			b.runs[o.Run.Native], _ = job.Merge(b.runs[o.Run.Native], o, rec.Hash)
		}
		for _, g := range got.Gaps {
			b.gaps = append(b.gaps, g.What)
		}
		if got.SourceTime.IsZero() {
			b.t.Error("a poll without the host's time")
		}
		all = append(all, got.Observations...)
		b.cur, more = got.Next, got.More
	}
	return all
}

// wait polls until a run with this token is over, or any run if the token is empty.
func (b *box) wait(token string) job.Run {
	b.t.Helper()
	var found job.Run
	peer.Eventually(b.t, 20*time.Second, "run with token "+token+" is over", func() bool {
		b.poll()
		for _, r := range b.runs {
			if r.Token == token && r.Terminal() {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

func startRequest(token, key string) adapters.StartRequest {
	return adapters.StartRequest{Token: token, Job: key, BusinessDate: "2026-03-04", Chain: "close"}
}

func (b *box) start(token, key string) adapters.Started {
	b.t.Helper()
	s, err := b.Start(b.t.Context(), startRequest(token, key))
	if err != nil {
		b.t.Fatalf("start %s: %v", key, err)
	}
	return s
}

// path is a file in the home folder of the host.
func (b *box) path(parts ...string) string {
	return filepath.Join(append([]string{b.host.Home}, parts...)...)
}

func (b *box) read(parts ...string) string {
	b.t.Helper()
	text, err := os.ReadFile(b.path(parts...))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func TestProbeWithoutWrapper(t *testing.T) {
	t.Parallel()
	b := newBox(t, peer.Start(t, peer.Options{}), nil)
	b.host.SetCrontab(t, "# Name: Nightly\n0 5 * * * /opt/load --password=geheim\n@daily x\n")
	if p := b.Properties(); p.Start != adapters.StartSearchable || p.Rights[0].Granted != adapters.GrantUnknown || p.Address == "" {
		t.Errorf("before the first poll: %+v", p)
	}
	got, err := b.Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Observations) != 0 || !got.JobsChanged || got.More || len(got.Gaps) != 0 {
		t.Errorf("%+v", got)
	}
	p := b.Properties()
	if p.Start != adapters.StartNone || p.Confidence != job.Scheduled || p.Zone == "" || p.HostKey != b.host.Fingerprint(t) {
		t.Errorf("%+v", p)
	}
	for _, r := range p.Rights {
		if r.Granted != adapters.GrantYes {
			t.Errorf("right %+v", r)
		}
	}
	if !strings.Contains(strings.Join(p.KnownGaps, "\n"), "every end is unknown") {
		t.Errorf("gaps %q", p.KnownGaps)
	}
	l, err := b.List(t.Context())
	if err != nil || len(l.Jobs) != 2 {
		t.Fatalf("%v %+v", err, l)
	}
	j := l.Jobs[0]
	if j.Ref.Job != "Nightly" || j.Command != "/opt/load --password=(redacted)" || !j.Enabled || j.Wrapped || j.Startable ||
		j.Schedule != "0 5 * * *" || j.Place != "crontab of root, line 2" && os.Getuid() == 0 {
		t.Errorf("%+v", j)
	}
	_, err = b.Start(t.Context(), adapters.StartRequest{Token: "t1", Job: "Nightly"})
	if adapters.KindOf(err) != adapters.Unsupported || adapters.EffectOf(err) != adapters.EffectNone {
		t.Errorf("start without wrapper: %v", err)
	}
	if n := b.host.CrontabChanges(); n != 0 {
		t.Errorf("%d changes by reading", n)
	}
	if _, err := os.Stat(b.path(".signalbox")); !os.IsNotExist(err) {
		t.Error("reading left a folder on the host")
	}
}

func TestDeployStartPollLog(t *testing.T) {
	t.Parallel()
	table := "SHELL=/bin/bash\nFOO = 'a b'\n# Name: load\n0 5 * * * echo \"$FOO|$SB_BUSINESS_DATE|$SB_CHAIN|$SHELL|$PATH|${SB_JOB-no}|${SB_TOKEN-no}|$BASH_VERSION\" | cut -c 1-80; cat%one%two\n" +
		"# Name: bad\n@daily echo oops >&2; exit 3\n"
	b := newBox(t, peer.Start(t, peer.Options{}), nil)
	b.host.SetCrontab(t, table)
	dry, err := b.Deploy(t.Context(), true)
	if err != nil || dry.Done || len(dry.Steps) < 4 || !strings.Contains(dry.Diff, "+SB_SHELL=/bin/bash") {
		t.Fatalf("%v %+v", err, dry)
	}
	if n := b.host.CrontabChanges(); n != 0 {
		t.Fatalf("a dry run made %d changes", n)
	}
	b.deploy()
	if again, err := b.Deploy(t.Context(), false); err != nil || len(again.Steps) != 0 || !again.Done {
		t.Fatalf("deployed twice: %v %+v", err, again)
	}
	if obs := b.poll(); len(obs) != 0 || len(b.gaps) != 0 {
		t.Fatalf("%v %q", obs, b.gaps)
	}
	if p := b.Properties(); p.Start != adapters.StartSearchable || p.Confidence != job.Confirmed {
		t.Errorf("%+v", p)
	}
	s := b.start("tok-1", "load")
	if s.Run.Job != "load" || s.Run.Native == "" {
		t.Errorf("%+v", s)
	}
	r := b.wait("tok-1")
	if r.State() != job.Succeeded || r.Cause != job.CauseBridge || r.Key != s.Run || r.Started.IsZero() || r.Latest.NativeState != "rc=0" {
		t.Errorf("%+v", r)
	}
	log, err := b.ReadLog(t.Context(), r.Key, 1000)
	if err != nil || !log.Complete || log.Truncated {
		t.Fatalf("%v %+v", err, log)
	}
	if want := "a b|2026-03-04|close|/bin/bash|/usr/bin:/bin|no|no|5."; !strings.HasPrefix(log.Text, want) || !strings.HasSuffix(log.Text, "\none\ntwo\n") {
		t.Errorf("log %q, want %q", log.Text, want)
	}
	b.start("tok-2", "bad")
	r = b.wait("tok-2")
	if r.State() != job.Failed || r.Latest.End != (job.End{Kind: job.ExitCode, Code: "3"}) || r.Latest.NativeState != "rc=3" {
		t.Errorf("%+v", r)
	}
	if log, err := b.ReadLog(t.Context(), r.Key, 3); err != nil || log.Text != "ps\n" || !log.Truncated {
		t.Errorf("%v %+v", err, log)
	}
	again := b.start("tok-1", "load")
	if again.Run != s.Run {
		t.Errorf("the same token again: %+v, first %+v", again, s)
	}
	f, err := b.Find(t.Context(), "tok-1")
	if err != nil || f.Found != adapters.FoundPresent || f.Run != s.Run {
		t.Errorf("%v %+v", err, f)
	}
	if f, err = b.Find(t.Context(), "never-sent"); err != nil || f.Found != adapters.FoundAbsent {
		t.Errorf("%v %+v", err, f)
	}
	un, err := b.Undeploy(t.Context(), false)
	if err != nil || !un.Done {
		t.Fatalf("%v %+v", err, un)
	}
	if now, _ := b.host.Crontab(t); now != table {
		t.Errorf("after removal:\n%s\nbefore:\n%s", now, table)
	}
	if !strings.Contains(strings.Join(un.Steps, "\n"), "byte for byte") {
		t.Errorf("%q", un.Steps)
	}
	b.poll()
	if p := b.Properties(); p.Start != adapters.StartNone {
		t.Errorf("after removal %+v", p)
	}
}

func TestSameCursorSameAnswer(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: a\n@daily true\n")
	b.start("t1", "a")
	b.wait("t1")
	b.start("t2", "a")
	b.wait("t2")
	first, err := b.Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newBox(t, b.host, nil).Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := json.Marshal(first.Observations)
	y, _ := json.Marshal(second.Observations)
	if len(first.Observations) != 4 || !bytes.Equal(x, y) || !bytes.Equal(first.Next, second.Next) {
		t.Errorf("%s\n%s\n%s\n%s", x, y, first.Next, second.Next)
	}
	if again, err := b.Poll(t.Context(), first.Next); err != nil || len(again.Observations) != 0 || !bytes.Equal(again.Next, first.Next) || again.JobsChanged {
		t.Errorf("%v %+v", err, again)
	}
	b.host.SetCrontab(t, "@hourly x\n")
	if changed, err := b.Poll(t.Context(), first.Next); err != nil || !changed.JobsChanged {
		t.Errorf("%v %+v", err, changed)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	b := deployed(t, fmt.Sprintf("# Name: long\n@daily (trap 'echo stopped > %s; exit' TERM; : > %s.up; while :; do sleep 0.1; done) & wait\n", mark, mark))
	s := b.start("t1", "long")
	peer.Eventually(t, 20*time.Second, "the grandchild is up", func() bool {
		_, err := os.Stat(mark + ".up")
		return err == nil
	})
	b.poll()
	if r := b.runs[s.Run.Native]; r.State() != job.Running {
		t.Fatalf("%+v", r)
	}
	if err := b.Cancel(t.Context(), s.Run); err != nil {
		t.Fatal(err)
	}
	r := b.wait("t1")
	if r.State() != job.Cancelled || r.Latest.Reason != job.ByOperator {
		t.Errorf("%+v", r)
	}
	peer.Eventually(t, 20*time.Second, "the grandchild was stopped too", func() bool {
		_, err := os.Stat(mark)
		return err == nil
	})
	if err := b.Cancel(t.Context(), s.Run); err != nil {
		t.Errorf("over already: %v", err)
	}
	err := b.Cancel(t.Context(), job.RunKey{Source: "etl", Job: "long", Native: "nobody"})
	if adapters.KindOf(err) != adapters.NotFound {
		t.Errorf("%v", err)
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	table := "# Name: a\n  0 5 * * *\techo  a \n0 6 * * * b\n"
	b := newBox(t, peer.Start(t, peer.Options{}), nil)
	b.host.SetCrontab(t, table)
	for range 2 {
		if err := b.Hold(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	if now, _ := b.host.Crontab(t); now != "# Name: a\n#signalbox-held#   0 5 * * *\techo  a \n0 6 * * * b\n" {
		t.Errorf("held: %q", now)
	}
	l, err := b.List(t.Context())
	if err != nil || len(l.Jobs) != 2 || l.Jobs[0].Enabled || !l.Jobs[1].Enabled {
		t.Errorf("%v %+v", err, l)
	}
	for range 2 {
		if err := b.Unhold(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	if now, _ := b.host.Crontab(t); now != table {
		t.Errorf("given back: %q", now)
	}
	if n := b.host.CrontabChanges(); n != 2 {
		t.Errorf("%d changes, want 2", n)
	}
	if err := b.Hold(t.Context(), "nobody"); adapters.KindOf(err) != adapters.NotFound {
		t.Errorf("%v", err)
	}
}

func TestCrontabThatCannotBeReadIsNeverReplaced(t *testing.T) {
	t.Parallel()
	table := "# Name: a\n@daily x\n"
	b := newBox(t, peer.Start(t, peer.Options{}), nil)
	b.host.SetCrontab(t, table)
	b.host.BreakCrontab(t, "crontab: I/O error on the spool")
	for name, call := range map[string]func(context.Context) error{
		"deploy":   func(ctx context.Context) error { _, err := b.Deploy(ctx, false); return err },
		"undeploy": func(ctx context.Context) error { _, err := b.Undeploy(ctx, false); return err },
		"hold":     func(ctx context.Context) error { return b.Hold(ctx, "a") },
		"list":     func(ctx context.Context) error { _, err := b.List(ctx); return err },
		"poll":     func(ctx context.Context) error { _, err := b.Poll(ctx, nil); return err },
	} {
		if err := call(t.Context()); adapters.KindOf(err) != adapters.Unavailable || !strings.Contains(err.Error(), "I/O error") {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.host.BreakCrontab(t, "")
	if now, _ := b.host.Crontab(t); now != table || b.host.CrontabChanges() != 0 {
		t.Errorf("%d changes, table %q", b.host.CrontabChanges(), now)
	}
}
