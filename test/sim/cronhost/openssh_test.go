package cronhost_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signalbox/test/sim/cronhost"
)

// openSSH is the real client, which knows nothing of ours.
type openSSH struct {
	ssh, sftp string
	options   []string
	target    string
}

// newOpenSSH sets up the real client for a host. It is skipped on a laptop without it; CI has it.
func newOpenSSH(t *testing.T, h *cronhost.Host) *openSSH {
	t.Helper()
	programs := make([]string, 2)
	for i, name := range []string{"ssh", "sftp"} {
		path, err := exec.LookPath(name)
		switch {
		case err == nil:
			programs[i] = path
		case os.Getenv("CI") == "true":
			t.Fatalf("%v: CI must have it", err)
		default:
			t.Skip(err)
		}
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(h.HostKeyLine()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(h.Addr(), ":")
	return &openSSH{
		ssh: programs[0], sftp: programs[1], target: h.User() + "@" + host,
		options: []string{
			"-F", "none", "-o", "Port=" + port, "-i", h.ClientKeyFile(), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
			"-o", "UserKnownHostsFile=" + known, "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR",
		},
	}
}

// run gives standard output, standard error and the exit code of the client.
func (o *openSSH) run(t *testing.T, program, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(program, append(append([]string{}, o.options...), args...)...)
	var out, problems strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &problems
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

func TestOpenSSHClient(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := newOpenSSH(t, h)
	for _, c := range []struct {
		line, stdin, stdout, stderr string
		code                        int
	}{
		{line: "echo out; echo err >&2; exit 7", stdout: "out\n", stderr: "err\n", code: 7},
		{line: "exec /bin/sh -s", stdin: "wc -l <<E\na\nb\nE\n", stdout: "2\n"},
		{line: "", stdin: "echo \"$0\"; exit 4\n", stdout: "-sh\n", code: 4},
		{line: "kill -KILL $$", code: 255},
		{line: "cat | wc -c", stdin: strings.Repeat("x", 3_000_000), stdout: "3000000\n"},
		{line: "crontab -l", stderr: "no crontab for ops\n", code: 1},
	} {
		args := []string{"-T", client.target}
		if c.line != "" {
			args = append(args, c.line)
		}
		stdout, stderr, code := client.run(t, client.ssh, c.stdin, args...)
		if stdout != c.stdout || stderr != c.stderr || code != c.code {
			t.Errorf("%s: %q, %q, code %d; want %q, %q, %d", c.line, stdout, stderr, code, c.stdout, c.stderr, c.code)
		}
	}
}

func TestOpenSSHSFTP(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := newOpenSSH(t, h)
	for _, name := range []string{"b", "a"} {
		if err := os.WriteFile(filepath.Join(h.Home(), name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := filepath.Join(t.TempDir(), "got")
	stdout, stderr, code := client.run(t, client.sftp, "ls -1\nget a "+got+"\nrename a c\nls -1\n", "-q", "-b", "-", client.target)
	if code != 0 || !strings.Contains(stdout, "\na\nb\n") || !strings.Contains(stdout, "\nb\nc\n") || readIfThere(got) != "a" {
		t.Errorf("code %d, stderr %q, got %q:\n%s", code, stderr, readIfThere(got), stdout)
	}
}

func TestOpenSSHRefusals(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := newOpenSSH(t, h)
	wrong := *client
	wrong.options = append([]string{}, client.options...)
	stranger := filepath.Join(t.TempDir(), "key")
	if _, err := cronhost.NewKeyFile(stranger); err != nil {
		t.Fatal(err)
	}
	for i, option := range wrong.options {
		if option == h.ClientKeyFile() {
			wrong.options[i] = stranger
		}
	}
	if _, stderr, code := wrong.run(t, wrong.ssh, "", client.target, "true"); code != 255 || !strings.Contains(stderr, "Permission denied (publickey)") {
		t.Errorf("wrong key: code %d, %q", code, stderr)
	}
	set(t, h, cronhost.Faults{OtherHostKey: true})
	_, stderr, code := client.run(t, client.ssh, "", client.target, "true")
	if code != 255 || !strings.Contains(stderr, "REMOTE HOST IDENTIFICATION HAS CHANGED") {
		t.Errorf("changed host key: code %d, %q", code, stderr)
	}
	set(t, h, cronhost.Faults{Rules: []cronhost.Rule{{Match: "touch", Do: cronhost.DropAfter}}})
	if _, _, code := client.run(t, client.ssh, "", client.target, "touch done"); code != 255 || !exists(filepath.Join(h.Home(), "done")) {
		t.Errorf("dropped after the effect: code %d, effect %v", code, exists(filepath.Join(h.Home(), "done")))
	}
	if n := len(h.Commands()); n != 1 {
		t.Errorf("%d commands arrived, want 1: the refused clients must not get that far", n)
	}
}

// TestOpenSSHMaster: two sessions at once on one connection.
func TestOpenSSHMaster(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := newOpenSSH(t, h)
	socket := filepath.Join(t.TempDir(), "s")
	master := exec.Command(client.ssh, append(append([]string{}, client.options...), "-M", "-S", socket, "-N", client.target)...)
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = master.Wait() }()
	defer func() { _ = master.Process.Kill(); <-ended }()
	eventually(t, "the master is up", func() bool { return exists(socket) })
	first := make(chan string)
	go func() {
		out, _, _ := client.run(t, client.ssh, "", "-S", socket, client.target, "while [ ! -e go ]; do sleep 0.01; done; echo first")
		first <- out
	}()
	eventually(t, "the first session runs", func() bool { return len(h.Commands()) == 1 })
	if out, _, code := client.run(t, client.ssh, "", "-S", socket, client.target, "touch go; echo second"); out != "second\n" || code != 0 {
		t.Errorf("second session: %q, code %d", out, code)
	}
	if out := <-first; out != "first\n" {
		t.Errorf("first session: %q", out)
	}
	for i, c := range h.Commands() {
		if c.Connection != 1 || c.Session != i+1 {
			t.Errorf("command %d came on connection %d, session %d", i, c.Connection, c.Session)
		}
	}
}
