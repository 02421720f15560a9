package cronhost

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// matchLimit is how much of standard input rules look at.
const matchLimit = 64 << 10

// execution is a process with its three streams on a session.
type execution struct {
	host   *Host
	wire   *wire
	ch     ssh.Channel
	record *record
	cmd    *exec.Cmd
	once   sync.Once

	stdin, stdout, stderr *os.File // our ends
	output                sync.WaitGroup

	mu   sync.Mutex
	rule Rule   // in force; zero = none
	seen string // standard input so far, while rules may still match
	said string // the end of standard output, while Until may still match
	cut  int    // bytes of standard output that got through under Truncate
}

// apply looks for a rule that matches text, puts it in force, and says which action that is.
func (x *execution) apply(text string) Action {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rule.Do != "" {
		return "" // One rule a command is enough.
	}
	rule, ok := x.host.temper.take(text)
	if !ok {
		return ""
	}
	x.rule = rule
	x.record.hit(rule.Do)
	return rule.Do
}

// begin starts the process. Only the first call counts.
func (x *execution) begin() {
	x.once.Do(func() {
		theirs, err := x.pipes()
		if err == nil {
			x.noise(x.host.temper.faults().NoiseBefore)
			err = x.host.start(x.cmd)
		}
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			x.fail(err)
			return
		}
		x.output.Add(2)
		x.host.spawn(x.readStdin)
		x.host.spawn(func() { x.pump(x.ch, x.stdout, true) })
		x.host.spawn(func() { x.pump(x.ch.Stderr(), x.stderr, false) })
		if !x.host.spawn(x.wait) { // The host is stopping: it ends the process, and nobody hears of it.
			x.hangUp()
			x.host.wait(x.cmd)
		}
	})
}

// pipes connects the process. The ends it returns are the process's own.
func (x *execution) pipes() (theirs []*os.File, err error) {
	var r, w *os.File
	if r, x.stdin, err = os.Pipe(); err != nil {
		return theirs, err
	}
	theirs = append(theirs, r)
	x.cmd.Stdin = r
	if x.stdout, w, err = os.Pipe(); err != nil {
		return theirs, err
	}
	theirs = append(theirs, w)
	x.cmd.Stdout = w
	if x.stderr, w, err = os.Pipe(); err != nil {
		return theirs, err
	}
	x.cmd.Stderr = w
	return append(theirs, w), nil
}

// fail answers for a process that could not be started.
func (x *execution) fail(err error) {
	x.record.end("not started: " + err.Error())
	_, _ = fmt.Fprintf(x.ch.Stderr(), "cronhost: cannot start: %v\n", err)
	x.exitStatus(127)
	x.hangUp()
	_ = x.ch.Close()
}

// wait does what sshd does at the end of a command: the status at once, the close when nobody holds
// the output any more.
func (x *execution) wait() {
	x.host.wait(x.cmd)
	x.record.end(exitText(x.cmd.ProcessState))
	x.mu.Lock()
	rule := x.rule
	x.mu.Unlock()
	switch rule.Do {
	case DropBefore, DropAfter:
		_ = x.wire.Close()
		return
	case Mute:
		return
	case Truncate:
		x.output.Wait() // Only then it is known whether there is a status to tell.
	}
	if status, ok := x.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		x.exitSignal(status)
	} else {
		x.exitStatus(uint32(x.cmd.ProcessState.ExitCode()))
	}
	x.output.Wait()
	x.noise(x.host.temper.faults().NoiseAfter)
	_ = x.ch.CloseWrite()
	_ = x.ch.Close()
}

func (x *execution) exitStatus(code uint32) {
	_, _ = x.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{code}))
}

func (x *execution) exitSignal(status syscall.WaitStatus) {
	_, _ = x.ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
		Signal          string
		Core            bool
		Error, Language string
	}{Signal: signalName(status.Signal()), Core: status.CoreDump()}))
}

// signal passes a client's signal on to the command.
func (x *execution) signal(name string) bool {
	number, ok := signalNumber(name)
	return ok && x.host.signalGroup(x.cmd, number)
}

// hangUp closes our ends: the process goes on, and learns of it when it reads or writes.
func (x *execution) hangUp() {
	for _, f := range []*os.File{x.stdin, x.stdout, x.stderr} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// noise is what a login shell prints for itself.
func (x *execution) noise(text string) {
	if text != "" {
		x.send(x.ch, []byte(text), true)
	}
}

// readStdin passes on what the client sends.
func (x *execution) readStdin() {
	defer func() { _ = x.stdin.Close() }()
	size := 4 << 10
	if x.host.temper.hasRules() {
		size = matchLimit // So that a packet is looked at as a whole.
	}
	buffer := make([]byte, size)
	for {
		n, err := x.ch.Read(buffer)
		x.record.gotStdin(buffer[:n])
		if n > 0 && x.stdinRule(buffer[:n]) == DropBefore {
			x.host.signalGroup(x.cmd, syscall.SIGKILL)
			_ = x.wire.Close()
			return
		}
		if n > 0 {
			_, _ = x.stdin.Write(buffer[:n]) // A process that does not read gets nothing; the client is drained all the same.
		}
		if err != nil {
			return
		}
	}
}

// stdinRule looks for a rule that standard input so far matches.
func (x *execution) stdinRule(chunk []byte) Action {
	if !x.host.temper.hasRules() || len(x.seen) >= matchLimit {
		return ""
	}
	x.seen += string(chunk)
	return x.apply(x.seen)
}

// pump passes on what the process prints, until it and everybody who inherited the stream are done.
func (x *execution) pump(to io.Writer, from *os.File, stdout bool) {
	defer x.output.Done()
	defer func() { _ = from.Close() }()
	buffer := make([]byte, 8<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !x.send(to, buffer[:n], stdout) || err != nil {
			return
		}
	}
}

// send answers the client as far as the rule in force allows. It says whether more is wanted.
func (x *execution) send(to io.Writer, p []byte, stdout bool) bool {
	x.mu.Lock()
	rule := x.rule
	end := false
	switch rule.Do {
	case DropBefore, Mute:
		p = nil
	case DropAfter:
		if stdout && rule.Until != "" {
			x.said += string(p)
			end = strings.Contains(x.said, rule.Until)
			x.said = x.said[max(0, len(x.said)-len(rule.Until)):]
		}
		p = nil
	case Truncate:
		if stdout {
			p = p[:min(len(p), rule.Bytes-x.cut)]
			x.cut += len(p)
			end = x.cut >= rule.Bytes
		}
	}
	x.mu.Unlock()
	if end && rule.Do == DropAfter {
		_ = x.wire.Close()
		return false
	}
	n, err := to.Write(p)
	x.record.sent(stdout, n)
	if end {
		_ = x.ch.Close()
	}
	return !end && err == nil
}
