package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signalbox/test/peer"
	"signalbox/test/sim/cronhost"
)

// site is an installation: a folder with a configuration, and the server that runs with it.
type site struct {
	t      *testing.T
	dir    string
	config string
	listen string
	token  string
	server *server
}

type server struct {
	cmd  *exec.Cmd
	log  *tail
	done chan error
}

// tail keeps what a process printed.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// newSite writes a configuration for hosts a and b and a chain file.
func newSite(t *testing.T, a, b account, chain string) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, dir: dir, config: filepath.Join(dir, "signalbox.yaml"), listen: freeAddr(t), token: "story-token-0123456789"}
	s.write("token", s.token, 0o600)
	s.write("chain.yaml", chain, 0o644)
	text := "listen: " + s.listen + "\ndatabase: ledger.db\nnode: story\napi: {token: file:token}\nchains: [chain.yaml]\nsources:\n"
	text += a.source("a") + b.source("b")
	s.write("signalbox.yaml", text, 0o644)
	return s
}

// account is how a host is reached.
type account struct{ addr, user, key, knownHosts string }

func machine(h *peer.Host) account {
	return account{addr: h.Addr, user: h.User, key: h.KeyFile, knownHosts: h.KnownHosts}
}

// simulated writes the known_hosts file of a simulated host.
func simulated(t *testing.T, h *cronhost.Host) account {
	t.Helper()
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(h.HostKeyLine()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return account{addr: h.Addr(), user: h.User(), key: h.ClientKeyFile(), knownHosts: known}
}

// source is the account as a source of the configuration.
func (a account) source(name string) string {
	host, port, _ := strings.Cut(a.addr, ":")
	return fmt.Sprintf("  %s:\n    kind: cron\n    host: %s\n    port: %s\n    user: %s\n    key_file: %s\n    known_hosts: %s\n"+
		"    poll: {fast: 200ms, slow: 500ms}\n    budget: {polls_per_minute: 600}\n", name, host, port, a.user, a.key, a.knownHosts)
}

func (s *site) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

// run carries out one command line and gives what it printed, and its exit code.
func (s *site) run(args ...string) (out, errOut string, code int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"--config", s.config}, args...)...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // exec gives it bare
		s.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// must carries out a command line that has to succeed.
func (s *site) must(args ...string) string {
	s.t.Helper()
	out, errOut, code := s.run(args...)
	if code != 0 {
		s.t.Fatalf("signalbox %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

// serve starts the server and waits until it answers.
func (s *site) serve() {
	s.t.Helper()
	cmd := exec.Command(binary, "--config", s.config, "serve")
	log := &tail{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.server = &server{cmd: cmd, log: log, done: make(chan error, 1)}
	go func() { s.server.done <- cmd.Wait() }()
	s.t.Cleanup(func() {
		s.kill()
		if s.t.Failed() {
			s.t.Log("server:\n" + log.String())
		}
	})
	peer.Eventually(s.t, 20*time.Second, "the server answers", func() bool {
		select {
		case err := <-s.server.done:
			s.server.done <- err
			s.t.Fatalf("the server ended: %v\n%s", err, log)
		default:
		}
		code, _ := s.fetch("/api/v1/healthz")
		return code == http.StatusOK
	})
}

// kill ends the server as kill -9 does.
func (s *site) kill() {
	if s.server == nil {
		return
	}
	_ = s.server.cmd.Process.Kill() // it may have ended by itself
	<-s.server.done                 //nolint:errcheck // it was killed: always an error
	s.server = nil
}

// stop ends the server as an operator does, and gives how long that took.
func (s *site) stop() time.Duration {
	s.t.Helper()
	begun := time.Now()
	if err := s.server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := <-s.server.done; err != nil {
		s.t.Errorf("after SIGTERM: %v\n%s", err, s.server.log)
	}
	s.server = nil
	return time.Since(begun)
}

// fetch asks the server. It gives 0 if it does not answer.
func (s *site) fetch(path string) (code int, body string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.listen+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(text)
}

// read asks the API for something that must be there.
func (s *site) read(path string, into any) {
	s.t.Helper()
	code, body := s.fetch("/api/v1" + path)
	if code != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, code, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// instance is what these stories look at of the API's instances.
type instance struct {
	Key    string
	Closed *time.Time
	Nodes  []struct{ Name, State, Run, Token, Send string }
}

func (s *site) instances() []instance {
	s.t.Helper()
	var list struct{ Items []instance }
	s.read("/instances?limit=500", &list)
	return list.Items
}

// closed counts instances that came to their end.
func (s *site) closed() int {
	n := 0
	for _, in := range s.instances() {
		if in.Closed != nil {
			n++
		}
	}
	return n
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lines reads a file that jobs append to.
func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}
