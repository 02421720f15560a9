package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/federation"
	"signalbox/ui/fault"
)

const (
	// heartbeat keeps proxies from closing a quiet stream and shows a client that it is alive.
	heartbeat = 15 * time.Second
	// streamWrite is how long a client may take to accept one event before it is given up.
	streamWrite = 10 * time.Second
	// retryMS is how long a client waits before it connects again.
	retryMS = 2000
)

// Event is the data of a server-sent event.
type Event struct {
	ID  string `json:"id,omitempty"` // key or name of what changed
	Seq int64  `json:"seq"`          // of the ledger after the change
}

// stream tells of changes as they become durable. An event carries no state, only what to read again:
// the thing's key or name. "reset" means that changes may have been missed: read everything that is
// shown again. A client that connects again always gets one, since several events share one id.
func (a *API) stream(c echo.Context) error {
	since, again, err := since(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	// Subscribe first, then look where the ledger stands: what comes in between is told twice, never
	// not at all.
	changes := a.engine.Subscribe(ctx)
	last, err := a.store.Last(ctx)
	if err != nil {
		return err
	}
	w := newEventWriter(c)
	name := "hello"
	if again || (since >= 0 && since != last) {
		name = "reset"
	}
	if err := w.begin(name, last); err == nil {
		a.follow(ctx, w, changes)
	}
	return nil
}

// follow writes changes until the client is gone, the server stops, or the engine cut us off for being
// slow: then the client is told to read everything again and to come back.
func (a *API) follow(ctx context.Context, w *eventWriter, changes <-chan federation.Change) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var last int64
	for err := error(nil); err == nil; {
		select {
		case <-ctx.Done():
			return
		case <-a.stopping:
			return
		case <-beat.C:
			err = w.beat()
		case ch, ok := <-changes:
			if !ok {
				_ = w.event("reset", last, "") // the stream ends either way
				return
			}
			last = ch.Seq
			err = w.event(kindName(ch.Kind), ch.Seq, ch.ID)
		}
	}
}

// kindName gives the name of the event. A change of a kind that clients do not know is a reset.
func kindName(k federation.ChangeKind) string {
	switch k {
	case federation.ChangedInstance, federation.ChangedRun, federation.ChangedSource, federation.ChangedChain:
		return string(k)
	}
	return "reset"
}

// since reads what the client knows already, -1 if it did not say, and whether it was connected before.
func since(c echo.Context) (seq int64, again bool, err error) {
	s := c.Request().Header.Get("Last-Event-ID")
	again = s != ""
	if !again {
		s = c.QueryParam("since")
	}
	if s == "" {
		return -1, false, nil
	}
	if seq, err = strconv.ParseInt(s, 10, 64); err != nil || seq < 0 {
		return 0, false, fault.Bad("since %q: want a sequence number", s)
	}
	return seq, again, nil
}

// eventWriter writes server-sent events, each within its own deadline.
type eventWriter struct {
	w   http.ResponseWriter
	ctl *http.ResponseController
}

func newEventWriter(c echo.Context) *eventWriter {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	return &eventWriter{w: c.Response(), ctl: http.NewResponseController(c.Response())}
}

func (w *eventWriter) begin(name string, last int64) error {
	w.w.WriteHeader(http.StatusOK)
	if err := w.write("retry: %d\n\n", retryMS); err != nil {
		return err
	}
	return w.event(name, last, "")
}

func (w *eventWriter) beat() error { return w.write(": still here\n\n") }

// event writes one event. Its data is one JSON object.
func (w *eventWriter) event(name string, seq int64, id string) error {
	data, err := json.Marshal(Event{ID: id, Seq: seq})
	if err != nil {
		return err
	}
	return w.write("event: %s\nid: %d\ndata: %s\n\n", name, seq, data)
}

func (w *eventWriter) write(format string, a ...any) error {
	// A writer without deadlines, as in tests, is fine.
	_ = w.ctl.SetWriteDeadline(time.Now().Add(streamWrite))
	if _, err := fmt.Fprintf(w.w, format, a...); err != nil {
		return err
	}
	return w.ctl.Flush()
}
