package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"signalbox/adapters"
)

// stuck is how long a cancelled command may take to let go of its session before the whole connection
// is given up.
const stuck = 2 * time.Second

// A session that has just ended still counts for the server for a moment. So one that it refuses is
// asked for again, a few times.
const (
	crowded      = 10
	crowdedPause = 100 * time.Millisecond
)

// result is what a command left.
type result struct {
	out, errText []byte
	status       int  // exit status; 128+n for a signal
	lost         bool // the connection went before the exit status came
}

// run carries out one command line. limit bounds what it may print.
func (h *Host) run(ctx context.Context, op, command string, stdin []byte, limit int) (result, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return result{}, h.fail(op, adapters.EffectNone, context.Cause(ctx))
	}
	for refused := 0; ; {
		l, fresh, err := h.connect(ctx)
		if err != nil {
			<-h.slots
			return result{}, h.fail(op, adapters.EffectNone, err)
		}
		x := &execution{line: l, command: command, stdin: stdin, done: make(chan struct{})}
		x.out.limit, x.errText.limit = limit, 4<<10
		go x.work()
		select {
		case <-x.done:
		case <-l.dead:
			x.settle()
		case <-ctx.Done():
			h.wg.Go(func() {
				x.abort()
				<-h.slots
			})
			return result{}, h.fail(op, x.effect(), context.Cause(ctx))
		}
		err = x.outcome()
		if err != nil && !x.sent.Load() {
			if !isCrowded(err) && !fresh {
				// The connection had died unnoticed, and nothing was sent: once more on a new one.
				l.close()
				<-l.dead
				continue
			}
			if refused++; isCrowded(err) && refused < crowded && pause(ctx, crowdedPause) {
				continue
			}
		}
		<-h.slots
		return h.finish(op, x, err)
	}
}

// pause waits, and tells whether ctx still holds.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *Host) finish(op string, x *execution, err error) (result, error) {
	r := result{out: x.out.bytes(), errText: x.errText.bytes()}
	var exit *ssh.ExitError
	var missing *ssh.ExitMissingError
	switch {
	case x.out.over():
		return result{}, &adapters.Error{
			Kind: adapters.Malformed, Op: op, Subject: h.address, Effect: x.effect(),
			Err: fmt.Errorf("the answer is longer than %d bytes", x.out.limit),
		}
	case err == nil:
	case errors.As(err, &exit):
		r.status = exit.ExitStatus()
		if exit.Signal() != "" && r.status == 0 {
			r.status = 128
		}
	case errors.As(err, &missing):
		r.lost = true
	default:
		return result{}, h.fail(op, x.effect(), err)
	}
	return r, nil
}

// isCrowded tells that the server refuses a session on a connection that is alive.
func isCrowded(err error) bool {
	var full *ssh.OpenChannelError
	return errors.As(err, &full)
}

// execution is one command on its way. work runs in a goroutine of its own, since nearly every call
// of the SSH library may block for ever: on a silent peer until the connection is closed, and opening a
// session in the very moment in which the connection ends even then. So nobody waits for work longer
// than for the connection and a little.
type execution struct {
	line    *line
	command string
	stdin   []byte
	out     capped
	errText capped
	sent    atomic.Bool // the request may have reached the host
	refused atomic.Bool // the host said that it will not run it
	err     error       // readable once done is closed
	done    chan struct{}

	mu      sync.Mutex
	session *ssh.Session
	aborted bool
}

func (x *execution) effect() adapters.Effect {
	if x.sent.Load() && !x.refused.Load() {
		return adapters.EffectUnknown
	}
	return adapters.EffectNone
}

func (x *execution) work() {
	defer close(x.done)
	session, err := x.line.client.NewSession()
	if err != nil {
		x.err = err
		return
	}
	defer func() { _ = session.Close() }() // after Wait it is closed already
	x.mu.Lock()
	x.session = session
	aborted := x.aborted
	x.mu.Unlock()
	if aborted {
		x.err = context.Canceled
		return
	}
	x.out.full = func() { _ = session.Close() } // what comes is not wanted any more
	session.Stdout, session.Stderr = &x.out, &x.errText
	pipe, err := session.StdinPipe()
	if err != nil {
		x.err = err
		return
	}
	x.sent.Store(true)
	if err = session.Start(x.command); err != nil {
		kind, _ := judge(err)
		x.refused.Store(kind == adapters.Rejected)
		x.err = err
		return
	}
	var feed sync.WaitGroup
	feed.Go(func() {
		_, _ = io.Copy(pipe, bytes.NewReader(x.stdin)) // a command may end without reading everything
		_ = pipe.Close()
	})
	x.err = session.Wait()
	feed.Wait()
}

// settle waits until work has ended, or is stuck although the connection is gone.
func (x *execution) settle() {
	<-x.line.dead
	late := time.NewTimer(stuck)
	defer late.Stop()
	select {
	case <-x.done:
	case <-late.C:
	}
}

// outcome is the error of work.
func (x *execution) outcome() error {
	select {
	case <-x.done:
		return x.err
	default:
		return fmt.Errorf("the connection is gone: %w", io.EOF)
	}
}

// abort ends a command that nobody waits for any more: softly by closing its session, and hard by
// closing the connection if that does not help. It returns when work has ended, or never will.
func (x *execution) abort() {
	x.mu.Lock()
	x.aborted = true
	session := x.session
	x.mu.Unlock()
	hard := time.AfterFunc(stuck, x.line.close)
	defer hard.Stop()
	if session != nil {
		_ = session.Close() // if it cannot be sent, the timer ends it
	}
	select {
	case <-x.done:
	case <-x.line.dead:
		x.settle()
	}
}

// capped keeps the first limit bytes and calls full once when more come.
type capped struct {
	limit int
	full  func()

	mu   sync.Mutex
	buf  bytes.Buffer
	more bool
}

func (c *capped) Write(p []byte) (int, error) {
	c.mu.Lock()
	room := c.limit - c.buf.Len()
	c.buf.Write(p[:min(room, len(p))])
	first := room < len(p) && !c.more
	c.more = c.more || room < len(p)
	c.mu.Unlock()
	if first && c.full != nil {
		go c.full()
	}
	return len(p), nil
}

func (c *capped) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Bytes()
}

func (c *capped) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.more
}
