package cronhost

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Host is a running simulated host. Its methods may be called from any goroutine.
type Host struct {
	cfg         Config
	clock       *clock
	tz          string // TZ of its processes; empty = the machine's own
	mark        string // NAME=value in the environment of all its processes
	dateProgram string
	lockFile    *os.File
	askFile     *os.File
	keys        []ssh.Signer
	clientKeys  []ssh.PublicKey
	temper      *temper
	traffic     traffic
	commands    commandLog
	daemon      daemon

	settings  sync.Mutex // held while faults are changed
	otherKeys []ssh.Signer

	starting sync.RWMutex // held for reading while a process is started
	down     bool         // no process may be started
	started  atomic.Bool  // a process was started at some time

	mu        sync.Mutex
	stopped   bool
	listener  net.Listener
	addr      string
	wires     map[*wire]bool // true once logged in
	children  map[*exec.Cmd]bool
	mounts    []string
	goroutine sync.WaitGroup
}

// Start brings up a host. What an earlier host left running in the same folder is ended first, and its
// keys, crontab and home are used on. The host runs until [Host.Stop].
func Start(cfg Config) (*Host, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, temper: newTemper(), wires: make(map[*wire]bool), children: make(map[*exec.Cmd]bool)}
	h.commands.size, h.daemon.size = cfg.LogSize, cfg.LogSize
	if err := h.prepare(); err != nil {
		h.release()
		return nil, fmt.Errorf("cronhost: start %s: %w", cfg.Name, err)
	}
	if err := h.listen(cfg.Address); err != nil {
		h.release()
		return nil, fmt.Errorf("cronhost: start %s: %w", cfg.Name, err)
	}
	if err := h.SetFaults(cfg.Faults); err != nil {
		return nil, errors.Join(err, h.Stop())
	}
	h.spawn(h.answerCrontab)
	h.runReboot()
	h.rearm()
	return h, nil
}

// prepare does everything that needs no goroutine.
func (h *Host) prepare() error {
	zone, tz, err := h.cfg.location()
	if err != nil {
		return err
	}
	h.tz = tz
	h.clock = &clock{zone: zone, minute: h.cfg.Minute, began: time.Now(), offset: h.cfg.Offset}
	if h.dateProgram, err = exec.LookPath("date"); err != nil {
		return err
	}
	if err := h.layOut(); err != nil {
		return err
	}
	if err := h.KillProcesses(); err != nil { // Of an earlier host.
		return err
	}
	h.started.Store(false)
	if h.keys, err = h.hostKeys("ssh_host_"); err != nil {
		return err
	}
	h.clientKeys = h.cfg.AuthorizedKeys
	if len(h.clientKeys) == 0 {
		key, err := NewKeyFile(h.ClientKeyFile())
		if err != nil {
			return err
		}
		h.clientKeys = []ssh.PublicKey{key}
	}
	if h.cfg.OwnBootID {
		if err := h.newBootID(); err != nil {
			return err
		}
		if !CanOwnBootID() {
			return errors.New("own boot id: root and the programs unshare and mount are needed")
		}
	}
	if err := h.writeOffset(h.cfg.Offset); err != nil {
		return err
	}
	return h.openAsk()
}

// listen opens the port. The first time it may be any, later it must be the same.
func (h *Host) listen(address string) error {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return err
	}
	l, err := net.ListenTCP("tcp", at)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return errors.Join(errStopping, l.Close())
	}
	h.listener, h.addr = l, l.Addr().String()
	h.goroutine.Go(func() { h.accept(l) })
	return nil
}

// spawn runs f in a goroutine that Stop waits for; not at all once the host is stopping.
func (h *Host) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.goroutine.Go(f)
	return true
}

// Stop ends the host: its port, its connections, its cron, and every process that runs on it, wherever
// it was detached to. Only the folder stays. It may be called twice; an error says what could not be
// ended.
func (h *Host) Stop() error {
	h.mu.Lock()
	if h.stopped {
		h.mu.Unlock()
		return nil
	}
	h.stopped = true
	if h.listener != nil {
		_ = h.listener.Close()
	}
	h.mu.Unlock()
	h.daemon.stop()
	h.starting.Lock()
	h.down = true
	h.starting.Unlock()
	h.DropConnections()
	err := h.KillProcesses()
	h.release()
	h.goroutine.Wait()
	return errors.Join(err, h.unmount())
}

