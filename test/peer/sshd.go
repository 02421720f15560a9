package peer

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options say what kind of host to start.
type Options struct {
	// RealCron runs the host in a mount namespace with the real cron daemon, the real crontab command
	// and a spool of its own. It needs root. Without it the crontab command is a small script that
	// keeps the table in a file and answers like Debian's.
	RealCron bool
	// Config lines are put before ours in sshd_config, where the first one wins.
	Config []string
	// Env is added to the environment of every session.
	Env map[string]string
}

// Host is one machine reached over SSH. Its methods may be called from several goroutines.
type Host struct {
	Addr       string // host:port
	Port       int    //
	User       string // the account of sessions
	Home       string // HOME of sessions
	Bin        string // folder that is first in PATH of sessions
	KeyFile    string // private key that is let in
	KnownHosts string // known_hosts file that names the host's key

	dir  string
	o    Options
	cron *cron // nil without RealCron

	mu  sync.Mutex
	cmd *exec.Cmd // nil while down
}

// Start starts a host and waits until it answers.
func Start(tb testing.TB, o Options) *Host {
	tb.Helper()
	Need(tb, "/usr/sbin/sshd", "ssh-keygen")
	me, err := user.Current()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	h := &Host{
		Port: freePort(tb), User: me.Username, dir: dir, o: o,
		Home: filepath.Join(dir, "home"), Bin: filepath.Join(dir, "bin"),
		KnownHosts: filepath.Join(dir, "known_hosts"),
	}
	h.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(h.Port))
	for _, d := range []string{h.Home, h.Bin} {
		mustDo(tb, os.Mkdir(d, 0o755))
	}
	if me.Uid == "0" {
		mustDo(tb, os.MkdirAll("/run/sshd", 0o755)) // sshd's folder for the separation of privileges
	}
	h.KeyFile = h.NewKey(tb, "client", "")
	pub, err := os.ReadFile(h.KeyFile + ".pub")
	mustDo(tb, err)
	mustDo(tb, os.WriteFile(filepath.Join(dir, "authorized_keys"), pub, 0o600))
	h.newHostKey(tb)
	h.Trust(tb)
	if o.RealCron {
		h.cron = startCron(tb, dir)
	} else {
		mustDo(tb, os.WriteFile(filepath.Join(h.Bin, "crontab"), fakeCrontab, 0o755))
	}
	h.writeConfig(tb)
	h.Up(tb)
	tb.Cleanup(h.Down)
	return h
}

