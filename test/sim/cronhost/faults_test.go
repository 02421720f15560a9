package cronhost_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"signalbox/test/sim/cronhost"
)

func set(t *testing.T, h *cronhost.Host, f cronhost.Faults) {
	t.Helper()
	if err := h.SetFaults(f); err != nil {
		t.Fatal(err)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// within runs f and says whether it was done in that time; if not it goes on in the background.
func within(d time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	addr := h.Addr()
	set(t, h, cronhost.Faults{Refuse: true})
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want connection refused", err)
	}
	if _, _, err := run(t, client, "true", ""); err != nil {
		t.Errorf("an open connection: %v, want it to go on", err)
	}
	set(t, h, cronhost.Faults{})
	if h.Addr() != addr {
		t.Errorf("now at %s, was at %s", h.Addr(), addr)
	}
	if _, _, err := run(t, dial(t, h), "true", ""); err != nil {
		t.Error(err)
	}
}

// TestSilent: a half-open host takes the connection and says nothing.
func TestSilent(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Faults.Silent = true })
	conn, err := net.Dial("tcp", h.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if said := make([]byte, 1); within(100*time.Millisecond, func() { _, _ = conn.Read(said) }) {
		t.Fatalf("it said %q", said)
	}
	set(t, h, cronhost.Faults{})
	other, err := net.Dial("tcp", h.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	banner := make([]byte, 8)
	if _, err := io.ReadFull(other, banner); err != nil || string(banner) != "SSH-2.0-" {
		t.Errorf("after it woke up: %q, %v", banner, err)
	}
}

// TestStall: everything on open connections stops both ways, and goes on where it was.
func TestStall(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	set(t, h, cronhost.Faults{Stall: true})
	answered := make(chan error, 1)
	go func() {
		_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	}()
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case err := <-answered:
		t.Fatalf("a stalled host answers a keepalive: %v", err)
	case <-timer.C:
	}
	set(t, h, cronhost.Faults{})
	if err := <-answered; err != nil {
		t.Errorf("after the stall: %v", err)
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	for name, f := range map[string]cronhost.Faults{
		"latency": {Latency: 150 * time.Millisecond},
		"rate":    {BytesPerSecond: 2000},
	} {
		set(t, h, f)
		began := time.Now()
		if out, _, err := run(t, client, "printf %600s x", ""); err != nil || len(out) != 600 {
			t.Errorf("%s: %d bytes, %v", name, len(out), err)
		}
		if took := time.Since(began); took < 150*time.Millisecond {
			t.Errorf("%s: answered after %s", name, took)
		}
	}
}

func TestDenyAuth(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Faults.DenyAuth = true })
	if _, err := ssh.Dial("tcp", h.Addr(), clientConfig(t, h)); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("dial: %v", err)
	}
}

func TestOtherHostKey(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	set(t, h, cronhost.Faults{OtherHostKey: true})
	if _, err := ssh.Dial("tcp", h.Addr(), clientConfig(t, h)); err == nil || !strings.Contains(err.Error(), "host key mismatch") {
		t.Errorf("dial: %v", err)
	}
	set(t, h, cronhost.Faults{})
	dial(t, h)
}

func TestMaxSessions(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	open := make([]*ssh.Session, 0, 10)
	for range 10 {
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	_, err := client.NewSession()
	if err == nil || err.Error() != `ssh: rejected: connect failed ("open failed")` {
		t.Errorf("the 11th session: %v", err)
	}
	_ = open[0].Close()
	eventually(t, "a session is free again", func() bool {
		s, err := client.NewSession()
		if err == nil {
			_ = s.Close()
		}
		return err == nil
	})
}

func TestMaxStartups(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Faults.MaxStartups = 2 })
	var held []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", h.Addr())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
		if _, err := io.ReadFull(c, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ssh.Dial("tcp", h.Addr(), clientConfig(t, h)); err == nil {
		t.Error("a third connection is served")
	}
	_ = held[0].Close()
	eventually(t, "there is room again", func() bool {
		c, err := ssh.Dial("tcp", h.Addr(), clientConfig(t, h))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	_ = held[1].Close()
}

func TestNoise(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Faults = cronhost.Faults{NoiseBefore: "Welcome!\n", NoiseAfter: "bye\n"} })
	client := dial(t, h)
	if out, _, err := run(t, client, "echo x", ""); out != "Welcome!\nx\nbye\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if c, err := sftp.NewClient(client); err == nil {
		_ = c.Close()
		t.Error("sftp works in spite of the noise; with OpenSSH it does not")
	}
}

func TestSFTP(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	c, err := sftp.NewClient(client)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte("text"))
	if err := errors.Join(err, f.Close(), c.PosixRename("a", "b"), c.Close()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(h.Home(), "b")); string(text) != "text" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	log := h.Commands()
	if len(log) != 1 || log[0].Kind != cronhost.Subsystem || log[0].Line != "sftp" || log[0].Stdin == 0 || log[0].Stdout == 0 {
		t.Errorf("logged %+v", log)
	}
	set(t, h, cronhost.Faults{NoSFTP: true})
	if c, err := sftp.NewClient(client); err == nil {
		_ = c.Close()
		t.Error("there is no sftp, and yet it starts")
	}
}

