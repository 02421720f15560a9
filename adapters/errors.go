package adapters

import (
	"errors"
	"fmt"
)

// Kind sorts errors by what is to be done about them.
type Kind string

// The kinds. Only Unavailable is retried by itself. A failed login is Denied and never retried by
// itself: accounts get locked.
const (
	Unavailable Kind = "unavailable" // the peer cannot be reached or does not answer now
	Denied      Kind = "denied"      // wrong password or key, missing right, changed host key
	NotFound    Kind = "not_found"   // the named job, run or log does not exist
	Unsupported Kind = "unsupported" // the peer or its configuration cannot do this
	Malformed   Kind = "malformed"   // the peer answered something that we do not understand
	Rejected    Kind = "rejected"    // the peer understood and refused
)

// Effect says whether a call that failed may have changed something at the source. The zero value is
// the careful one.
type Effect string

// The effects.
const (
	EffectUnknown Effect = ""     // it may have happened
	EffectNone    Effect = "none" // it surely did not happen, and will not
)

// Error is the error of an adapter. Its text is "op subject: cause" and holds no secrets.
type Error struct {
	Kind    Kind
	Op      string // "poll", "start", "read log"
	Subject string // host, job or run; may be empty
	Effect  Effect // of calls that change something
	Fix     string // what a person can do about it, if the adapter knows; one sentence
	Err     error  // the cause
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Op
	if e.Subject != "" {
		s += " " + e.Subject
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error; the format's %w becomes its cause.
func Errorf(kind Kind, op, subject, format string, a ...any) *Error {
	return &Error{Kind: kind, Op: op, Subject: subject, Err: fmt.Errorf(format, a...)}
}

// KindOf gives the kind of an error: that of the first [*Error] in its chain, else Unavailable. Nil
// has no kind.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unavailable
}

// EffectOf gives the effect of an error: that of the first [*Error] in its chain, else EffectUnknown.
func EffectOf(err error) Effect {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Effect
	}
	return EffectUnknown
}