// release closes the files that a host holds.
func (h *Host) release() {
	if h.askFile != nil {
		_ = h.askFile.Close()
	}
	if h.lockFile != nil {
		_ = h.lockFile.Close()
	}
}

// Addr is where the host listens, "127.0.0.1:40022".
func (h *Host) Addr() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addr
}

// Dir is the host's folder.
func (h *Host) Dir() string { return h.cfg.Dir }

// Home is the home folder of the account.
func (h *Host) Home() string { return h.path("home") }

// User is the name of the account.
func (h *Host) User() string { return h.cfg.User }

// ClientKeyFile is a private key that may log in, made at start unless Config.AuthorizedKeys names
// others.
func (h *Host) ClientKeyFile() string { return h.path("etc", "client_key") }

// HostKeyLine is a line for a known_hosts file with the host's ed25519 key, without a line feed. It
// stays the same under [Faults] OtherHostKey.
func (h *Host) HostKeyLine() string {
	return knownhosts.Line([]string{h.Addr()}, h.keys[0].PublicKey())
}

// Faults gives the faults in force.
func (h *Host) Faults() Faults { return h.temper.faults() }

// SetFaults replaces all faults; rules that were used up count anew. An error, such as the port being
// taken when Refuse is lifted, leaves the faults as they were.
func (h *Host) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	h.settings.Lock()
	defer h.settings.Unlock()
	if f.OtherHostKey && h.otherKeys == nil {
		keys, err := h.hostKeys("other_host_")
		if err != nil {
			return err
		}
		h.otherKeys = keys
	}
	if err := h.setRefuse(f.Refuse); err != nil {
		return err
	}
	h.temper.set(f)
	return nil
}

// setRefuse closes or opens the port.
func (h *Host) setRefuse(refuse bool) error {
	h.mu.Lock()
	l, addr := h.listener, h.addr
	if refuse {
		h.listener = nil
	}
	h.mu.Unlock()
	switch {
	case refuse && l != nil:
		_ = l.Close()
	case !refuse && l == nil:
		if err := h.listen(addr); err != nil {
			return fmt.Errorf("cronhost: listen again: %w", err)
		}
	}
	return nil
}

// DropConnections cuts every open connection, as a network that fails does. Commands go on.
func (h *Host) DropConnections() {
	h.mu.Lock()
	wires := make([]*wire, 0, len(h.wires))
	for w := range h.wires {
		wires = append(wires, w)
	}
	h.mu.Unlock()
	for _, w := range wires {
		_ = w.Close()
	}
}

// Commands lists what clients asked for, oldest first, with what is known of it now.
func (h *Host) Commands() []Command { return h.commands.list() }

// Traffic is what went over the wire so far.
type Traffic struct {
	Connections int64 // accepted
	Received    int64 // bytes from clients, SSH's own included
	Sent        int64 // bytes to clients, SSH's own included
}

// Traffic counts over all connections since Start.
func (h *Host) Traffic() Traffic {
	return Traffic{
		Connections: h.traffic.connections.Load(),
		Received:    h.traffic.received.Load(),
		Sent:        h.traffic.sent.Load(),
	}
}

// Crontab is the text of the account's table. The error is [fs.ErrNotExist] if there is none.
func (h *Host) Crontab() (string, error) {
	text, err := os.ReadFile(h.tabFile())
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("cronhost: no crontab for %s: %w", h.cfg.User, fs.ErrNotExist)
	}
	return string(text), err
}

// SetCrontab puts a table in place unchecked, as root's editor would: with a fault in it the daemon
// ignores all of it, see [Host.CrontabFault]. It takes effect with the next minute.
func (h *Host) SetCrontab(text string) error {
	defer h.daemon.forget()
	return replaceFile(h.tabFile(), []byte(text), 0o600)
}

// CrontabFault says why the daemon ignores the table, in the words of Debian's crontab; empty if it
// does not, or if there is none.
func (h *Host) CrontabFault() string {
	_, err := h.daemon.read(h.tabFile())
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return err.Error()
}

func (h *Host) tabFile() string { return h.path("var", "cron", "tabs", h.cfg.User) }

// authorized says whether a key may log in.
func (h *Host) authorized(key ssh.PublicKey) bool {
	text := string(key.Marshal())
	return slices.ContainsFunc(h.clientKeys, func(k ssh.PublicKey) bool { return string(k.Marshal()) == text })
}
