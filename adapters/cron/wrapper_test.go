package cron

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signalbox/test/peer"
)

// shells are what /bin/sh may be on a host.
func shells() map[string]string {
	return map[string]string{"dash": "/bin/dash", "ash": "/bin/busybox ash", "bash": "/bin/bash --posix", "mksh": "/bin/mksh"}
}

// eachShell runs a test in every shell that is installed.
func eachShell(t *testing.T, test func(t *testing.T, w *wrap)) {
	t.Helper()
	t.Parallel()
	for name, line := range shells() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer.Need(t, strings.Fields(line)[0])
			test(t, newWrap(t, line))
		})
	}
}

// wrap is the folder of Signalbox on a host, with the wrapper run by a certain shell.
type wrap struct {
	t   *testing.T
	dir string
	sh  string // the wrapper
}

func newWrap(t *testing.T, shell string) *wrap {
	t.Helper()
	w := &wrap{t: t, dir: t.TempDir()}
	w.sh = filepath.Join(w.dir, "bin", "sbsh")
	must(t, os.Mkdir(filepath.Join(w.dir, "bin"), 0o755))
	w.write(shell, "1048576")
	w.folders()
	return w
}

func (w *wrap) write(shell, limit string) {
	text := strings.Replace(source("sbsh.sh"), "#!/bin/sh", "#!"+shell, 1)
	text = strings.Replace(text, "sb_limit=1048576", "sb_limit="+limit, 1)
	must(w.t, os.WriteFile(w.sh, []byte(text), 0o755))
}

func (w *wrap) folders() {
	for _, d := range []string{"spool", "live", "claim", "out", "tmp", "stop"} {
		must(w.t, os.MkdirAll(filepath.Join(w.dir, d), 0o755))
	}
	must(w.t, os.WriteFile(filepath.Join(w.dir, "spool/00000001.log"), nil, 0o644))
	lost := fmt.Sprintf("n=%08d first=%-20s last=%-20s .\n", 0, "-", "-")
	must(w.t, os.WriteFile(filepath.Join(w.dir, "spool/lost"), []byte(lost), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cmd runs a command text as cron would.
func (w *wrap) cmd(text string, env ...string) *exec.Cmd {
	c := exec.Command(w.sh, "-c", text)
	c.Env = append([]string{"HOME=/", "LOGNAME=ops", "PATH=/usr/bin:/bin", "SHELL=" + w.sh}, env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Dir = "/"
	return c
}

// run gives output, error output and exit status.
func (w *wrap) run(text string, env ...string) (out, errText string, status int) {
	w.t.Helper()
	c := w.cmd(text, env...)
	var o, e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	err := c.Run()
	if c.ProcessState == nil {
		w.t.Fatal(err)
	}
	return o.String(), e.String(), c.ProcessState.ExitCode()
}

// spool gives all records, and fails the test for a line that is none.
func (w *wrap) spool() []record {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "spool/0*.log"))
	must(w.t, err)
	var all []record
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(w.t, err)
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSuffix(line, "\n"); line == "" {
				continue
			}
			r, ok := readRecord(line)
			if !ok {
				w.t.Errorf("torn: %q", line)
			}
			all = append(all, r)
		}
	}
	return all
}

func (w *wrap) kinds() string {
	var b strings.Builder
	for _, r := range w.spool() {
		b.WriteByte(r.kind)
	}
	return b.String()
}

// These show what a job inherits: its descriptors, and the signals that are ignored. Who starts the tests may
// ignore some himself (make's spawn does), so the job is compared with one that is not wrapped.
const (
	listDescriptors = "ls /proc/self/fd | tr '\\n' ' '"
	listIgnored     = "sed -n 's/^SigIgn:.//p' /proc/self/status"
)

