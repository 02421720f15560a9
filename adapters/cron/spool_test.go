package cron_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/test/peer"
)

// onHost runs a command in the host's home, without the adapter.
func (b *box) onHost(command string) string {
	b.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Env = append(os.Environ(), "HOME="+b.host.Home, "PATH="+b.host.Bin+":/usr/bin:/bin", "LOGNAME="+b.host.User)
	cmd.Dir = b.host.Home
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v: %s", command, err, out)
	}
	return string(out)
}

// native runs a command as cron would, to its end.
func (b *box) native(text string, env ...string) {
	b.t.Helper()
	wrapper := b.path(".signalbox/bin/sbsh")
	cmd := exec.Command(wrapper, "-c", text)
	cmd.Env = append([]string{"HOME=" + b.host.Home, "LOGNAME=" + b.host.User, "PATH=/usr/bin:/bin", "SHELL=" + wrapper}, env...)
	_ = cmd.Run() // its exit status is the job's
}

func (b *box) wantGap(part string) {
	b.t.Helper()
	if len(b.gaps) != 1 || !strings.Contains(b.gaps[0], part) {
		b.t.Errorf("gaps %q, want one with %q", b.gaps, part)
	}
	b.gaps = nil
}

func (b *box) appendTo(name, text string) {
	b.t.Helper()
	f, err := os.OpenFile(b.path(".signalbox", name), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err = f.WriteString(text); err != nil {
		b.t.Fatal(err)
	}
	if err = f.Close(); err != nil {
		b.t.Fatal(err)
	}
}

func TestTornRecords(t *testing.T) {
	t.Parallel()
	b := deployed(t, "SB_JOB=a\n@daily true\n")
	b.native("true", "SB_JOB=a")
	b.poll()
	whole := b.read(".signalbox/spool/00000001.log")
	line, _, _ := strings.Cut(strings.TrimSpace(whole), "\n")
	line = strings.ReplaceAll(line, " r=", " r=x")
	// A torn tail may still be under way: it is neither read nor passed over.
	b.appendTo("spool/00000001.log", "\n"+line[:60])
	if obs := b.poll(); len(obs) != 0 || len(b.gaps) != 0 {
		t.Errorf("%v %q", obs, b.gaps)
	}
	b.native("exit 3", "SB_JOB=a")
	if obs := b.poll(); len(obs) != 2 || obs[1].State != job.Failed {
		t.Errorf("%+v", obs)
	}
	b.wantGap("1 torn record")
	for _, bad := range []string{"rubbish\n", "sb1 q" + line[5:] + "\n", strings.Replace(line, " .", "", 1) + "\n", strings.Replace(line, "c=schedule", "c=magic", 1) + "\n", "\x00\x00\x00\n"} {
		b.appendTo("spool/00000001.log", bad)
		if obs := b.poll(); len(obs) != 0 {
			t.Errorf("%q: %+v", bad, obs)
		}
		b.wantGap("torn")
	}
}

func TestSpoolMadeAnew(t *testing.T) {
	t.Parallel()
	b := deployed(t, "# Name: long\n@daily exec sleep 60\n# Name: a\n@daily true\n")
	s := b.start("t1", "long")
	b.poll()
	keep := b.read(".signalbox/live/" + s.Run.Native)
	if err := os.RemoveAll(b.path(".signalbox/spool")); err != nil {
		t.Fatal(err)
	}
	b.poll()
	b.wantGap("is gone")
	if r := b.runs[s.Run.Native]; r.State() == job.Unknown && r.Terminal() {
		t.Errorf("its live file shows that it runs: %+v", r.Latest)
	}
	b.deploy()
	b.native("true")
	b.poll()
	if len(b.gaps) != 0 {
		t.Errorf("%q", b.gaps)
	}
	if r := b.runs[s.Run.Native]; r.State() != job.Running {
		t.Errorf("%+v", r.Latest)
	}
	if err := os.WriteFile(b.path(".signalbox/spool/id"), []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b.path(".signalbox/live", s.Run.Native)); err != nil {
		t.Fatal(err)
	}
	b.poll()
	b.wantGap("made anew")
	if r := b.runs[s.Run.Native]; r.State() != job.Unknown || !r.Terminal() {
		t.Errorf("its end may be in what is lost: %+v", r.Latest)
	}
	// So that it can be stopped.
	if err := os.WriteFile(b.path(".signalbox/live", s.Run.Native), []byte(keep), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Cancel(t.Context(), s.Run); err != nil {
		t.Fatal(err)
	}
	peer.Eventually(t, 20*time.Second, "its end came after all", func() bool {
		b.poll()
		r := b.runs[s.Run.Native]
		return r.State() == job.Cancelled
	})
}

func TestSpoolOverwrittenCutAndDeleted(t *testing.T) {
	t.Parallel()
	b := deployed(t, "SB_JOB=a\n@daily true\n")
	b.native("true", "SB_JOB=a")
	b.poll()
	b.onHost("cd .signalbox/spool && cp 00000001.log 00000003.log && mv 00000001.log 00000002.log")
	b.poll()
	b.wantGap("overwritten")
	b.onHost("cd .signalbox/spool && : >00000003.log")
	b.poll()
	b.wantGap("cut down")
	b.onHost("cd .signalbox/spool && rm *.log && : >00000001.log")
	b.poll()
	b.wantGap("deleted")
	b.native("exit 9", "SB_JOB=a")
	if obs := b.poll(); len(obs) != 2 || obs[1].NativeState != "rc=9" || len(b.gaps) != 0 {
		t.Errorf("%+v %q", obs, b.gaps)
	}
}

// TestRotationLosesNothing reads while generations change, one of them with a late writer.
func TestRotationLosesNothing(t *testing.T) {
	t.Parallel()
	b := deployed(t, "SB_JOB=a\n@daily true\n")
	b.native("exit 1", "SB_JOB=a")
	b.poll()
	first := b.read(".signalbox/spool/00000001.log")
	b.appendTo("spool/00000001.log", strings.Repeat("\n", 1<<20)) // over the limit, no record
	b.native("exit 2", "SB_JOB=a")                                // rotates behind itself
	b.native("exit 3", "SB_JOB=a")
	late := strings.NewReplacer(" r=", " r=late", "rc=1", "rc=4").Replace(first)
	b.poll()
	b.appendTo("spool/00000001.log", late)
	b.native("exit 5", "SB_JOB=a")
	b.poll()
	var ends []string
	for _, r := range b.runs {
		ends = append(ends, r.Latest.NativeState)
	}
	if len(b.runs) != 5 || !strings.Contains(fmt.Sprint(ends), "rc=4") || !strings.Contains(string(b.cur), `"gen":2`) {
		t.Errorf("%v %s", ends, b.cur)
	}
	if len(b.gaps) != 0 {
		t.Errorf("%q", b.gaps)
	}
	b.appendTo("spool/00000002.log", strings.Repeat("x", 1<<19)+"\n")
	b.native("exit 6", "SB_JOB=a")
	b.poll()
	if len(b.runs) != 6 || len(b.gaps) == 0 {
		t.Errorf("behind a line without end: %d runs, %q", len(b.runs), b.gaps)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := deployed(t, "SB_JOB=a\n@daily true\n")
	b.native("true", "SB_JOB=a")
	text := b.read(".signalbox/spool/00000001.log")
	var many strings.Builder
	for i := range 1500 {
		many.WriteString(strings.ReplaceAll(text, " r=", fmt.Sprintf(" r=n%d-", i)))
	}
	b.appendTo("spool/00000001.log", many.String())
	got, err := b.Poll(t.Context(), nil)
	if err != nil || !got.More || len(got.Observations) == 0 {
		t.Fatalf("%v %+v", err, got.More)
	}
	b.poll()
	if len(b.runs) != 1501 || len(b.gaps) != 0 {
		t.Errorf("%d runs, %q", len(b.runs), b.gaps)
	}
}

func TestDiskFullIsTold(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		peer.Lack(t, "only root can mount a file system")
	}
	b := newBox(t, peer.Start(t, peer.Options{}), nil)
	b.host.SetCrontab(t, "SB_JOB=a\n@daily true\n")
	small := b.path(".signalbox")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=400k", "sb-test", small).CombinedOutput(); err != nil {
		peer.Lack(t, "cannot mount: "+string(out))
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", small).Run() })
	b.deploy()
	b.start("t0", "a")
	b.wait("t0")
	_ = os.WriteFile(filepath.Join(small, "big"), bytes.Repeat([]byte("x"), 1<<20), 0o600)
	mark := filepath.Join(t.TempDir(), "ran")
	for range 40 { // until the last page of the spool is full too
		b.native("echo x >>"+mark, "SB_JOB=a")
	}
	if text, err := os.ReadFile(mark); err != nil || len(text) != 80 {
		t.Fatalf("the job did not run: %v %q", err, text)
	}
	b.poll()
	if len(b.gaps) == 0 || !strings.Contains(strings.Join(b.gaps, " "), "had no room") {
		t.Errorf("gaps %q", b.gaps)
	}
	_, err := b.Start(t.Context(), startRequest("t9", "a"))
	if err == nil {
		t.Error("a start without room for its claim was accepted")
	} else if !strings.Contains(err.Error(), "disk full") {
		t.Errorf("%v", err)
	}
	if err := os.Remove(filepath.Join(small, "big")); err != nil {
		t.Fatal(err)
	}
	b.gaps = nil
	b.start("t9", "a")
	if r := b.wait("t9"); r.State() != job.Succeeded {
		t.Errorf("%+v", r)
	}
}

func TestReadOnlySpoolIsTold(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		peer.Lack(t, "only root can mount a file system")
	}
	b := deployed(t, "SB_JOB=a\n@daily true\n")
	b.poll()
	spool := b.path(".signalbox/spool")
	if out, err := exec.Command("sh", "-c", `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"`, "sh", spool).CombinedOutput(); err != nil {
		peer.Lack(t, "cannot mount: "+string(out))
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", spool).Run() })
	b.poll()
	b.wantGap("cannot be written")
	b.poll()
	if len(b.gaps) != 0 {
		t.Errorf("told twice: %q", b.gaps)
	}
	if err := exec.Command("umount", "-l", spool).Run(); err != nil {
		t.Fatal(err)
	}
	b.poll()
	b.wantGap("could not be written")
}

// TestPollIsOneSmallCommand counts commands at the SSH server, for one job and for many.
func TestPollIsOneSmallCommand(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, "SB_JOB=job-%d\n%d 5 * * * /opt/job %d\n", i, i%60, i)
	}
	b := deployed(t, many.String())
	count := func() int { return strings.Count(b.host.Log(), "Starting session: ") }
	b.poll()
	before := count()
	for range 10 {
		b.poll()
	}
	peer.Eventually(t, 5*time.Second, "ten polls are ten commands", func() bool { return count()-before == 10 })
	if l, err := b.List(t.Context()); err != nil || len(l.Jobs) != 2000 || len(l.Problems) > 1 {
		t.Errorf("%v %d jobs %v", err, len(l.Jobs), l.Problems)
	}
}
