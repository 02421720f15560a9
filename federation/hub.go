package federation

import (
	"context"
	"sync"
)

// subscriberQueue is how far a subscriber may fall behind before it is cut off.
const subscriberQueue = 512

// hub hands changes to subscribers. It never waits for one: who falls behind is cut off and must look
// at everything again. The zero value has no subscribers.
type hub struct {
	mu     sync.Mutex
	closed bool
	subs   map[chan Change]struct{}
}

// Subscribe gives what changes from now on, until ctx ends or the subscriber falls too far behind; then
// the channel is closed. Many changes of one thing may arrive as many.
func (e *Engine) Subscribe(ctx context.Context) <-chan Change {
	h := &e.hub
	c := make(chan Change, subscriberQueue)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return c
	}
	if h.subs == nil {
		h.subs = map[chan Change]struct{}{}
	}
	h.subs[c] = struct{}{}
	context.AfterFunc(ctx, func() { h.drop(c) })
	return c
}

func (h *hub) publish(changes []Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		for _, change := range changes {
			select {
			case c <- change:
				continue
			default:
			}
			delete(h.subs, c)
			close(c)
			break
		}
	}
}

func (h *hub) drop(c chan Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.subs[c]; ok {
		delete(h.subs, c)
		close(c)
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.subs {
		close(c)
	}
	h.subs = nil
}
