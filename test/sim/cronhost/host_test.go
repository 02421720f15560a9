package cronhost_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"signalbox/test/sim/cronhost"
)

// start brings up a host whose cron stands still, and stops it at the end of the test.
func start(t *testing.T, change func(*cronhost.Config)) *cronhost.Host {
	t.Helper()
	cfg := cronhost.Config{Dir: filepath.Join(t.TempDir(), "hosta"), Minute: -1}
	if change != nil {
		change(&cfg)
	}
	h, err := cronhost.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// clientConfig trusts the host's first key and logs in with the key it made.
func clientConfig(t *testing.T, h *cronhost.Host) *ssh.ClientConfig {
	t.Helper()
	text, err := os.ReadFile(h.ClientKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	_, _, key, _, _, err := ssh.ParseKnownHosts([]byte(h.HostKeyLine() + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &ssh.ClientConfig{
		User:              h.User(),
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   ssh.FixedHostKey(key),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		Timeout:           10 * time.Second,
	}
}

func dial(t *testing.T, h *cronhost.Host) *ssh.Client {
	t.Helper()
	client, err := ssh.Dial("tcp", h.Addr(), clientConfig(t, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// run executes a command line and gives what it printed.
func run(t *testing.T, client *ssh.Client, line, stdin string) (stdout, stderr string, err error) {
	t.Helper()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	var out, problems bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(stdin), &out, &problems
	err = session.Run(line)
	return out.String(), problems.String(), err
}

// eventually polls until what holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.User = "mvs"; c.Environment = []string{"X=y z"} })
	client := dial(t, h)
	for _, c := range []struct{ line, stdin, stdout, stderr, end string }{
		{line: "echo out; echo err >&2", stdout: "out\n", stderr: "err\n"},
		{line: "exit 3", end: "Process exited with status 3"},
		{line: "kill -TERM $$", end: "Process exited with status 143 from signal TERM"},
		{line: "nonexistent 2>/dev/null", end: "Process exited with status 127"},
		{line: "exec /bin/sh -s", stdin: "cat <<E\nhello\nE\nexit 4\n", stdout: "hello\n", end: "Process exited with status 4"},
		{line: "echo $USER $X $LOGNAME; pwd; echo $HOME", stdout: "mvs y z mvs\n" + h.Home() + "\n" + h.Home() + "\n"},
		{line: "wc -c", stdin: strings.Repeat("x", 300_000), stdout: "300000\n"},
		{line: "head -c 300000 /dev/zero | tr '\\0' y", stdout: strings.Repeat("y", 300_000)},
		{line: "tty", stdout: "not a tty\n", end: "Process exited with status 1"},
	} {
		stdout, stderr, err := run(t, client, c.line, c.stdin)
		end := ""
		if err != nil {
			end = err.Error()
		}
		if stdout != c.stdout || stderr != c.stderr || end != c.end {
			t.Errorf("%s: stdout %.80q, stderr %q, end %q; want %.80q, %q, %q", c.line, stdout, stderr, end, c.stdout, c.stderr, c.end)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	good := clientConfig(t, h)
	wrongUser, wrongKey := *good, *good
	wrongUser.User = "root"
	strange := filepath.Join(t.TempDir(), "key")
	if _, err := cronhost.NewKeyFile(strange); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strange)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	wrongKey.Auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	for name, config := range map[string]*ssh.ClientConfig{"user": &wrongUser, "key": &wrongKey} {
		if _, err := ssh.Dial("tcp", h.Addr(), config); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
	for _, name := range []string{strange, h.ClientKeyFile()} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", name, info.Mode(), err)
		}
	}
}

// TestTwoKeys: a host shows an ECDSA and an ed25519 key, as OpenSSH does, and known_hosts has one of
// them. A client that does not ask for the one it knows meets the other.
func TestTwoKeys(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	config := clientConfig(t, h)
	config.HostKeyAlgorithms = nil
	if _, err := ssh.Dial("tcp", h.Addr(), config); err == nil || !strings.Contains(err.Error(), "host key mismatch") {
		t.Errorf("without host key algorithms: %v, want a mismatch", err)
	}
}

func TestCrontabCommand(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	if _, err := h.Crontab(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("crontab of a new host: %v", err)
	}
	const good = "# Name: a\n0 5 * * * echo a%b\n"
	for _, c := range []struct {
		line, stdin, stdout, stderr string
		fails                       bool
	}{
		{line: "crontab -l", stderr: "no crontab for ops\n", fails: true},
		{line: "crontab -r", stderr: "no crontab for ops\n", fails: true},
		{line: "crontab -", stdin: "A=b\n75 * * * * x\n", stderr: "\"-\":1: bad minute\nerrors in crontab file, can't install.\n", fails: true},
		{line: "crontab -l", stderr: "no crontab for ops\n", fails: true},
		{line: "crontab -", stdin: "* * * * * x", stderr: "new crontab file is missing newline before EOF, can't install.\n", fails: true},
		{line: "crontab -n -", stdin: good, stderr: "The syntax of the crontab file was successfully checked.\n"},
		{line: "crontab -l", stderr: "no crontab for ops\n", fails: true},
		{line: "crontab -", stdin: good},
		{line: "crontab -l", stdout: good},
		{line: "crontab -u ops -l", stdout: good},
		{line: "crontab -u root -l", stderr: "must be privileged to use -u\n", fails: true},
		{line: "crontab nofile", stderr: "nofile: No such file or directory\n", fails: true},
		{line: "echo '@hourly z' >f; crontab f; crontab -l; crontab -r; crontab -l", stdout: "@hourly z\n", stderr: "no crontab for ops\n", fails: true},
	} {
		stdout, stderr, err := run(t, client, c.line, c.stdin)
		if stdout != c.stdout || stderr != c.stderr || (err != nil) != c.fails {
			t.Errorf("%s: stdout %q, stderr %q, end %v; want %q, %q, failure %v", c.line, stdout, stderr, err, c.stdout, c.stderr, c.fails)
		}
		var exit *ssh.ExitError
		if c.fails && (!errors.As(err, &exit) || exit.ExitStatus() != 1) {
			t.Errorf("%s: %v, want status 1", c.line, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(h.Dir(), "var/cron/*.*"))
	if err != nil || len(left) > 0 {
		t.Errorf("crontab leaves %v, %v", left, err)
	}
}

// TestCommandLog: enough is kept to prove what was asked, and how much went over the wire.
func TestCommandLog(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	if _, _, err := run(t, client, "cat; echo x >&2; exit 3", "one\ntwo\n"); err == nil {
		t.Fatal("exit 3 is a failure")
	}
	log := h.Commands()
	if len(log) != 1 {
		t.Fatalf("%d commands logged, want 1", len(log))
	}
	c := log[0]
	if c.Ended.Before(c.Started) {
		t.Errorf("ended %s before it started %s", c.Ended, c.Started)
	}
	c.Started, c.Ended = time.Time{}, time.Time{}
	want := cronhost.Command{
		Number: 1, Connection: 1, Session: 1, Kind: cronhost.Exec, Line: "cat; echo x >&2; exit 3",
		Stdin: 8, Stdout: 8, Stderr: 2, StdinHead: "one\ntwo\n", Exit: "exit 3",
		StdinDigest: "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8",
	}
	if c != want {
		t.Errorf("logged %+v\nwant   %+v", c, want)
	}
	if traffic := h.Traffic(); traffic.Connections != 1 || traffic.Received < 500 || traffic.Sent < 500 {
		t.Errorf("traffic %+v: a handshake alone is more", traffic)
	}
}

func TestLogSize(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.LogSize = 3; c.Crontab = "@hourly true\n" })
	client := dial(t, h)
	for range 5 {
		if _, _, err := run(t, client, "true", ""); err != nil {
			t.Fatal(err)
		}
		if err := h.RunNow("true"); err != nil {
			t.Fatal(err)
		}
	}
	log := h.Commands()
	if len(log) != 3 || log[0].Number != 3 || log[2].Number != 5 || len(h.Runs()) != 3 {
		t.Errorf("%d commands from %d, %d runs; want the last 3", len(log), log[0].Number, len(h.Runs()))
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Crontab = "@hourly true\n" })
	client := dial(t, h)
	snapshot := func() cronhost.Snapshot {
		s, err := h.Snapshot("home/noise")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct{ line, want string }{
		{"crontab -l; cat /etc/hostname; ls -la; mkdir -p noise; date >noise/x", ""},
		{"echo a >f", "new: home/f"},
		{"chmod 600 f", "changed: home/f"},
		{"touch -d @0 f", "changed: home/f"},
		{"echo b >f; touch -d @0 f", "changed: home/f"},
		{"ln -s f g", "new: home/g"},
		{"rm f", "gone: home/f"},
		{"echo '@daily x' | crontab -", "changed: var/cron/tabs/ops"},
	} {
		before := snapshot()
		if _, _, err := run(t, client, c.line, ""); err != nil {
			t.Fatal(err)
		}
		after := snapshot()
		diff := strings.Join(before.Diff(after), "\n")
		if got := regexp.MustCompile(`: was .*`).ReplaceAllString(diff, ""); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.line, diff, c.want)
		}
		if same := before.Sum() == after.Sum(); same != (c.want == "") {
			t.Errorf("%s: same sum %v", c.line, same)
		}
	}
}
