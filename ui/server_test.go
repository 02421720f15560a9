package ui_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"signalbox/federation"
	"signalbox/federation/store"
	"signalbox/ui"
	"signalbox/ui/uitest"
)

// What the web server needs is what the engine and every store offer.
var (
	_ ui.Engine = (*federation.Engine)(nil)
	_ ui.Engine = (*uitest.Engine)(nil)
	_ ui.Store  = store.Store(nil)
	_ ui.Store  = (*uitest.Store)(nil)
)

const token = "a-token-of-more-than-16-bytes"

func newServer(t *testing.T, site *uitest.Site, listen, token string) *ui.Server {
	t.Helper()
	s, err := ui.New(ui.Options{
		Engine: site.Engine, Store: site.Store, Listen: listen, Token: token, Hosts: []string{"Box.Example.Net"}, Version: "1.2.3",
		Now: func() time.Time { return site.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	site := uitest.Empty()
	cases := map[string]struct {
		options ui.Options
		want    string
	}{
		"no engine":       {ui.Options{Store: site.Store, Listen: "127.0.0.1:0"}, "an engine and a store are required"},
		"no port":         {ui.Options{Engine: site.Engine, Store: site.Store, Listen: "127.0.0.1"}, "missing port"},
		"open, no token":  {ui.Options{Engine: site.Engine, Store: site.Store, Listen: "0.0.0.0:80"}, "without a token"},
		"every address":   {ui.Options{Engine: site.Engine, Store: site.Store, Listen: ":80"}, "without a token"},
		"a name of ours":  {ui.Options{Engine: site.Engine, Store: site.Store, Listen: "box.example.net:80"}, "without a token"},
		"too short token": {ui.Options{Engine: site.Engine, Store: site.Store, Listen: "127.0.0.1:0", Token: "short"}, "shorter than 16"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ui.New(c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// What was configured as loopback but is bound elsewhere must not be served without a token.
func TestServeRefusesWiderListener(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Empty(), "127.0.0.1:0", "")
	err := s.Serve(t.Context(), wideListener{})
	if err == nil || !strings.Contains(err.Error(), "without a token") {
		t.Errorf("error %v", err)
	}
}

// wideListener says that it is bound to an address of the network.
type wideListener struct{}

func (wideListener) Accept() (net.Conn, error) { return nil, errors.New("not reached") }
func (wideListener) Close() error              { return nil }
func (wideListener) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

func TestServeStopsStreamsAtOnce(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	s := newServer(t, site, "127.0.0.1:0", "")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()

	resp, err := http.Get("http://" + ln.Addr().String() + "/api/v1/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
		t.Fatalf("stream begins with %q, %v", line, err)
	}
	stop()
	limit := time.NewTimer(4 * time.Second) // less than the grace for requests: streams must not use it up
	defer limit.Stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("stop: %v", err)
		}
	case <-limit.C:
		t.Fatal("an open stream kept the server from stopping")
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("the stream was cut, not ended: %v", err)
	}
}

// request is one cell of the table of who may do what.
type request struct {
	method, path  string
	host, origin  string
	fetchSite     string
	bearer        string
	session, csrf bool
}

func (q request) do(t *testing.T, s http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	if q.host == "" {
		q.host = "127.0.0.1:8440"
	}
	var body io.Reader
	kind := "application/json"
	if q.method == http.MethodPost {
		body = strings.NewReader(`{"reason": "a test"}`)
	}
	var cookies []*http.Cookie
	if q.session {
		var csrf string
		cookies, csrf = signIn(t, s, q.host)
		form := url.Values{"reason": {"a test"}, "verb": {"hold"}, "node": {"marts"}}
		if q.csrf {
			form.Set("csrf", csrf)
		}
		if !strings.HasPrefix(q.path, "/api/") && q.method == http.MethodPost {
			body, kind = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
		}
	}
	r := httptest.NewRequest(q.method, q.path, body)
	r.Host = q.host
	r.Header.Set("Content-Type", kind)
	for name, value := range map[string]string{"Origin": q.origin, "Sec-Fetch-Site": q.fetchSite} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if q.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+q.bearer)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// signIn gives the cookie of a session and its CSRF token, as it stands in a page.
func signIn(t *testing.T, s http.Handler, host string) ([]*http.Cookie, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(url.Values{"token": {token}, "name": {"anna"}, "next": {"/chains"}}.Encode()))
	r.Host = host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/chains" {
		t.Fatalf("sign in: %d to %q", w.Code, w.Header().Get("Location"))
	}
	cookies := w.Result().Cookies()
	page := httptest.NewRequest(http.MethodGet, "/chains", nil)
	page.Host = host
	for _, c := range cookies {
		page.AddCookie(c)
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, page)
	_, rest, ok := strings.Cut(w.Body.String(), `name="csrf" value="`)
	if !ok {
		t.Fatalf("no CSRF token in the page of who signed in: %d", w.Code)
	}
	csrf, _, _ := strings.Cut(rest, `"`)
	return cookies, csrf
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	const (
		get, post = http.MethodGet, http.MethodPost
		runs      = "/api/v1/runs"
		hold      = "/api/v1/instances/financial-close:2026-11-24/nodes/marts/hold"
		form      = "/instances/financial-close:2026-11-24/nodes"
		box       = "box.example.net"
		inside    = "127.0.0.1:0"
		outside   = "0.0.0.0:8440"
	)
	cases := []struct {
		name          string
		listen, token string
		q             request
		want          int
	}{
		{"loopback, no token: read", inside, "", request{method: get, path: runs}, 200},
		{"loopback, no token: page", inside, "", request{method: get, path: "/"}, 200},
		{"loopback, no token: change", inside, "", request{method: post, path: hold}, 403},
		{"loopback, no token: change with some bearer", inside, "", request{method: post, path: hold, bearer: token}, 403},
		{"loopback, no token: form", inside, "", request{method: post, path: form}, 403},
		{"loopback: read", inside, token, request{method: get, path: runs}, 200},
		{"loopback: read with a wrong bearer", inside, token, request{method: get, path: runs, bearer: "wrong"}, 401},
		{"loopback: change", inside, token, request{method: post, path: hold}, 401},
		{"loopback: change with bearer", inside, token, request{method: post, path: hold, bearer: token}, 200},
		{"loopback: change with a wrong bearer", inside, token, request{method: post, path: hold, bearer: token + "x"}, 401},
		{"loopback: API change with a session only", inside, token, request{method: post, path: hold, session: true}, 401},
		{"loopback: form without a session", inside, token, request{method: post, path: form}, 401},
		{"loopback: form with a bearer", inside, token, request{method: post, path: form, bearer: token}, 401},
		{"loopback: form with a session", inside, token, request{method: post, path: form, session: true, csrf: true}, 303},
		{"loopback: form without CSRF token", inside, token, request{method: post, path: form, session: true}, 403},
		{"outside: read", outside, token, request{method: get, path: runs, host: box}, 401},
		{"outside: page leads to sign-in", outside, token, request{method: get, path: "/runs", host: box}, 303},
		{"outside: unknown address tells nothing", outside, token, request{method: get, path: "/nothing", host: box}, 404},
		{"outside: static file", outside, token, request{method: get, path: "/static/nothing.css", host: box}, 404},
		{"outside: health", outside, token, request{method: get, path: "/api/v1/healthz", host: box}, 200},
		{"outside: sign-in page", outside, token, request{method: get, path: "/login", host: box}, 200},
		{"outside: stream", outside, token, request{method: get, path: "/api/v1/stream", host: box}, 401},
		{"outside: OpenAPI", outside, token, request{method: get, path: "/api/v1/openapi.json", host: box}, 401},
		{"outside: read with bearer", outside, token, request{method: get, path: runs, host: box, bearer: token}, 200},
		{"outside: read with a session", outside, token, request{method: get, path: runs, host: box, session: true}, 200},
		{"outside: change with bearer", outside, token, request{method: post, path: hold, host: box, bearer: token}, 200},
		{"outside: change with a session", outside, token, request{method: post, path: hold, host: box, session: true}, 401},
		{"outside: form with a session", outside, token, request{method: post, path: form, host: box, session: true, csrf: true}, 303},
		{"host: loopback name", inside, token, request{method: get, path: "/", host: "localhost:1"}, 200},
		{"host: loopback, other address", inside, token, request{method: get, path: "/", host: "127.8.8.8"}, 200},
		{"host: IPv6", inside, token, request{method: get, path: "/", host: "[::1]:8440"}, 200},
		{"host: configured, written otherwise", inside, token, request{method: get, path: "/", host: "BOX.example.net.:8440"}, 200},
		{"host: another name", inside, token, request{method: get, path: "/", host: "evil.example"}, 421},
		{"host: a name that begins like ours", inside, token, request{method: get, path: "/", host: "127.0.0.1.evil.example"}, 421},
		{"host: another address", inside, token, request{method: get, path: "/", host: "192.0.2.7"}, 421},
		{"host: another address, outside", outside, token, request{method: get, path: "/login", host: "192.0.2.7"}, 200},
		{"host: another name, outside, with bearer", outside, token, request{method: get, path: runs, host: "evil.example", bearer: token}, 421},
		{"origin: ours", inside, token, request{method: post, path: hold, bearer: token, origin: "http://127.0.0.1:8440"}, 200},
		{"origin: other port", inside, token, request{method: post, path: hold, bearer: token, origin: "http://127.0.0.1:9999"}, 403},
		{"origin: foreign", inside, token, request{method: post, path: hold, bearer: token, origin: "https://evil.example"}, 403},
		{"origin: null", inside, token, request{method: post, path: hold, bearer: token, origin: "null"}, 403},
		{"origin: foreign, form", inside, token, request{method: post, path: form, session: true, csrf: true, origin: "https://evil.example"}, 403},
		{"origin: foreign, sign-in", inside, token, request{method: post, path: "/login", origin: "https://evil.example"}, 403},
		{"fetch: same origin", inside, token, request{method: post, path: hold, bearer: token, fetchSite: "same-origin"}, 200},
		{"fetch: same site", inside, token, request{method: post, path: hold, bearer: token, fetchSite: "same-site"}, 403},
		{"fetch: cross site", inside, token, request{method: post, path: hold, bearer: token, fetchSite: "cross-site"}, 403},
		{"fetch: cross-site read", inside, token, request{method: get, path: runs, fetchSite: "cross-site"}, 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := uitest.Rich()
			resp := c.q.do(t, newServer(t, site, c.listen, c.token))
			if resp.Code != c.want {
				body := resp.Body.String()
				t.Errorf("%d, want %d: %s", resp.Code, c.want, body)
			}
			if asked := len(site.Engine.Asked()); (asked == 1) != (c.q.method == post && c.want < 400) {
				t.Errorf("the engine was asked %d times", asked)
			}
			if resp.Code == http.StatusUnauthorized && resp.Header().Get("WWW-Authenticate") == "" && strings.HasPrefix(c.q.path, "/api/") {
				t.Error("401 without WWW-Authenticate")
			}
			wantHeaders(t, resp)
		})
	}
}

func wantHeaders(t *testing.T, resp *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store",
	} {
		if got := resp.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNoTokenSaysHowToGetOne(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Rich(), "127.0.0.1:0", "")
	for _, path := range []string{"/api/v1/sources/finhost/poll", "/sources/finhost/poll"} {
		resp := request{method: http.MethodPost, path: path}.do(t, s)
		body := resp.Body.String()
		if resp.Code != http.StatusForbidden || !strings.Contains(body, "openssl rand -hex 32") {
			t.Errorf("%s: %d %s", path, resp.Code, body)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	s := newServer(t, site, "127.0.0.1:0", token)
	cookies, _ := signIn(t, s, "127.0.0.1")
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
		t.Errorf("cookie %+v", c)
	}
	resp := request{method: http.MethodPost, path: "/instances/financial-close:2026-11-24/nodes", session: true, csrf: true}.do(t, s)
	if resp.Code != http.StatusSeeOther {
		t.Fatalf("command: %d", resp.Code)
	}
	if got := site.Engine.Asked(); len(got) != 1 || got[0] != "hold financial-close:2026-11-24 marts by token/anna: a test" {
		t.Errorf("the engine was asked %q", got)
	}
}

func TestWrongTokensAreSlowedDown(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	s := newServer(t, site, "127.0.0.1:0", token)
	wrong := request{method: http.MethodGet, path: "/api/v1/runs", bearer: "wrong-but-long-enough"}
	right := request{method: http.MethodGet, path: "/api/v1/runs", bearer: token}
	for range 20 {
		if got := wrong.do(t, s).Code; got != http.StatusUnauthorized {
			t.Fatalf("a wrong token: %d", got)
		}
	}
	resp := right.do(t, s)
	if resp.Code != http.StatusTooManyRequests || resp.Header().Get("Retry-After") == "" {
		t.Errorf("after 20 wrong tokens: %d", resp.Code)
	}
	site.Now = site.Now.Add(61 * time.Second)
	if got := right.do(t, s).Code; got != http.StatusOK {
		t.Errorf("a minute later: %d", got)
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	s := newServer(t, site, "0.0.0.0:8440", token)
	cookies, csrf := signIn(t, s, "127.0.0.1")
	status := func(method, path string) int {
		r := httptest.NewRequest(method, path, strings.NewReader("csrf="+csrf))
		r.Host = "127.0.0.1"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	if got := status(http.MethodGet, "/"); got != http.StatusOK {
		t.Fatalf("signed in: %d", got)
	}
	site.Now = site.Now.Add(13 * time.Hour)
	if got := status(http.MethodGet, "/"); got != http.StatusSeeOther {
		t.Errorf("after a shift: %d", got)
	}
	cookies, csrf = signIn(t, s, "127.0.0.1")
	if got := status(http.MethodPost, "/logout"); got != http.StatusSeeOther {
		t.Errorf("sign out: %d", got)
	}
	if got := status(http.MethodGet, "/"); got != http.StatusSeeOther {
		t.Errorf("after signing out: %d", got)
	}
}

func TestFaultsInside(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	secret := errors.New("dial tcp 10.0.0.5: password=hunter2")
	site.Store.Fail(secret)
	var log strings.Builder
	s, err := ui.New(ui.Options{
		Engine: site.Engine, Store: site.Store, Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{"/api/v1/runs": "application/problem+json", "/runs": "text/html"} {
		resp := request{method: http.MethodGet, path: path}.do(t, s)
		body := resp.Body.String()
		if resp.Code != http.StatusInternalServerError || !strings.HasPrefix(resp.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, resp.Code, resp.Header().Get("Content-Type"))
		}
		if strings.Contains(body, "hunter2") {
			t.Errorf("%s shows the inside: %s", path, body)
		}
	}
	if !strings.Contains(log.String(), "hunter2") {
		t.Error("the log does not hold the cause")
	}
}

// panicky is an engine with a bug.
type panicky struct{ *uitest.Engine }

func (panicky) Sources() []federation.SourceStatus { panic("a bug") }

func TestPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	var log strings.Builder
	s, err := ui.New(ui.Options{
		Engine: panicky{site.Engine}, Store: site.Store, Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/sources", "/sources"} {
		if got := (request{method: http.MethodGet, path: path}).do(t, s).Code; got != http.StatusInternalServerError {
			t.Errorf("%s: %d", path, got)
		}
	}
	if !strings.Contains(log.String(), "a bug") || !strings.Contains(log.String(), "stack=") {
		t.Errorf("log: %s", log.String())
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Rich(), "127.0.0.1:0", token)
	r := httptest.NewRequest(http.MethodPost, "/api/v1/runs/finhost%2Fgl-load%2320261125T082320Z-5190/cancel",
		strings.NewReader(`{"reason": "`+strings.Repeat("x", 100_000)+`"}`))
	r.Host = "127.0.0.1"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
