// Package fault is how an error looks to whoever asked over HTTP: one shape that the API writes as
// problem+json and the pages write as a page. Internal texts that could hold more than a stranger
// should read never pass: what is not recognised becomes "internal" and is logged by the server.
package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"signalbox/federation"
	"signalbox/federation/store"
)

// Error is an error with everything that a client may know about it. It is safe to show.
type Error struct {
	Status int    // of HTTP
	Code   string // one word for programs: "not_found", "token_required"
	Detail string // one sentence: operation, subject, cause
	Fix    string // what a person can do; may be empty
	Err    error  // the cause, for the server's log only
}

// Error implements error.
func (f *Error) Error() string { return f.Detail }

// Unwrap gives the cause.
func (f *Error) Unwrap() error { return f.Err }

// New makes an Error.
func New(status int, code, format string, a ...any) *Error {
	return &Error{Status: status, Code: code, Detail: fmt.Sprintf(format, a...)}
}

// WithFix adds what a person can do and gives the same Error.
func (f *Error) WithFix(fix string) *Error {
	f.Fix = fix
	return f
}

// NotFound says that the named thing does not exist.
func NotFound(format string, a ...any) *Error {
	return New(http.StatusNotFound, "not_found", format, a...)
}

// Bad says that the request cannot be understood.
func Bad(format string, a ...any) *Error {
	return New(http.StatusBadRequest, "bad_request", format, a...)
}

// Of gives the Error that an error is or stands for. It never gives nil.
func Of(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	if kind, fix := federation.ErrorKind(err); kind != "" {
		return wrap(peerStatus(kind), kind, err).WithFix(fix)
	}
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		return ofHTTP(h, err)
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return New(http.StatusRequestEntityTooLarge, "too_large", "read request: more than %d bytes", tooLarge.Limit)
	}
	switch {
	case errors.Is(err, federation.ErrInput):
		return wrap(http.StatusBadRequest, "bad_request", err)
	case errors.Is(err, federation.ErrRefused):
		return wrap(http.StatusConflict, "refused", err)
	case errors.Is(err, federation.ErrUnavailable):
		return wrap(http.StatusServiceUnavailable, "unavailable", err)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, federation.ErrNotFound):
		return wrap(http.StatusNotFound, "not_found", err)
	case errors.Is(err, store.ErrConflict):
		return wrap(http.StatusConflict, "conflict", err).WithFix("Read it again: it changed in the meantime.")
	case errors.Is(err, store.ErrFenced):
		return wrap(http.StatusServiceUnavailable, "not_owner", err).WithFix("Another instance of Signalbox owns the database now; ask that one.")
	case errors.Is(err, context.DeadlineExceeded):
		return New(http.StatusGatewayTimeout, "timeout", "the answer took too long").WithFix("Try again; if it persists, read the server's log.")
	case errors.Is(err, context.Canceled):
		return New(http.StatusServiceUnavailable, "stopping", "the request was given up before it was answered")
	}
	in := New(http.StatusInternalServerError, "internal", "the request could not be carried out for a reason inside Signalbox")
	in.Err = err
	return in.WithFix("Read the server's log: it has the cause.")
}

// wrap shows the error's own text, which is fit for people.
func wrap(status int, code string, err error) *Error {
	return &Error{Status: status, Code: code, Detail: err.Error(), Err: err}
}

// peerStatus maps the kinds of errors of sources, which are those of package adapters.
func peerStatus(kind string) int {
	switch kind {
	case "not_found":
		return http.StatusNotFound
	case "unsupported":
		return http.StatusNotImplemented
	case "rejected":
		return http.StatusConflict
	case "unavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadGateway
}

func ofHTTP(h *echo.HTTPError, err error) *Error {
	word := strings.ReplaceAll(strings.ToLower(http.StatusText(h.Code)), " ", "_")
	if word == "" {
		word = "refused"
	}
	f := New(h.Code, word, "%v", h.Message)
	switch h.Code {
	case http.StatusNotFound:
		f.Detail = "there is nothing at this address"
	case http.StatusMethodNotAllowed:
		f.Detail = "this address does not take that method"
	}
	f.Err = err
	return f
}
