package cronhost

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wire is a client's connection with the host's temper on it.
type wire struct {
	net.Conn
	number  int // 1, 2, 3 … in the order of arrival at the host
	temper  *temper
	traffic *traffic
	done    chan struct{} // closed by Close
	once    sync.Once
}

// traffic counts bytes on the wire of all connections of a host.
type traffic struct {
	connections, received, sent atomic.Int64
}

func newWire(c net.Conn, t *temper, count *traffic) *wire {
	number := int(count.connections.Add(1))
	return &wire{Conn: c, number: number, temper: t, traffic: count, done: make(chan struct{})}
}

func stallGate(t *temper) chan struct{}  { return t.stall }
func silentGate(t *temper) chan struct{} { return t.silent }

// Read holds back what arrives while the host stalls, and lets it in later on a slow one.
func (w *wire) Read(p []byte) (int, error) {
	if !w.temper.wait(stallGate, w.done) {
		return 0, net.ErrClosed
	}
	n, err := w.Conn.Read(p)
	w.traffic.received.Add(int64(n))
	if err != nil {
		return n, err
	}
	latency, _ := w.temper.pace()
	if !w.temper.wait(stallGate, w.done) || !w.pause(latency) {
		return 0, net.ErrClosed
	}
	return n, nil
}

// Write sends in slices of a tenth of a second when the host is slow.
func (w *wire) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		if !w.temper.wait(stallGate, w.done) {
			return sent, net.ErrClosed
		}
		slice := p[sent:]
		_, rate := w.temper.pace()
		if rate > 0 {
			slice = slice[:min(len(slice), max(1, rate/10))]
		}
		n, err := w.Conn.Write(slice)
		sent += n
		w.traffic.sent.Add(int64(n))
		if err != nil {
			return sent, err
		}
		if rate > 0 && !w.pause(time.Second*time.Duration(n)/time.Duration(rate)) {
			return sent, net.ErrClosed
		}
	}
	return sent, nil
}

// pause waits for d and says whether the connection is still wanted.
func (w *wire) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.done:
		return false
	}
}

// Close may be called many times.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.done) })
	return w.Conn.Close()
}
