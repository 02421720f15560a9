package cronhost

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// markName is the environment variable that marks every process of a host.
const markName = "CRONHOST_MARK"

// errStopping is why nothing is started any more.
var errStopping = errors.New("the host is going down")

// start starts a process in a session of its own, like sshd and cron do. [Host.wait] must follow.
func (h *Host) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if h.cfg.OwnBootID {
		h.ownBoot(cmd)
	}
	h.starting.RLock()
	defer h.starting.RUnlock()
	if h.down {
		return errStopping
	}
	h.started.Store(true)
	if err := cmd.Start(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.children[cmd] = true
	return nil
}

// wait waits for the end of a process that was started.
func (h *Host) wait(cmd *exec.Cmd) {
	_ = cmd.Wait() // What it says is in the process state.
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.children, cmd)
}

// signalGroup signals a child and what is in its process group, if the child is not over.
func (h *Host) signalGroup(cmd *exec.Cmd, s syscall.Signal) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.children[cmd] && syscall.Kill(-cmd.Process.Pid, s) == nil
}

// environment is what every process of the host gets.
func (h *Host) environment() []string {
	env := append([]string{h.mark}, h.cfg.Environment...)
	if h.tz != "" {
		env = append(env, "TZ="+h.tz)
	}
	return env
}

// KillProcesses ends, with SIGKILL, everything that runs on the host, jobs and commands alike. The host
// itself goes on. What left its process group and cleared its environment is not found.
func (h *Host) KillProcesses() error {
	if !h.started.Load() {
		return nil
	}
	h.mu.Lock()
	for cmd := range h.children {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	h.mu.Unlock()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for clean := 0; ; {
		left, err := killMarked(h.mark)
		if err != nil {
			return err
		}
		if left > 0 {
			clean = -1
		}
		if clean++; clean == 2 { // Once is not enough: a process in the middle of an exec shows no environment.
			return nil
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return fmt.Errorf("cronhost: %d processes of %s survive SIGKILL", left, h.cfg.Name)
		}
	}
}

// Processes gives the process ids of all that runs on the host now.
func (h *Host) Processes() ([]int, error) {
	var pids []int
	err := eachMarked(h.mark, func(p *os.Process) { pids = append(pids, p.Pid) })
	return pids, err
}

func killMarked(mark string) (int, error) {
	left := 0
	err := eachMarked(mark, func(p *os.Process) {
		left++
		_ = p.Kill() // It may be gone already.
	})
	return left, err
}

// eachMarked visits the processes that carry the mark. The handle is taken before the look at the
// environment, so that it never belongs to a stranger with the same number.
func eachMarked(mark string, visit func(*os.Process)) error {
	dirs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return err
	}
	if len(dirs) == 0 {
		return errors.New("cronhost: list processes: nothing in /proc: the simulator needs Linux")
	}
	for _, name := range dirs {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(name)
		if err == nil && marked(environ, mark) {
			visit(p)
		}
		_ = p.Release()
	}
	return nil
}

func marked(environ []byte, mark string) bool {
	for one := range bytes.SplitSeq(environ, []byte{0}) {
		if string(one) == mark {
			return true
		}
	}
	return false
}
