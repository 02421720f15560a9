package cronhost

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
)

// jobEnvironment gives what a job line runs with, its shell and its working folder: cron's defaults,
// then the lines of the table. LOGNAME cannot be changed. The host's own program folder is put before
// any PATH: there /usr/bin/crontab and date would be on a real host.
func (h *Host) jobEnvironment(e entry) (env []string, shell, home string) {
	vars := map[string]string{"SHELL": "/bin/sh", "HOME": h.Home(), "PATH": "/usr/bin:/bin"}
	for _, set := range [][]string{h.environment(), e.env} {
		for _, one := range set {
			name, value, _ := strings.Cut(one, "=")
			vars[name] = value
		}
	}
	vars["LOGNAME"] = h.cfg.User
	vars["PATH"] = h.path("bin") + ":" + vars["PATH"]
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env, vars["SHELL"], vars["HOME"]
}

// exitText says how a process ended.
func exitText(s *os.ProcessState) string {
	status, ok := s.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return "signal " + signalName(status.Signal())
	}
	return fmt.Sprintf("exit %d", s.ExitCode())
}

// signals are the names that SSH has for signals.
func signals() map[syscall.Signal]string {
	return map[syscall.Signal]string{
		syscall.SIGABRT: "ABRT", syscall.SIGALRM: "ALRM", syscall.SIGFPE: "FPE", syscall.SIGHUP: "HUP",
		syscall.SIGILL: "ILL", syscall.SIGINT: "INT", syscall.SIGKILL: "KILL", syscall.SIGPIPE: "PIPE",
		syscall.SIGQUIT: "QUIT", syscall.SIGSEGV: "SEGV", syscall.SIGTERM: "TERM",
		syscall.SIGUSR1: "USR1", syscall.SIGUSR2: "USR2",
	}
}

// signalName gives a signal's name in SSH; others get the form of OpenSSH's local extension.
func signalName(s syscall.Signal) string {
	if name, ok := signals()[s]; ok {
		return name
	}
	return fmt.Sprintf("SIG%d@openssh.com", int(s))
}

// mail appends a job's output to the mailbox, if there is any and MAILTO does not forbid it.
func (h *Host) mail(e entry, env []string, out *os.File) {
	if out == nil {
		return
	}
	defer func() {
		_ = out.Close()
		_ = os.Remove(out.Name())
	}()
	const most = 1 << 20
	text, err := io.ReadAll(io.NewSectionReader(out, 0, most))
	if err != nil || len(text) == 0 || slices.Contains(env, "MAILTO=") {
		return
	}
	var b strings.Builder
	stamp := h.Now()
	fmt.Fprintf(&b, "From %s %s\n", h.cfg.User, stamp.Format("Mon Jan _2 15:04:05 2006"))
	fmt.Fprintf(&b, "From: root (Cron Daemon)\nTo: %s\n", h.cfg.User)
	fmt.Fprintf(&b, "Subject: Cron <%s@%s> %s\n", h.cfg.User, h.cfg.Name, e.command)
	for _, one := range env {
		if !strings.HasPrefix(one, markName) {
			fmt.Fprintf(&b, "X-Cron-Env: <%s>\n", one)
		}
	}
	fmt.Fprintf(&b, "Date: %s\n\n%s\n", stamp.Format("Mon, 02 Jan 2006 15:04:05 -0700"), text)
	h.daemon.log.Lock()
	defer h.daemon.log.Unlock()
	box, err := os.OpenFile(h.path("var", "mail", h.cfg.User), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return // Lost, as mail is.
	}
	_, _ = box.WriteString(b.String())
	_ = box.Close()
}
