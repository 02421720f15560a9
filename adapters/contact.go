package adapters

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// reached notes that the peer answered.
func (l *loop) reached(ctx context.Context) {
	now := time.Now().UTC()
	l.heard = now
	l.stopped = false
	l.mu.Lock()
	l.refusal = nil
	l.health.Breaker, l.health.Stopped = false, false
	l.mu.Unlock()
	if l.contact != nil && !l.contact.Blind {
		l.tell(ctx)
		return
	}
	if l.contact != nil {
		l.opt.Log.LogAttrs(ctx, slog.LevelInfo, "contact is back", slog.Time("blind_since", l.contact.Since))
	}
	l.contact, l.untold = &Contact{Since: now}, true
	l.tell(ctx)
}

// fail notes that a poll failed, and decides whether to try again.
func (l *loop) fail(ctx context.Context, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = l.convert("poll", l.opt.Name, err)
	}
	l.failures++
	l.failed = time.Now()
	// Whatever is wrong with a login or with the configuration is still wrong the next time, and
	// repeated failed logins lock accounts.
	l.stopped = e.Kind == Denied || e.Kind == Unsupported
	c := &Contact{Blind: true, Since: l.Health().LastSeen, Kind: e.Kind, Error: e.Error(), Fix: e.Fix}
	if l.contact == nil || !l.contact.Blind || l.contact.Kind != c.Kind {
		l.untold = true
		l.opt.Log.LogAttrs(ctx, slog.LevelWarn, "contact is lost", slog.String("kind", string(c.Kind)),
			slog.String("error", c.Error), slog.Bool("stopped", l.stopped))
	}
	l.contact = c
	l.mu.Lock()
	l.refusal = nil
	if e.Kind == Denied {
		l.refusal = e
	}
	l.health.Stopped = l.stopped
	l.health.Breaker = l.failures >= breakerOpens && !l.stopped
	l.mu.Unlock()
	l.tell(ctx)
}

// tell shows the contact, and makes sure that the sink has heard of its last change.
func (l *loop) tell(ctx context.Context) {
	c := *l.contact
	l.update(func(h *Health) { h.Contact = c })
	if !l.untold {
		return
	}
	if err := l.sink.TakeContact(ctx, l.opt.Name, c); err != nil {
		l.opt.Log.LogAttrs(ctx, slog.LevelError, "contact not taken, will be told again",
			slog.String("error", l.secrets.text(err.Error())))
		return
	}
	l.untold = false
}