func TestWrapperKeepsTheJobAsItIs(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		bare, err := exec.Command("/bin/sh", "-c", listDescriptors).Output()
		must(t, err)
		ignored, err := exec.Command("/bin/sh", "-c", listIgnored).Output()
		must(t, err)
		for _, c := range []struct {
			name, text  string
			env         []string
			out, errOut string
			status      int
		}{
			{name: "good", text: "echo hi", out: "hi\n"},
			{name: "bad", text: "echo no >&2; exit 3", errOut: "no\n", status: 3},
			{name: "255", text: "exit 255", status: 255},
			{name: "own variables are gone", text: `echo "${SB_JOB-}${SB_SHELL-}${SB_TOKEN-}|$SHELL|$FOO|$PATH"`, env: []string{"SB_JOB=x", "SB_SHELL=/bin/sh", "FOO=a  b", "PATH=/usr/bin:/odd"}, out: "|/bin/sh|a  b|/usr/bin:/odd\n"},
			{name: "the table's shell", text: `echo "$SHELL ${BASH_VERSION:+bash}"`, env: []string{"SB_SHELL=/bin/bash"}, out: "/bin/bash bash\n"},
			{name: "never through itself", text: `echo "$SHELL"`, env: []string{"SB_SHELL=" + w.sh}, out: "/bin/sh\n"},
			{name: "PATH without our tools", text: "echo $PATH", env: []string{"PATH=/nowhere"}, out: "/nowhere\n"},
			{name: "killed", text: "kill -9 $$", status: 137},
			{name: "no such shell", text: "true", env: []string{"SB_SHELL=/no/shell"}, status: 127, errOut: "*"},
			{name: "no further signal is ignored", text: listIgnored, out: string(ignored)},
			{name: "descriptors", text: listDescriptors, out: string(bare)},
		} {
			out, errOut, status := w.run(c.text, c.env...)
			if out != c.out || (errOut != c.errOut && c.errOut != "*") || status != c.status {
				t.Errorf("%s: %d %q %q, want %d %q %q", c.name, status, out, errOut, c.status, c.out, c.errOut)
			}
			records := w.spool()
			last := records[len(records)-1]
			if last.kind != 'e' || last.code != c.status || (last.signal == 9) != (c.status == 137) {
				t.Errorf("%s: recorded %+v", c.name, last)
			}
		}
	})
}

func TestWrapperPassesInputAndBytes(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		noise := make([]byte, 300_000)
		for i := range noise {
			noise[i] = byte(i * 7919 >> 3)
		}
		c := w.cmd("cat; printf err >&2")
		c.Stdin = bytes.NewReader(noise)
		var out, errOut bytes.Buffer
		c.Stdout, c.Stderr = &out, &errOut
		must(t, c.Run())
		if !bytes.Equal(out.Bytes(), noise) || errOut.String() != "err" {
			t.Errorf("%d bytes, %q", out.Len(), errOut.String())
		}
		closed := exec.Command("/bin/sh", "-c", `exec "$0" -c 'cat; exit 5' <&-`, w.sh)
		if err := closed.Run(); closed.ProcessState.ExitCode() != 5 {
			t.Errorf("with a closed input: %v", err)
		}
		direct := exec.Command(w.sh, "/dev/stdin", "a b")
		direct.Stdin = strings.NewReader(`echo "$# $1"`)
		if text, err := direct.Output(); err != nil || string(text) != "1 a b\n" {
			t.Errorf("used as an ordinary shell: %v %q", err, text)
		}
	})
}

func TestWrapperForwardsSignals(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		for _, c := range []struct {
			text   string
			status int
			signal int
		}{
			{"trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done", 9, 0},
			{"echo up; exec sleep 60", 143, 15},
		} {
			cmd := w.cmd(c.text)
			pipe, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			_, err = pipe.Read(make([]byte, 3)) // it is up
			must(t, err)
			must(t, cmd.Process.Signal(syscall.SIGTERM))
			_ = cmd.Wait() // judged below
			records := w.spool()
			last := records[len(records)-1]
			if cmd.ProcessState.ExitCode() != c.status || last.code != c.status || last.signal != c.signal || last.stopped {
				t.Errorf("%q: %v, recorded %+v", c.text, cmd.ProcessState, last)
			}
		}
	})
}

func TestWrapperWithoutSpool(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		try := func(name string) {
			t.Helper()
			for _, env := range [][]string{nil, {"SB_JOB=x"}} {
				if out, errOut, status := w.run("echo ran; exit 4", env...); out != "ran\n" || errOut != "" || status != 4 {
					t.Errorf("%s: %d %q %q", name, status, out, errOut)
				}
			}
		}
		for _, d := range []string{"spool", "live", "tmp", "stop", "claim", "out"} {
			must(t, os.RemoveAll(filepath.Join(w.dir, d)))
			try("without " + d)
		}
		must(t, os.WriteFile(filepath.Join(w.dir, "spool"), []byte("a file"), 0o644))
		try("with a file for a spool")
	})
}