// TestRules: the four ways in which a command goes wrong, matched on the line and on standard input.
func TestRules(t *testing.T) {
	t.Parallel()
	const script = "echo begin; touch done; echo end\n"
	for name, c := range map[string]struct {
		rule   cronhost.Rule
		stdin  bool // the script comes on standard input
		stdout string
		effect bool
		lost   bool // the connection is gone
	}{
		"before, line":      {rule: cronhost.Rule{Match: "touch", Do: cronhost.DropBefore}, lost: true},
		"before, stdin":     {rule: cronhost.Rule{Match: "touch", Do: cronhost.DropBefore}, stdin: true, lost: true},
		"after, line":       {rule: cronhost.Rule{Match: "touch", Do: cronhost.DropAfter}, effect: true, lost: true},
		"after, stdin":      {rule: cronhost.Rule{Match: "touch", Do: cronhost.DropAfter}, stdin: true, effect: true, lost: true},
		"after, said":       {rule: cronhost.Rule{Do: cronhost.DropAfter, Until: "end"}, stdin: true, effect: true, lost: true},
		"cut":               {rule: cronhost.Rule{Do: cronhost.Truncate, Bytes: 7}, stdout: "begin\ne", effect: true},
		"cut at nothing":    {rule: cronhost.Rule{Do: cronhost.Truncate}, stdout: "", effect: true},
		"cut, but not hit":  {rule: cronhost.Rule{Do: cronhost.Truncate, Bytes: 100}, stdout: "begin\nend\n", effect: true},
		"another, stdin":    {rule: cronhost.Rule{Match: "other", Do: cronhost.DropBefore}, stdin: true, stdout: "begin\nend\n", effect: true},
		"another, the line": {rule: cronhost.Rule{Match: "other", Do: cronhost.DropBefore}, stdout: "begin\nend\n", effect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.rule.Times = 1
			h := start(t, func(cfg *cronhost.Config) { cfg.Faults.Rules = []cronhost.Rule{c.rule} })
			client := dial(t, h)
			line, stdin := script, ""
			if c.stdin {
				line, stdin = "exec /bin/sh -s", script
			}
			stdout, _, err := run(t, client, line, stdin)
			if stdout != c.stdout {
				t.Errorf("stdout %q, want %q", stdout, c.stdout)
			}
			var exit *ssh.ExitError
			hit := c.lost || len(c.stdout) < len("begin\nend\n")
			if hit && (err == nil || errors.As(err, &exit)) {
				t.Errorf("%v: an answer that nobody gave", err)
			}
			if !hit && err != nil {
				t.Error(err)
			}
			effect := filepath.Join(h.Home(), "done")
			if c.effect && !strings.HasPrefix(name, "cut") {
				eventually(t, "the effect", func() bool { return exists(effect) })
			}
			eventually(t, "the command is over", func() bool { return len(h.Commands()) == 1 && !h.Commands()[0].Ended.IsZero() })
			if !c.effect && exists(effect) {
				t.Error("it had an effect")
			}
			if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); (err != nil) != c.lost {
				t.Errorf("keepalive afterwards: %v, want the connection lost: %v", err, c.lost)
			}
			if _, _, err := run(t, dial(t, h), script, ""); err != nil {
				t.Errorf("the rule was good for one command only; the second: %v", err)
			}
		})
	}
}

// TestMute: the command takes effect and its answer never comes; the connection lives.
func TestMute(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Faults.Rules = []cronhost.Rule{{Match: "touch", Do: cronhost.Mute}} })
	client := dial(t, h)
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	if err := session.Start("touch done"); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- session.Wait() }()
	eventually(t, "the effect", func() bool { return exists(filepath.Join(h.Home(), "done")) && h.Commands()[0].Exit == "exit 0" })
	if out, _, err := run(t, client, "echo x", ""); out != "x\n" || err != nil {
		t.Errorf("another command: %q, %v", out, err)
	}
	select {
	case err := <-ended:
		t.Errorf("it was answered: %v", err)
	default:
	}
	if got := h.Commands()[0].Fault; got != cronhost.Mute {
		t.Errorf("logged fault %q", got)
	}
}

func TestUnknownAction(t *testing.T) {
	t.Parallel()
	h := start(t, func(c *cronhost.Config) { c.Faults.NoSFTP = true })
	err := h.SetFaults(cronhost.Faults{Rules: []cronhost.Rule{{Do: "explode"}}})
	if err == nil || !strings.Contains(err.Error(), `"explode"`) || !h.Faults().NoSFTP {
		t.Errorf("%v, faults %+v; want an error and the faults as they were", err, h.Faults())
	}
}
