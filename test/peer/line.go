package peer

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Line is a TCP line to a host that can be broken on purpose. The zero mode passes everything on.
// Its methods may be called from several goroutines.
type Line struct {
	Addr string // where to connect instead of the host, host:port
	Port int

	target   string
	listener net.Listener

	mu     sync.Mutex
	frozen chan struct{} // closed when thawed; nil = not frozen
	refuse bool
	budget int64 // bytes that the host may still send before the line is cut; <0 = no limit
	opened int
	conns  map[net.Conn]bool
	wg     sync.WaitGroup
}

// NewLine opens a line to target (host:port).
func NewLine(tb testing.TB, target string) *Line {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	mustDo(tb, err)
	l := &Line{
		Addr: listener.Addr().String(), Port: listener.Addr().(*net.TCPAddr).Port, target: target, listener: listener,
		budget: -1, conns: map[net.Conn]bool{},
	}
	l.wg.Go(l.accept)
	tb.Cleanup(func() {
		_ = listener.Close()
		l.Thaw()
		l.Cut()
		l.wg.Wait()
	})
	return l
}

// Cut breaks all present connections.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Close()
	}
}

// Refuse makes every new connection end at once, until it is called with false. Present ones are cut.
func (l *Line) Refuse(on bool) {
	l.mu.Lock()
	l.refuse = on
	l.mu.Unlock()
	if on {
		l.Cut()
	}
}

// Freeze stops all bytes in both directions without closing anything: a peer that is half open. New
// connections are accepted and stay silent.
func (l *Line) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen == nil {
		l.frozen = make(chan struct{})
	}
}

// Thaw lets the bytes go on.
func (l *Line) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
}

// CutAfter cuts all connections once the host has sent n more bytes; then the line is whole again for
// new connections. The bytes within n are delivered, so an answer is truncated or lost as a whole.
func (l *Line) CutAfter(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget = n
}

// Opened says how many connections were made so far.
func (l *Line) Opened() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened
}

func (l *Line) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		refuse := l.refuse
		l.opened++
		l.mu.Unlock()
		if refuse {
			_ = c.Close()
			continue
		}
		l.wg.Go(func() { l.serve(c) })
	}
}

func (l *Line) serve(c net.Conn) {
	defer c.Close()
	host, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer host.Close()
	l.mu.Lock()
	l.conns[c], l.conns[host] = true, true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.conns, c)
		delete(l.conns, host)
		l.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() {
		defer c.Close()
		defer host.Close()
		_, _ = io.Copy(&valve{line: l, to: host}, c) // the line just ends
	})
	both.Go(func() {
		defer c.Close()
		defer host.Close()
		_, _ = io.Copy(&valve{line: l, to: c, counted: true}, host)
	})
	both.Wait()
}

// valve passes bytes on as the line's mode allows.
type valve struct {
	line    *Line
	to      net.Conn
	counted bool
}

func (v *valve) Write(p []byte) (int, error) {
	v.line.mu.Lock()
	frozen := v.line.frozen
	v.line.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	if !v.counted {
		return v.to.Write(p)
	}
	v.line.mu.Lock()
	allowed, cut := int64(len(p)), false
	if v.line.budget >= 0 {
		allowed = min(allowed, v.line.budget)
		v.line.budget -= allowed
		if v.line.budget == 0 {
			v.line.budget, cut = -1, true
		}
	}
	v.line.mu.Unlock()
	n, err := v.to.Write(p[:allowed])
	if cut {
		v.line.Cut()
		return n, io.ErrClosedPipe
	}
	return n, err
}