// onBadDisk runs a test with the folder on a file system of its own. It needs root.
func onBadDisk(t *testing.T, options string, test func(t *testing.T, w *wrap)) {
	t.Helper()
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		if os.Getuid() != 0 {
			peer.Lack(t, "only root can mount a file system")
		}
		keep, err := os.ReadFile(w.sh)
		must(t, err)
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "sb-test", w.dir).CombinedOutput(); err != nil {
			peer.Lack(t, "cannot mount: "+string(out))
		}
		t.Cleanup(func() { _ = exec.Command("umount", "-l", w.dir).Run() })
		must(t, os.Mkdir(filepath.Dir(w.sh), 0o755))
		must(t, os.WriteFile(w.sh, keep, 0o755))
		w.folders()
		test(t, w)
	})
}

func (w *wrap) lost() string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "spool/lost"))
	must(w.t, err)
	return strings.Fields(string(text))[0]
}

func TestWrapperOnAFullDisk(t *testing.T) {
	onBadDisk(t, "size=256k", func(t *testing.T, w *wrap) {
		t.Helper()
		w.run("true")
		_ = os.WriteFile(filepath.Join(w.dir, "big"), make([]byte, 1<<20), 0o644) // as much as goes
		for range 2 {
			if out, errOut, status := w.run("echo ran; exit 4"); out != "ran\n" || errOut != "" || status != 4 {
				t.Errorf("%d %q %q", status, out, errOut)
			}
		}
		// What found no room is counted, unless the last page of the spool took it.
		if kinds, lost := w.kinds(), w.lost(); kinds == "se" && lost != "n=00000002" || strings.Count(kinds, "e") == 1 && lost == "n=00000000" {
			t.Errorf("records %q, lost %q", kinds, lost)
		}
		if out, _, status := w.run("echo ran", "SB_TOKEN=t1"); out != "" || status != 0 {
			if _, err := os.Stat(filepath.Join(w.dir, "claim/t1")); err != nil {
				t.Errorf("a run with a token ran without its claim: %d %q", status, out)
			}
		}
		must(t, os.Remove(filepath.Join(w.dir, "big")))
		w.run("exit 6")
		records := w.spool()
		if last := records[len(records)-1]; last.kind != 'e' || last.code != 6 {
			t.Errorf("after there was room again: %+v", last)
		}
	})
}

func TestWrapperWithoutInodes(t *testing.T) {
	onBadDisk(t, "size=1m,nr_inodes=13", func(t *testing.T, w *wrap) {
		t.Helper()
		for i := range 20 {
			if os.WriteFile(filepath.Join(w.dir, fmt.Sprint("f", i)), nil, 0o644) != nil {
				break
			}
		}
		if out, errOut, status := w.run("echo ran; exit 4"); out != "ran\n" || errOut != "" || status != 4 {
			t.Errorf("%d %q %q", status, out, errOut)
		}
		// The start cannot be kept, since its live file cannot be; the end stands alone.
		if kinds := w.kinds(); kinds != "e" {
			t.Errorf("records %q", kinds)
		}
	})
}

func TestWrapperReadOnly(t *testing.T) {
	onBadDisk(t, "size=1m", func(t *testing.T, w *wrap) {
		t.Helper()
		must(t, exec.Command("mount", "-o", "remount,ro", w.dir).Run())
		if out, errOut, status := w.run("echo ran; exit 4"); out != "ran\n" || errOut != "" || status != 4 {
			t.Errorf("%d %q %q", status, out, errOut)
		}
		if out, _, _ := w.run("echo ran", "SB_TOKEN=t1"); out != "" {
			t.Error("a run with a token ran without its claim")
		}
	})
}

func TestWrapperParallelAndRotation(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		text, err := os.ReadFile(w.sh)
		must(t, err)
		must(t, os.WriteFile(w.sh, bytes.Replace(text, []byte("sb_limit=1048576"), []byte("sb_limit=6000"), 1), 0o755))
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() { w.run(fmt.Sprintf("exit %d", i%2), fmt.Sprintf("SB_JOB=job %d", i)) })
		}
		all.Wait()
		files, err := filepath.Glob(filepath.Join(w.dir, "spool/0*.log"))
		must(t, err)
		if len(files) != 2 || !strings.HasSuffix(files[1], ".log") || strings.HasSuffix(files[1], "00000001.log") {
			t.Errorf("generations %v", files)
		}
		records := w.spool() // every one is whole
		if n := len(records); n < 15 || n > 80 {
			t.Errorf("%d records are left", n)
		}
		left, err := filepath.Glob(filepath.Join(w.dir, "live/*"))
		must(t, err)
		if len(left) != 0 {
			t.Errorf("live files are left: %v", left)
		}
	})
}

