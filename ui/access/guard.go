package access

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/ui/fault"
)

// CSRFField is the form field that carries a session's CSRF token.
const CSRFField = "csrf"

// Changing tells whether a request may change something, by its method.
func Changing(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}

// CheckHost refuses requests that name another server, whatever they ask for.
func (g *Guard) CheckHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !g.answersTo(c.Request().Host) {
			return fault.New(http.StatusMisdirectedRequest, "wrong_host", "host %q is not a name of this server", c.Request().Host).
				WithFix("Open it by the address it listens on, or name this host in its configuration.")
		}
		return next(c)
	}
}

// answersTo tells whether a Host header names this server. Addresses cannot be rebound, so those that
// are not loopback are good once the server is meant to be reached from elsewhere.
func (g *Guard) answersTo(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || slices.Contains(g.policy.Hosts, host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.Unmap().IsLoopback() || g.exposed())
}

// CheckOrigin refuses changing requests that a browser sends on behalf of another site. Programs send
// neither header and pass: they have no cookies to abuse.
func (g *Guard) CheckOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if Changing(r) && !sameSite(r) {
			return fault.New(http.StatusForbidden, "cross_site", "%s %s: the request comes from another site", r.Method, r.URL.Path).
				WithFix("Send it from a page of this server, or from a program without an Origin header.")
		}
		return next(c)
	}
}

func sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// Identify finds out who asks: by bearer token or by session. A wrong bearer token is refused even
// where none is needed, so that a mistyped one shows.
func (g *Guard) Identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := Viewer{CanProve: g.policy.Token != ""}
		if scheme, token, ok := strings.Cut(c.Request().Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
			if err := g.try(c.Request(), token); err != nil {
				return challenge(c, err)
			}
			v.Proven = true
		} else if ck, err := c.Cookie(CookieName); err == nil {
			if s, ok := g.sessions.find(ck.Value); ok {
				v.Proven, v.Name, v.CSRF = true, s.name, s.csrf
			}
		}
		setViewer(c, v)
		return next(c)
	}
}

// try checks a token and counts a wrong one.
func (g *Guard) try(r *http.Request, token string) *fault.Error {
	if wait := g.attempts.blocked(r); wait > 0 {
		return fault.New(http.StatusTooManyRequests, "too_many_attempts", "too many wrong tokens from %s: wait %d s", address(r), int(wait/time.Second)+1)
	}
	if g.policy.Token == "" {
		return noToken()
	}
	if !g.matches(token) {
		g.attempts.failed(r)
		return fault.New(http.StatusUnauthorized, "wrong_token", "the token is not the configured one")
	}
	return nil
}

// Read lets through whoever may read.
func (g *Guard) Read(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if g.exposed() && !Of(c.Request().Context()).Proven {
			return challenge(c, needToken("reading from another machine"))
		}
		return next(c)
	}
}

// Bearer lets through programs that may change something.
func (g *Guard) Bearer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := Of(c.Request().Context())
		switch {
		case !v.CanProve:
			return noToken()
		case !v.Proven || v.CSRF != "":
			return challenge(c, needToken("changing something"))
		}
		return next(c)
	}
}

// Session lets through people who may change something: a session, and its CSRF token in the form.
func (g *Guard) Session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := Of(c.Request().Context())
		switch {
		case !v.CanProve:
			return noToken()
		case v.CSRF == "":
			return fault.New(http.StatusUnauthorized, "sign_in", "changing something: nobody is signed in").WithFix("Sign in and do it again.")
		case !sameText(c.FormValue(CSRFField), v.CSRF):
			return fault.New(http.StatusForbidden, "csrf", "the form does not belong to this session").WithFix("Open the page again and send its form.")
		}
		return next(c)
	}
}

// SignIn begins a session for whoever shows the token. name is what they say who they are.
func (g *Guard) SignIn(c echo.Context, token, name string) error {
	if err := g.try(c.Request(), token); err != nil {
		return err
	}
	c.SetCookie(cookie(c.Request(), g.sessions.open(name)))
	return nil
}

// SignOut ends the session of a request, if there is one.
func (g *Guard) SignOut(c echo.Context) {
	if ck, err := c.Cookie(CookieName); err == nil {
		g.sessions.close(ck.Value)
	}
	c.SetCookie(cookie(c.Request(), ""))
}

func noToken() *fault.Error {
	return fault.New(http.StatusForbidden, "no_token", "changing something over HTTP is off: no token is configured").
		WithFix("Set api: {token: file:PATH} in signalbox.yaml (make a token with: openssl rand -hex 32), restart, and show it as a bearer token or at /login.")
}

func needToken(what string) *fault.Error {
	return fault.New(http.StatusUnauthorized, "token_required", "%s needs the token", what).
		WithFix("Send it as: Authorization: Bearer TOKEN")
}

// challenge names the scheme beside a 401, as HTTP demands, and the pause beside a 429.
func challenge(c echo.Context, f *fault.Error) error {
	switch f.Status {
	case http.StatusUnauthorized:
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="signalbox"`)
	case http.StatusTooManyRequests:
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wrongSpan/time.Second)))
	}
	return f
}
