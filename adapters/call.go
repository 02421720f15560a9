package adapters

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hangGrace is how long an adapter may take to return after its context has ended. Behind it the call
// is given up, so that a hanging adapter makes its source blind rather than silent.
const hangGrace = 5 * time.Second

var (
	errClosed = errors.New("the source is closed")
	errBusy   = errors.New("not sent: earlier calls to the source have not come back")
)

// call describes one call to the adapter.
type call struct {
	op      string
	subject string
	changes bool            // it changes something at the source: it is not cut off by the caller's context
	gates   []chan struct{} // entered before it, left when the adapter has returned
}

func sprint(v any) string { return fmt.Sprint(v) }

// invoke makes one call to the adapter: within the gates and the timeout, contained if it panics or
// hangs. Its error is always an [*Error].
func invoke[T any](ctx context.Context, s *Source, c call, fn func(context.Context) (T, error)) (T, error) {
	var zero T
	if err := s.enter(c.op); err != nil {
		return zero, err
	}
	defer s.calls.Done()
	if err := s.pass(ctx, c); err != nil {
		return zero, err
	}
	inner := ctx
	if c.changes {
		inner = context.WithoutCancel(ctx) // an answer that we do not wait for would be a doubt
	}
	inner, cancel := context.WithTimeout(inner, s.opt.Timeout)
	defer cancel()

	type outcome struct {
		val T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if r := recover(); r != nil {
				o = outcome{err: s.panicked(c.op, r)}
			}
			c.leave()
			done <- o
		}()
		o.val, o.err = fn(inner)
	}()

	closing := s.closing
	if c.changes {
		closing = nil
	}
	var hang <-chan time.Time
	ended := inner.Done()
	for {
		select {
		case o := <-done:
			if o.err != nil {
				return zero, s.convert(c.op, c.subject, o.err)
			}
			return o.val, nil
		case <-closing:
			closing = nil
			cancel()
		case <-ended:
			ended = nil
			hang = time.After(hangGrace)
		case <-hang:
			return zero, s.convert(c.op, c.subject, Errorf(Unavailable, c.op, c.subject,
				"the adapter did not return within %s after its time was up", hangGrace))
		}
	}
}

// pass enters the gates of a call. What fails here was not sent.
func (s *Source) pass(ctx context.Context, c call) *Error {
	refuse := func(err error) *Error {
		return &Error{Kind: Unavailable, Op: c.op, Subject: c.subject, Effect: EffectNone, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return refuse(err)
	}
	limit := time.NewTimer(s.opt.Timeout)
	defer limit.Stop()
	for i, gate := range c.gates {
		var err error
		select {
		case gate <- struct{}{}:
			continue
		case <-ctx.Done():
			err = ctx.Err()
		case <-s.closing:
			err = errClosed
		case <-limit.C:
			err = errBusy
		}
		call{gates: c.gates[:i]}.leave()
		return refuse(err)
	}
	return nil
}

// leave frees the gates.
func (c call) leave() {
	for _, gate := range c.gates {
		<-gate
	}
}

// panicked turns a panic of the adapter into an error and logs where it came from.
func (s *Source) panicked(op string, recovered any) *Error {
	s.logPanic(op, recovered)
	return &Error{
		Kind: Malformed, Op: op, Subject: s.opt.Name, Fix: "report it with the log: this is a fault of the adapter",
		Err: errors.New(s.secrets.text("the adapter panicked: " + sprint(recovered))),
	}
}

// convert makes any error of an adapter an [*Error] of ours, complete and without secrets.
func (s *Source) convert(op, subject string, err error) *Error {
	e := Error{Kind: Unavailable, Op: op, Subject: subject, Err: err}
	var inner *Error
	switch {
	case errors.As(err, &inner) && inner == nil:
		e.Err = errors.New("the adapter gave an error without content")
	case inner != nil:
		e = *inner
		if !isSelf(err, inner) {
			e.Op, e.Subject, e.Err = op, subject, err // somebody said more around it
		}
	case errors.Is(err, context.DeadlineExceeded):
		e.Err = fmt.Errorf("no answer within %s: %w", s.opt.Timeout, err)
	}
	if e.Kind == "" {
		e.Kind = Unavailable
	}
	if e.Op == "" {
		e.Op = op
	}
	if e.Subject == "" {
		e.Subject = subject
	}
	e.Subject, e.Fix, e.Err = s.secrets.text(e.Subject), s.secrets.text(e.Fix), s.secrets.err(e.Err)
	return &e
}

// isSelf tells whether err is inner itself and not an error around it.
func isSelf(err error, inner *Error) bool {
	e, ok := err.(*Error) //nolint:errorlint // the question is about the outermost error
	return ok && e == inner
}
