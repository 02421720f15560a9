package cronhost

import (
	"errors"
	"net"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// openSSHMaxSessions is MaxSessions of a stock OpenSSH server.
const openSSHMaxSessions = 10

// connection is one client, logged in.
type connection struct {
	host     *Host
	wire     *wire
	env      []string
	sessions atomic.Int64 // open now
	numbered atomic.Int64 // ever opened
}

// accept takes connections until the port is closed.
func (h *Host) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		w := newWire(c, h.temper, &h.traffic)
		if !h.admit(w) || !h.spawn(func() { h.serve(w) }) {
			reset(c)
			_ = w.Close()
			h.forgetWire(w)
		}
	}
}

// admit counts a connection in, unless too many others are not logged in yet.
func (h *Host) admit(w *wire) bool {
	limit := h.temper.faults().MaxStartups
	h.mu.Lock()
	defer h.mu.Unlock()
	starting := 0
	for _, in := range h.wires {
		if !in {
			starting++
		}
	}
	if limit > 0 && starting >= limit {
		return false
	}
	h.wires[w] = false
	return true
}

func (h *Host) loggedIn(w *wire) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wires[w] = true
}

func (h *Host) forgetWire(w *wire) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.wires, w)
}

// reset makes the close of a connection a reset.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // Without it the close is a plain one.
	}
}

// serve speaks SSH with one client until it is gone.
func (h *Host) serve(w *wire) {
	defer h.forgetWire(w)
	defer func() { _ = w.Close() }()
	if !h.temper.wait(silentGate, w.done) {
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(w, h.serverConfig())
	if err != nil {
		return
	}
	h.loggedIn(w)
	if !h.spawn(func() { ssh.DiscardRequests(requests) }) { // keepalive@openssh.com too is answered with "failure".
		return
	}
	c := &connection{host: h, wire: w, env: h.loginEnvironment(conn)}
	for channel := range channels {
		c.open(channel)
	}
}

// open starts a session, or refuses it as OpenSSH does.
func (c *connection) open(channel ssh.NewChannel) {
	if channel.ChannelType() != "session" {
		_ = channel.Reject(ssh.UnknownChannelType, "unknown channel type")
		return
	}
	limit := int64(c.host.temper.faults().MaxSessions)
	if limit <= 0 {
		limit = openSSHMaxSessions
	}
	if c.sessions.Load() >= limit {
		_ = channel.Reject(ssh.ConnectionFailed, "open failed")
		return
	}
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	c.sessions.Add(1)
	s := &session{conn: c, ch: ch, number: int(c.numbered.Add(1))}
	if !c.host.spawn(func() { s.serve(requests) }) {
		_ = ch.Close()
	}
}

// serverConfig is made for each connection: faults change.
func (h *Host) serverConfig() *ssh.ServerConfig {
	f := h.temper.faults()
	config := &ssh.ServerConfig{
		ServerVersion: h.cfg.ServerVersion,
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if f.DenyAuth || meta.User() != h.cfg.User || !h.authorized(key) {
				return nil, errors.New("not authorised")
			}
			return &ssh.Permissions{}, nil
		},
	}
	keys := h.keys
	if f.OtherHostKey {
		h.settings.Lock()
		keys = h.otherKeys
		h.settings.Unlock()
	}
	for _, key := range keys {
		config.AddHostKey(key)
	}
	return config
}

// loginEnvironment is what sshd gives a session, with the host's own programs first.
func (h *Host) loginEnvironment(conn ssh.ConnMetadata) []string {
	client, clientPort, _ := net.SplitHostPort(conn.RemoteAddr().String())
	server, serverPort, _ := net.SplitHostPort(conn.LocalAddr().String())
	return append(
		h.environment(),
		"HOME="+h.Home(),
		"USER="+h.cfg.User,
		"LOGNAME="+h.cfg.User,
		"SHELL=/bin/sh",
		"PATH="+h.path("bin")+":/usr/local/bin:/usr/bin:/bin",
		"SSH_CLIENT="+client+" "+clientPort+" "+serverPort,
		"SSH_CONNECTION="+client+" "+clientPort+" "+server+" "+serverPort,
	)
}