func (h *Host) writeConfig(tb testing.TB) {
	tb.Helper()
	path := h.Bin + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
	var env strings.Builder
	fmt.Fprintf(&env, "HOME=%s PATH=%s", h.Home, path)
	for k, v := range h.o.Env {
		fmt.Fprintf(&env, " %s=%s", k, v)
	}
	lines := append(append([]string{}, h.o.Config...),
		"Port "+strconv.Itoa(h.Port),
		"ListenAddress 127.0.0.1",
		"HostKey "+filepath.Join(h.dir, "host_key"),
		"PidFile none",
		"AuthorizedKeysFile "+filepath.Join(h.dir, "authorized_keys"),
		"StrictModes no",
		"UsePAM no",
		"PermitRootLogin yes",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"LogLevel VERBOSE",
		"Subsystem sftp internal-sftp",
		"SetEnv "+env.String(),
	)
	mustDo(tb, os.WriteFile(filepath.Join(h.dir, "sshd_config"), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// Up starts the SSH server, if it is down, and waits until it answers.
func (h *Host) Up(tb testing.TB) {
	tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd != nil {
		return
	}
	args := []string{"/usr/sbin/sshd", "-D", "-f", filepath.Join(h.dir, "sshd_config"), "-E", h.logFile()}
	if h.cron != nil {
		args = append(h.cron.enter(), args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	mustDo(tb, cmd.Start())
	h.cmd = cmd
	Eventually(tb, 20*time.Second, "sshd answers on "+h.Addr, func() bool {
		c, err := net.DialTimeout("tcp", h.Addr, time.Second)
		if err != nil {
			return false
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second)) // a failed read says the same
		var banner [4]byte
		_, err = c.Read(banner[:])
		return err == nil && string(banner[:]) == "SSH-"
	})
}

// Down stops the SSH server and cuts its connections. What sessions started in the background stays.
func (h *Host) Down() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd == nil {
		return
	}
	pid := h.cmd.Process.Pid
	// The server's child for a connection may have one more child, which holds the connection.
	var all []int
	for _, c := range children(pid) {
		all = append(all, c)
		for _, gc := range children(c) {
			if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", gc)); err == nil && strings.HasPrefix(string(name), "sshd") {
				all = append(all, gc)
			}
		}
	}
	_ = h.cmd.Process.Kill() // it may be gone already
	for _, p := range all {
		_ = syscall.Kill(p, syscall.SIGKILL) // as above
	}
	_ = h.cmd.Wait() // it was killed: always an error
	h.cmd = nil
}

// NewKey makes a further client key, with a passphrase or without one, that is not let in, and gives
// the file of the private key.
func (h *Host) NewKey(tb testing.TB, name, passphrase string) string {
	tb.Helper()
	file := filepath.Join(h.dir, "key_"+name)
	keygen(tb, file, passphrase)
	return file
}

// NewPEMKey is NewKey with the older form of a key file, which is decrypted quickly.
func (h *Host) NewPEMKey(tb testing.TB, name, passphrase string) string {
	tb.Helper()
	file := filepath.Join(h.dir, "key_"+name)
	keygen(tb, file, passphrase, "-t", "ecdsa", "-m", "PEM")
	return file
}

// Allow lets a key made by NewKey in.
func (h *Host) Allow(tb testing.TB, keyFile string) {
	tb.Helper()
	pub, err := os.ReadFile(keyFile + ".pub")
	mustDo(tb, err)
	f, err := os.OpenFile(filepath.Join(h.dir, "authorized_keys"), os.O_APPEND|os.O_WRONLY, 0o600)
	mustDo(tb, err)
	defer f.Close()
	_, err = f.Write(pub)
	mustDo(tb, err)
}

// DenyAll lets no key in any more. Present connections stay.
func (h *Host) DenyAll(tb testing.TB) {
	tb.Helper()
	mustDo(tb, os.WriteFile(filepath.Join(h.dir, "authorized_keys"), nil, 0o600))
}

// ChangeHostKey gives the host a new key and restarts it. The known_hosts file keeps the old one.
func (h *Host) ChangeHostKey(tb testing.TB) {
	tb.Helper()
	h.Down()
	h.newHostKey(tb)
	h.Up(tb)
}

// Fingerprint is the SHA256 fingerprint of the host's present key, as ssh-keygen -l prints it.
func (h *Host) Fingerprint(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("ssh-keygen", "-lf", filepath.Join(h.dir, "host_key.pub")).Output()
	mustDo(tb, err)
	return strings.Fields(string(out))[1]
}

// Trust writes the host's present key into the known_hosts file, for its own port and for further ones,
// such as that of a [Line].
func (h *Host) Trust(tb testing.TB, ports ...int) {
	tb.Helper()
	pub, err := os.ReadFile(filepath.Join(h.dir, "host_key.pub"))
	mustDo(tb, err)
	f := strings.Fields(string(pub))
	var lines strings.Builder
	for _, port := range append([]int{h.Port}, ports...) {
		fmt.Fprintf(&lines, "[127.0.0.1]:%d %s %s\n", port, f[0], f[1])
	}
	mustDo(tb, os.WriteFile(h.KnownHosts, []byte(lines.String()), 0o600))
}

// Log is what the SSH server logged so far.
func (h *Host) Log() string {
	text, err := os.ReadFile(h.logFile())
	if err != nil {
		return ""
	}
	return string(text)
}

func (h *Host) logFile() string { return filepath.Join(h.dir, "sshd.log") }

func (h *Host) newHostKey(tb testing.TB) {
	tb.Helper()
	file := filepath.Join(h.dir, "host_key")
	_ = os.Remove(file) // the first time there is none
	_ = os.Remove(file + ".pub")
	keygen(tb, file, "")
}

func keygen(tb testing.TB, file, passphrase string, more ...string) {
	tb.Helper()
	args := append([]string{"-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-C", "test", "-f", file}, more...)
	out, err := exec.Command("ssh-keygen", args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("ssh-keygen: %v: %s", err, out)
	}
}

func mustDo(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func fieldsToInts(s string) []int {
	var all []int
	for f := range strings.FieldsSeq(s) {
		if n, err := strconv.Atoi(f); err == nil {
			all = append(all, n)
		}
	}
	return all
}
