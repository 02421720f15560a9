package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"signalbox/adapters"
)

// Options say which host, and how it is reached. Zero values mean the defaults in brackets.
type Options struct {
	Host       string        // name or address; required
	Port       int           // [22]
	User       string        // account there; required
	KeyFile    string        // private key; required; read at each connect
	Passphrase string        // of the key, if it is encrypted
	KnownHosts string        // known_hosts file; required; read at each connect
	Sessions   int           // commands at the same time, at most 8 [4]
	Timeout    time.Duration // of connecting and logging in together [10s]
	Keepalive  time.Duration // between two keepalives, and how long one may stay unanswered [15s]
	// Dial makes the TCP connection [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  *slog.Logger // [discard]
}

// maxSessions stays below OpenSSH's MaxSessions of 10, which other users of the account share.
const maxSessions = 8

func (o Options) withDefaults() (Options, error) {
	for _, need := range []struct{ name, value string }{
		{"host", o.Host}, {"user", o.User}, {"key file", o.KeyFile}, {"known_hosts file", o.KnownHosts},
	} {
		if need.value == "" {
			return o, fmt.Errorf("ssh: no %s given", need.name)
		}
	}
	if o.Port == 0 {
		o.Port = 22
	}
	if o.Port < 1 || o.Port > 65535 {
		return o, fmt.Errorf("ssh: port %d is out of range", o.Port)
	}
	if o.Sessions == 0 {
		o.Sessions = 4
	}
	if o.Sessions < 1 || o.Sessions > maxSessions {
		return o, fmt.Errorf("ssh: %d sessions at once: want 1 to %d", o.Sessions, maxSessions)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Keepalive == 0 {
		o.Keepalive = 15 * time.Second
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Host is one host and the connection to it. Its methods may be called from several goroutines.
type Host struct {
	o       Options
	address string

	slots chan struct{} // one element per command that runs
	dial  chan struct{} // held while connecting: one login at a time
	key   keyFile       // guarded by dial

	mu     sync.Mutex
	live   *line // nil = not connected
	known  Peer
	logins int
	closed bool
	wg     sync.WaitGroup // goroutines of this host
}

// Peer is what the last login told about the other side.
type Peer struct {
	Fingerprint string // SHA-256 fingerprint of the host key; empty = never connected
	Server      string // version string of the SSH server
	OpenKey     bool   // other accounts of our machine may read the private key file
}

// New checks the options. It makes no call.
func New(o Options) (*Host, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Host{
		o: o, address: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)),
		slots: make(chan struct{}, o.Sessions), dial: make(chan struct{}, 1),
	}, nil
}

// Address is where the host is reached: "user@host:port".
func (h *Host) Address() string { return h.o.User + "@" + h.address }

// Peer tells what is known of the other side.
func (h *Host) Peer() Peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known
}

// Logins counts the logins so far: what was learnt of the host at an earlier one may be stale.
func (h *Host) Logins() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.logins
}

// Close ends the connection and waits for the goroutines of this host. It may be called twice.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	l := h.live
	h.live = nil
	h.mu.Unlock()
	if l != nil {
		l.close()
	}
	h.wg.Wait()
	return nil
}

var errClosed = errors.New("the connection was closed by us")

// connect gives the live connection, or makes one. fresh tells that this call made it.
func (h *Host) connect(ctx context.Context) (l *line, fresh bool, err error) {
	select {
	case h.dial <- struct{}{}:
		defer func() { <-h.dial }()
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	h.mu.Lock()
	l, closed := h.live, h.closed
	h.mu.Unlock()
	if closed {
		return nil, false, errClosed
	}
	if l != nil && !l.gone() {
		return l, false, nil
	}
	l, peer, err := h.login(ctx)
	if err != nil {
		return nil, false, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		l.close()
		return nil, false, errClosed
	}
	h.live, h.known = l, peer
	h.logins++
	h.wg.Go(l.wait)
	h.wg.Go(func() { l.keepalive(h.o.Keepalive) })
	h.o.Log.Debug("ssh connected", slog.String("host", h.address), slog.String("host_key", peer.Fingerprint))
	return l, true, nil
}

// fail makes the error of the contract.
func (h *Host) fail(op string, effect adapters.Effect, err error) *adapters.Error {
	return fault(err, op, h.address, effect)
}
