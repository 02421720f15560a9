// Package access decides who may do what over HTTP: which names the server answers to, where a
// changing request may come from, who holds the token, and what a session is.
//
// The rules, in the order in which they are checked:
//
//  1. The Host header names this server: else DNS rebinding would let any web page speak to it.
//  2. A request that changes something does not come from another site.
//  3. On loopback, reading is open; bound elsewhere, reading needs the token too.
//  4. Changing always needs the token. With none configured, nothing can be changed over HTTP.
//
// A program shows the token as "Authorization: Bearer"; a person types it once and gets a session
// cookie. A session changes something only with its CSRF token beside the cookie.
package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/labstack/echo/v4"
)

// MinToken is the shortest token accepted, in bytes: below it guessing is within reach.
const MinToken = 16

// Policy is what the rules depend on.
type Policy struct {
	Token string           // empty = nothing can be changed over HTTP, and only loopback is served
	Hosts []string         // names and addresses that the server answers to besides loopback, without port
	Now   func() time.Time // required
}

// Guard applies a [Policy]. Its methods may be called from any goroutine.
type Guard struct {
	policy   Policy
	sum      [sha256.Size]byte // of the token: comparing sums hides the length
	sessions *sessions
	attempts *attempts
	exposed  func() bool
}

// Viewer is whoever asked, as far as it was proven.
type Viewer struct {
	Name     string // declared at sign-in; the token is shared, so it is not proof
	Proven   bool   // the token was shown
	CSRF     string // of the session; empty without one
	CanProve bool   // a token is configured
}

// Actor is how the viewer stands in records: that the token was shown, and who they said they were.
func (v Viewer) Actor() string {
	if v.Name == "" {
		return "token"
	}
	return "token/" + v.Name
}

// New makes a Guard. exposed tells whether the server can be reached from other machines; it is asked
// on every request, since that is known for certain only once the listener is bound.
func New(p Policy, exposed func() bool) (*Guard, error) {
	if p.Token != "" && len(p.Token) < MinToken {
		return nil, errors.New("token: shorter than 16 characters; make one with: openssl rand -hex 32")
	}
	return &Guard{
		policy: p, sum: sha256.Sum256([]byte(p.Token)), exposed: exposed,
		sessions: newSessions(p.Now), attempts: newAttempts(p.Now),
	}, nil
}

// matches compares in a time that does not depend on where the texts differ.
func (g *Guard) matches(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return g.policy.Token != "" && subtle.ConstantTimeCompare(sum[:], g.sum[:]) == 1
}

type viewerKey struct{}

// Of gives the viewer of a request.
func Of(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}

// With gives a context with a viewer.
func With(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

func setViewer(c echo.Context, v Viewer) {
	c.SetRequest(c.Request().WithContext(With(c.Request().Context(), v)))
}