func TestWrapperDoesNotWaitForGrandchildren(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		c := w.cmd("sleep 30 & echo $!")
		pipe, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		var pid int
		_, err = fmt.Fscan(pipe, &pid)
		must(t, err)
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		peer.Eventually(t, 20*time.Second, "the end is recorded", func() bool { return w.kinds() == "se" })
		_ = pipe.Close()
		_ = c.Wait() // the pipe is held open by the grandchild; the status was recorded
	})
}

func TestWrapperClaimsOnce(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() { w.run("echo x >>"+w.dir+"/ran; yes | head -c 200000; echo end", "SB_TOKEN=tok", "SB_JOB=a") })
		}
		all.Wait()
		text, err := os.ReadFile(filepath.Join(w.dir, "ran"))
		if err != nil || string(text) != "x\n" {
			t.Errorf("%v %q", err, text)
		}
		if kinds := w.kinds(); kinds != "se" {
			t.Errorf("records %q", kinds)
		}
		run := w.spool()[0]
		if run.token != "tok" || run.name != "a" || run.cause != "bridge" {
			t.Errorf("%+v", run)
		}
		out, err := os.ReadFile(filepath.Join(w.dir, "out", run.run))
		if err != nil || len(out) != keptOutput || !strings.HasSuffix(string(out), "\ny\nend\n") {
			t.Errorf("%v, %d bytes kept", err, len(out))
		}
		if left, _ := filepath.Glob(filepath.Join(w.dir, "*/*."+"*")); len(left) != 1 { // the spool itself
			t.Errorf("left over: %v", left)
		}
	})
}

func TestWrapperTidiesUpAfterKilledRunners(t *testing.T) {
	eachShell(t, func(t *testing.T, w *wrap) {
		t.Helper()
		c := w.cmd("echo $$; exec sleep 60")
		pipe, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		var job int
		_, err = fmt.Fscan(pipe, &job)
		must(t, err)
		peer.Eventually(t, 10*time.Second, "the start is recorded", func() bool { return w.kinds() == "s" })
		must(t, c.Process.Kill())
		_ = c.Wait() // it was killed
		w.run("true")
		if kinds := w.kinds(); kinds != "sse" {
			t.Errorf("while the job still runs: %q", kinds)
		}
		must(t, syscall.Kill(job, syscall.SIGKILL))
		peer.Eventually(t, 10*time.Second, "the loss is recorded", func() bool {
			w.run("true")
			return strings.Contains(w.kinds(), "l")
		})
		for _, r := range w.spool() {
			if r.kind == 'l' && (r.fate != "gone" || r.run != w.spool()[0].run) {
				t.Errorf("%+v", r)
			}
		}
		// A live file of another boot, and a torn one.
		live := filepath.Join(w.dir, "live")
		lost := strings.Replace(w.spool()[0].raw, " b=", " b=other-", 1)
		lost = strings.Replace(lost, " r=2", " r=1", 1)
		must(t, os.WriteFile(filepath.Join(live, "other"), []byte(lost+"\n"), 0o644))
		must(t, os.WriteFile(filepath.Join(live, "torn"), []byte("sb1 s r=x"), 0o644))
		w.run("true")
		found := false
		for _, r := range w.spool() {
			found = found || r.kind == 'l' && r.fate == "reboot"
		}
		if _, err := os.Stat(filepath.Join(live, "torn")); !found || err != nil {
			t.Errorf("reboot recorded: %v, torn file: %v", found, err)
		}
	})
}

// TestScriptsAreWhole makes sure that every embedded file is there, and reads in every shell.
func TestScriptsAreWhole(t *testing.T) {
	t.Parallel()
	files, err := shell.ReadDir("sh")
	must(t, err)
	for _, f := range files {
		text := source(f.Name())
		if strings.Contains(text, "#include") || strings.Contains(text, "exit 70") || len(text) < 200 {
			t.Errorf("%s: %d bytes", f.Name(), len(text))
		}
		for name, line := range shells() {
			words := strings.Fields(line)
			if _, err := exec.LookPath(words[0]); err != nil || !strings.HasSuffix(f.Name(), ".sh") {
				continue
			}
			cmd := exec.Command(words[0], append(words[1:], "-n")...)
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s in %s: %v %s", f.Name(), name, err, out)
			}
		}
	}
}
