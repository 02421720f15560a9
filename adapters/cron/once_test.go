package cron_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/adapters/job"
	"signalbox/test/peer"
)

// TestEachTokenRunsOnceOverABadLine sends 100 starts for 10 tokens through several bridges while the
// line is cut again and again.
func TestEachTokenRunsOnceOverABadLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := deployed(t, fmt.Sprintf("SB_JOB=count\n@daily echo $SB_CHAIN >>%s/ran\n", dir))
	line := peer.NewLine(t, b.host.Addr)
	b.host.Trust(t, line.Port)
	bridges := make([]*box, 4)
	for i := range bridges {
		bridges[i] = newBox(t, b.host, func(o *cron.Options) { o.Port = line.Port })
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var cutter sync.WaitGroup
	cutter.Go(func() {
		tick := time.NewTicker(700 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				line.Cut()
			}
		}
	})
	var all sync.WaitGroup
	var mu sync.Mutex
	clean, doubts := 0, 0
	for i := range 100 {
		all.Go(func() {
			token := fmt.Sprintf("bad-line-%d", i%10)
			for range 4 { // whatever came of it, the same token is sent again
				_, err := bridges[i%len(bridges)].Start(t.Context(), adapters.StartRequest{Token: token, Job: "count", Chain: token})
				if err != nil && adapters.KindOf(err) != adapters.Unavailable {
					t.Errorf("start %s: %v", token, err)
				}
				mu.Lock()
				switch {
				case err == nil:
					clean++
				case adapters.EffectOf(err) == adapters.EffectUnknown:
					doubts++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	stop()
	cutter.Wait()
	t.Logf("%d starts answered, %d in doubt", clean, doubts)
	if clean == 0 || doubts == 0 {
		t.Error("the line was too good or too bad for this test")
	}
	for i := range 10 {
		token := fmt.Sprintf("bad-line-%d", i)
		peer.Eventually(t, 20*time.Second, token+" is settled", func() bool {
			f, err := b.Find(t.Context(), token)
			return err == nil && f.Found != adapters.FoundUnclear
		})
		b.start(token, "count") // sent again at the end: always safe
		if r := b.wait(token); r.State() != job.Succeeded {
			t.Errorf("%s: %+v", token, r)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "ran"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if n := strings.Count(string(text), fmt.Sprintf("bad-line-%d\n", i)); n != 1 {
			t.Errorf("token %d ran %d times", i, n)
		}
	}
	if len(b.runs) != 10 {
		t.Errorf("%d runs were reported", len(b.runs))
	}
}

// pids reads a run's processes from its live file.
func (b *box) pids(run string) (runner, child int) {
	b.t.Helper()
	text, err := os.ReadFile(b.path(".signalbox/live", run))
	if err != nil {
		b.t.Fatal(err)
	}
	for f := range strings.FieldsSeq(string(text)) {
		if v, ok := strings.CutPrefix(f, "p="); ok {
			runner, _ = strconv.Atoi(strings.SplitN(v, ".", 2)[0])
		}
		if v, ok := strings.CutPrefix(f, "q="); ok {
			child, _ = strconv.Atoi(strings.SplitN(v, ".", 2)[0])
		}
	}
	return runner, child
}

func TestKilledRunnersAreHonestlyUnknown(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: long\n@daily exec sleep 60\n# Name: short\n@daily true\n")
	s := b.start("t1", "long")
	var runner, child int
	peer.Eventually(t, 10*time.Second, "the job runs", func() bool {
		runner, child = b.pids(s.Run.Native)
		return child > 0
	})
	b.poll()
	kill := func(pid int) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		peer.Eventually(t, 10*time.Second, "the process is gone", func() bool { return syscall.Kill(pid, 0) != nil || isZombie(pid) })
	}
	kill(runner)
	b.poll()
	if r := b.runs[s.Run.Native]; r.State() != job.Unknown || r.Terminal() || r.Latest.Reason != job.OutcomeUnknown {
		t.Fatalf("while the job lives on: %+v", r.Latest)
	}
	kill(child)
	b.poll()
	r := b.runs[s.Run.Native]
	if r.State() != job.Unknown || !r.Terminal() || r.Latest.Reason != job.OutcomeUnknown || r.Token != "t1" || r.Started.IsZero() {
		t.Fatalf("when both are gone: %+v", r.Latest)
	}
	// It is neither started again nor forgotten: the next run on the host writes it down.
	if again := b.start("t1", "long"); again.Run != s.Run {
		t.Errorf("%+v", again)
	}
	b.start("t2", "short")
	b.wait("t2")
	peer.Eventually(t, 10*time.Second, "the loss is in the spool", func() bool { return strings.Contains(b.read(".signalbox/spool/00000001.log"), "\nsb1 l ") })
	b.poll()
	if r := b.runs[s.Run.Native]; r.State() != job.Unknown || !r.Terminal() {
		t.Errorf("%+v", r.Latest)
	}
	if strings.Contains(string(b.cur), s.Run.Native) {
		t.Errorf("the cursor still keeps it: %s\n%s", b.cur, b.read(".signalbox/spool/00000001.log"))
	}
}

func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(text), ") Z ")
}

// TestRunnerKilledBetweenClaimAndJob leaves a claim and a live file without a process.
func TestRunnerKilledBetweenClaimAndJob(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: a\n@daily true\n")
	s := b.start("dead-runner-1", "a")
	b.wait("dead-runner-1")
	record, _, _ := strings.Cut(b.read(".signalbox/claim/dead-runner-1/run"), "\n")
	record = strings.NewReplacer("dead-runner-1", "dead-runner-2", s.Run.Native, s.Run.Native+"x").Replace(record)
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(b.path(".signalbox", name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.path(".signalbox", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Dead before the claim: it never was, and may be started.
	put("live/"+s.Run.Native+"x", record+"\n")
	if obs := b.poll(); len(obs) != 0 {
		t.Errorf("%+v", obs)
	}
	if f, err := b.Find(t.Context(), "dead-runner-2"); err != nil || f.Found != adapters.FoundAbsent {
		t.Errorf("%v %+v", err, f)
	}
	// Dead behind the claim: nobody knows whether it ran.
	put("claim/dead-runner-2/run", record+"\n")
	if f, err := b.Find(t.Context(), "dead-runner-2"); err != nil || f.Found != adapters.FoundPresent || f.Run.Native != s.Run.Native+"x" {
		t.Errorf("%v %+v", err, f)
	}
	b.poll()
	if r := b.runs[s.Run.Native+"x"]; r.Token != "dead-runner-2" || r.State() != job.Unknown || !r.Terminal() {
		t.Errorf("%+v", r)
	}
	// A claim without anything: no proof either way.
	put("claim/dead-runner-3/x", "")
	if f, err := b.Find(t.Context(), "dead-runner-3"); err != nil || f.Found != adapters.FoundUnclear || f.Detail == "" {
		t.Errorf("%v %+v", err, f)
	}
	if err := os.RemoveAll(b.path(".signalbox/claim")); err != nil {
		t.Fatal(err)
	}
	if f, err := b.Find(t.Context(), "dead-runner-4"); err != nil || f.Found != adapters.FoundUnclear {
		t.Errorf("without the folder of claims: %v %+v", err, f)
	}
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	b := deployed(t, "HOME=/no/such/folder\n# Name: homeless\n@daily true\n")
	for name, tt := range map[string]struct {
		req  adapters.StartRequest
		kind adapters.Kind
	}{
		"no such job":    {adapters.StartRequest{Token: "t1", Job: "nobody"}, adapters.NotFound},
		"bad token":      {adapters.StartRequest{Token: "a b", Job: "homeless"}, adapters.Rejected},
		"no such folder": {adapters.StartRequest{Token: "t1", Job: "homeless"}, adapters.Rejected},
	} {
		_, err := b.Start(t.Context(), tt.req)
		if adapters.KindOf(err) != tt.kind || adapters.EffectOf(err) != adapters.EffectNone {
			t.Errorf("%s: %v %q", name, err, adapters.EffectOf(err))
		}
	}
	// What we know of the table is old: the host notices, and the new one counts.
	b.host.SetCrontab(t, "# Name: fresh\n@daily true\n")
	b.start("t2", "fresh")
	if r := b.wait("t2"); r.State() != job.Succeeded || r.Key.Job != "fresh" {
		t.Errorf("%+v", r)
	}
	// A held job is started by us, not by cron.
	if err := b.Hold(t.Context(), "fresh"); err != nil {
		t.Fatal(err)
	}
	b.start("t3", "fresh")
	if r := b.wait("t3"); r.State() != job.Succeeded {
		t.Errorf("%+v", r)
	}
}

// TestRequestThatIsCutOffStartsNothing sends a request without its last line.
func TestRequestThatIsCutOffStartsNothing(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "ran")
	b := deployed(t, "# Name: a\n@daily touch "+mark+"\n")
	out := b.onHost("printf 'ctouch " + mark + "\\n' | " + b.path(".signalbox/bin/sbstart") + " MARK cut-off-request 1.1 20260101")
	if !strings.Contains(out, "refused the request is cut off") {
		t.Errorf("%q", out)
	}
	if f, err := b.Find(t.Context(), "cut-off-request"); err != nil || f.Found != adapters.FoundAbsent {
		t.Errorf("%v %+v", err, f)
	}
}

// TestPurge makes claims and outputs of many ages.
func TestPurge(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: a\n@daily true\n")
	b.onHost(`cd .signalbox && mkdir claim/old claim/young && touch -d '91 days ago' claim/old && touch -d '89 days ago' claim/young &&
		i=1000; while [ $i -lt 1600 ]; do : >out/1999-$i; i=$((i + 1)); done`)
	b.start("purge-1", "a")
	b.wait("purge-1")
	left := b.onHost("cd .signalbox && ls claim && ls out | wc -l")
	if !strings.Contains(left, "young") || strings.Contains(left, "old") || !strings.Contains(left, "\n50") {
		t.Errorf("left: %q", left)
	}
	// Not twice a day, and not when the clocks disagree.
	b.onHost("cd .signalbox && mkdir claim/old && touch -d '91 days ago' claim/old")
	b.start("purge-2", "a")
	b.wait("purge-2")
	said := b.onHost("cd .signalbox && rm purged && touch -d '91 days ago' claim/old && printf 'ctrue\\n.M\\n' | $HOME/.signalbox/bin/sbstart M purge-3 `crontab -l | cksum | tr ' ' .` 19990101")
	if left := b.onHost("ls .signalbox/claim"); !strings.Contains(left, "old") || !strings.Contains(left, "purge-3") {
		t.Errorf("left: %q, said %q", left, said)
	}
}

// TestEnvironmentOfAStart has settings that are awkward for a shell.
func TestEnvironmentOfAStart(t *testing.T) {
	t.Parallel()
	b := deployed(t, "UID=7\nPGPASSWORD=geheim\nEMPTY=\"\"\nQ=it's \"$x\" `y`\nPATH=/usr/bin:/bin:/odd\n# Name: a\n@daily tr '\\0' '\\n' </proc/$$/environ | sort\n")
	b.start("env-1", "a")
	r := b.wait("env-1")
	log, err := b.ReadLog(t.Context(), r.Key, 5000)
	if err != nil {
		t.Fatal(err)
	}
	want := "EMPTY=\nHOME=" + b.host.Home + "\nLOGNAME=" + b.host.User + "\nPATH=/usr/bin:/bin:/odd\nPGPASSWORD=geheim\n" +
		"PWD=" + b.host.Home + "\nQ=it's \"$x\" `y`\nSB_BUSINESS_DATE=2026-03-04\nSB_CHAIN=close\nSHELL=/bin/sh\nUID=7\n"
	if log.Text != want {
		t.Errorf("got:\n%s\nwant:\n%s", log.Text, want)
	}
}
