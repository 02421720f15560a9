package adapters

import (
	"bytes"
	"context"
	"log/slog"
	"time"
)

// steadyWatch is how long a stream must have lived to be opened again at once after it broke.
const steadyWatch = time.Minute

// stream is one live Watch. Its goroutine hands batches to the loop, which alone checks and delivers.
type stream struct {
	opened time.Time
	cancel context.CancelFunc
	batch  chan emission
	end    chan error // one value, when Watch has returned
}

type emission struct {
	batch Batch
	reply chan error
}

// streamRetry says when a broken stream may be opened again.
type streamRetry struct {
	failures int
	after    time.Time
	never    bool // the peer cannot or may not: until poked
}

func (r *streamRetry) reset() { *r = streamRetry{} }

func (st *stream) emits() <-chan emission {
	if st == nil {
		return nil
	}
	return st.batch
}

func (st *stream) ended() <-chan error {
	if st == nil {
		return nil
	}
	return st.end
}

// watch opens a stream behind the cursor, if the adapter has one and none is live.
func (l *loop) watch(ctx context.Context) {
	w, ok := l.adapter.(Watcher)
	if !ok || l.stream != nil || l.retry.never || time.Now().Before(l.retry.after) {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	st := &stream{opened: time.Now(), cancel: cancel, batch: make(chan emission), end: make(chan error, 1)}
	emit := func(b Batch) error {
		e := emission{batch: b, reply: make(chan error, 1)}
		select {
		case st.batch <- e:
			return <-e.reply // the loop always answers what it took
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	cursor := bytes.Clone(l.cursor)
	go func() {
		var err error
		defer func() {
			if r := recover(); r != nil {
				err = l.panicked("watch", r)
			}
			st.end <- err
		}()
		err = w.Watch(ctx, cursor, emit)
	}()
	l.stream = st
	l.update(func(h *Health) { h.Watching = true })
}

// emitted takes a batch from the stream. An empty one is a sign of life.
func (l *loop) emitted(ctx context.Context, b Batch) error {
	b, err := l.accept("watch", b)
	if err == nil {
		l.update(func(h *Health) { h.LastSeen = time.Now().UTC() })
		l.reached(ctx)
		err = l.deliver(ctx, b)
	}
	if err != nil {
		l.stream.cancel() // what was not taken is read again by polling
		return err
	}
	l.list(ctx, b.JobsChanged)
	return nil
}

// streamEnded notes that Watch has returned and tells whether to poll at once.
func (l *loop) streamEnded(ctx context.Context, err error) bool {
	now := time.Now()
	if now.Sub(l.stream.opened) >= steadyWatch {
		l.retry.failures = 0
	}
	l.retry.failures++
	l.retry.after = now.Add(backoff(l.opt.Name, l.retry.failures, l.Health().Fast))
	l.closeStream()
	if ctx.Err() != nil {
		return false
	}
	text := "the stream ended"
	if err != nil {
		e := l.convert("watch", l.opt.Name, err)
		text = e.Error()
		l.retry.never = e.Kind == Denied || e.Kind == Unsupported
	}
	l.opt.Log.LogAttrs(ctx, slog.LevelWarn, "stream broke, polling goes on", slog.String("error", text))
	return l.failures == 0 && l.refused == 0 // else the backoff says when
}

// endStream ends a live stream and waits until its goroutine is gone.
func (l *loop) endStream() {
	if l.stream == nil {
		return
	}
	l.stream.cancel()
	hang := time.NewTimer(hangGrace)
	defer hang.Stop()
	select {
	case err := <-l.stream.end: // of a stream that we ended ourselves
		l.opt.Log.Debug("stream ended", slog.Bool("failed", err != nil))
	case <-hang.C:
		l.opt.Log.Error("stream did not end with its context", slog.Duration("waited", hangGrace))
	}
	l.closeStream()
}

func (l *loop) closeStream() {
	l.stream.cancel()
	l.stream = nil
	l.update(func(h *Health) { h.Watching = false })
}
