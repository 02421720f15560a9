package cronhost

import (
	"io"
	"os/exec"
	"strings"
	"syscall"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// session is one SSH session: at most one command.
type session struct {
	conn   *connection
	ch     ssh.Channel
	number int
	env    []string // set by the client
	begun  bool
	run    *execution // the process, if one runs
}

// serve answers the session's requests until the client closed it or is gone. The command goes on.
func (s *session) serve(requests <-chan *ssh.Request) {
	defer s.conn.sessions.Add(-1)
	for r := range requests {
		ok := s.request(r)
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if ok && s.run != nil {
			s.run.begin()
		}
	}
	if s.run != nil {
		s.run.hangUp()
	}
}

// request carries out one request and says whether it was granted. There are no terminals.
func (s *session) request(r *ssh.Request) bool {
	var one struct{ Text string }
	switch r.Type {
	case "env":
		var v struct{ Name, Value string }
		if ssh.Unmarshal(r.Payload, &v) != nil || v.Name != "LANG" && !strings.HasPrefix(v.Name, "LC_") {
			return false
		}
		s.env = append(s.env, v.Name+"="+v.Value)
		return true
	case "exec":
		return ssh.Unmarshal(r.Payload, &one) == nil && s.start(Exec, one.Text)
	case "shell":
		return s.start(Shell, "")
	case "subsystem":
		return ssh.Unmarshal(r.Payload, &one) == nil && s.sftp(one.Text)
	case "signal":
		if ssh.Unmarshal(r.Payload, &one) != nil || s.run == nil {
			return false
		}
		return s.run.signal(one.Text)
	}
	return false
}

// record opens the log entry of the session's command.
func (s *session) record(kind Kind, line string) *record {
	s.begun = true
	return s.conn.host.commands.begin(Command{Connection: s.conn.wire.number, Session: s.number, Kind: kind, Line: line})
}

// start prepares a command; it begins to talk once the request is answered.
func (s *session) start(kind Kind, line string) bool {
	if s.begun {
		return false
	}
	h := s.conn.host
	x := &execution{host: h, wire: s.conn.wire, ch: s.ch, record: s.record(kind, line)}
	if x.apply(line) == DropBefore {
		x.record.end("dropped")
		_ = s.conn.wire.Close()
		return false
	}
	args := []string{"sh", "-c", line}
	if kind == Shell {
		args = []string{"-sh"}
	}
	x.cmd = &exec.Cmd{Path: "/bin/sh", Args: args, Dir: h.Home(), Env: append(s.conn.env, s.env...)}
	s.run = x
	return true
}

// sftp serves the file transfer subsystem on the real file system.
func (s *session) sftp(name string) bool {
	h := s.conn.host
	f := h.temper.faults()
	if s.begun || name != "sftp" || f.NoSFTP {
		return false
	}
	log := s.record(Subsystem, name)
	if rule, ok := h.temper.take(name); ok && rule.Do == DropBefore {
		log.hit(rule.Do)
		log.end("dropped")
		_ = s.conn.wire.Close()
		return false
	}
	stream := &counted{Channel: s.ch, log: log}
	server, err := sftp.NewServer(stream, sftp.WithServerWorkingDirectory(h.Home()))
	if err != nil {
		log.end("not started: " + err.Error())
		return false
	}
	return h.spawn(func() {
		_, _ = io.WriteString(stream, f.NoiseBefore) // A client that is gone ends the server too.
		_ = server.Serve()
		_ = s.ch.Close()
		log.end("exit 0")
	})
}

// counted is a channel whose bytes are counted.
type counted struct {
	ssh.Channel
	log *record
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Channel.Read(p)
	c.log.gotStdin(p[:n])
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Channel.Write(p)
	c.log.sent(true, n)
	return n, err
}

// signalNumber finds a signal by its name in SSH.
func signalNumber(name string) (syscall.Signal, bool) {
	for number, text := range signals() {
		if text == name {
			return number, true
		}
	}
	return 0, false
}
