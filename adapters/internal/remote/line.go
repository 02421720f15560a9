package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// line is one live SSH connection.
type line struct {
	raw    net.Conn
	client *ssh.Client
	dead   chan struct{} // closed when the connection is gone
	once   sync.Once
}

// close ends the connection hard: the socket first, so that nothing which holds a lock of the SSH
// library while it waits for a silent peer can keep us from it.
func (l *line) close() {
	l.once.Do(func() {
		_ = l.raw.Close()    // the connection is given up: nobody can act on an error
		_ = l.client.Close() // as above
	})
}

func (l *line) gone() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// wait notes the end of the connection.
func (l *line) wait() {
	_ = l.client.Wait() // whoever uses the connection gets the error
	l.close()
	close(l.dead)
}

// keepalive asks the peer for a sign of life until the connection is gone. A peer that stays silent
// for a whole interval is given up.
func (l *line) keepalive(interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-l.dead:
			return
		case <-tick.C:
		}
		silent := time.AfterFunc(interval, l.close)
		_, _, err := l.client.SendRequest("keepalive@openssh.com", true, nil)
		silent.Stop()
		if err != nil {
			l.close()
			return
		}
	}
}

// login connects and logs in. It takes at most Options.Timeout and ends with ctx. The caller holds
// h.dial.
func (h *Host) login(ctx context.Context) (*line, Peer, error) {
	var peer Peer
	signer, open, err := h.key.read(h.o.KeyFile, h.o.Passphrase)
	if err != nil {
		return nil, peer, err
	}
	keys, err := readKnownHosts(h.o.KnownHosts, h.o.Host, h.address)
	if err != nil {
		return nil, peer, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, h.o.Timeout, fmt.Errorf("no answer within %v: %w", h.o.Timeout, os.ErrDeadlineExceeded))
	defer cancel()
	raw, err := h.o.Dial(ctx, "tcp", h.address)
	if err != nil {
		return nil, peer, causeOr(ctx, err)
	}
	// The library's own timeout covers only the TCP connect; a peer that accepts and stays silent
	// would hold us for ever.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	config := &ssh.ClientConfig{
		User: h.o.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: keys.check, HostKeyAlgorithms: keys.algorithms, ClientVersion: "SSH-2.0-Signalbox",
	}
	conn, channels, requests, err := ssh.NewClientConn(raw, h.address, config)
	if err != nil {
		_ = raw.Close() // the login failed, which is the error that counts
		return nil, peer, keys.explain(causeOr(ctx, err))
	}
	if !stop() { // ctx ended in this very moment
		_ = conn.Close()
		return nil, peer, context.Cause(ctx)
	}
	peer = Peer{Fingerprint: keys.fingerprint(), Server: string(conn.ServerVersion()), OpenKey: open}
	return &line{raw: raw, client: ssh.NewClient(conn, channels, requests), dead: make(chan struct{})}, peer, nil
}

// causeOr gives the reason why ctx ended, if it did: the error beside it is only its echo.
func causeOr(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return cause
}
