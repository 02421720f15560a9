package pages_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"signalbox/ui/uitest"
)

func get(t *testing.T, s http.Handler, path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// send posts a form.
func send(t *testing.T, s http.Handler, path string, form url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Host = "127.0.0.1"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// session signs in and gives the cookies and the CSRF token.
func session(t *testing.T, s http.Handler) ([]*http.Cookie, string) {
	t.Helper()
	w := send(t, s, "/login", url.Values{"token": {token}, "name": {"anna"}})
	cookies := w.Result().Cookies()
	_, rest, ok := strings.Cut(get(t, s, "/chains", cookies...).Body.String(), `name="csrf" value="`)
	if w.Code != http.StatusSeeOther || !ok {
		t.Fatalf("sign in: %d, CSRF token in the page: %t", w.Code, ok)
	}
	csrf, _, _ := strings.Cut(rest, `"`)
	return cookies, csrf
}

// Every page, rich and empty, signed in and not, whole and as a part, is well-formed and accessible as
// far as a program can tell.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	for kind, site := range map[string]*uitest.Site{"rich": uitest.Rich(), "empty": uitest.Empty()} {
		s := newServer(t, site, token)
		cookies, _ := session(t, s)
		paths := map[string]string{"board": "/", "chains": "/chains", "runs": "/runs", "sources": "/sources", "jobs": "/jobs", "login": "/login", "missing": "/nowhere"}
		if kind == "rich" {
			paths = pagePaths(t, site)
		}
		for name, path := range paths {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				want := http.StatusOK
				if name == "missing" {
					want = http.StatusNotFound
				}
				for _, who := range [][]*http.Cookie{nil, cookies} {
					w := get(t, s, path, who...)
					if w.Code != want {
						t.Errorf("%d, want %d", w.Code, want)
					}
					checkHTML(t, w.Body.String(), true)
				}
				mark := "?"
				if strings.Contains(path, "?") {
					mark = "&"
				}
				part := get(t, s, path+mark+"fragment=1").Body.String()
				if !strings.HasPrefix(part, "<main") {
					t.Errorf("the part begins with %.40q", part)
				}
				checkHTML(t, part, false)
			})
		}
	}
}

// checker walks through one document.
type checker struct {
	t     *testing.T
	stack []string
	ids   map[string]bool
	refs  []string
	heads []int
	count map[string]int
}

func checkHTML(t *testing.T, text string, whole bool) {
	t.Helper()
	c := &checker{t: t, ids: map[string]bool{}, count: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			c.finish(whole)
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			c.open(z.Token(), kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			c.close(z.Token())
		case html.TextToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

func (c *checker) open(tok html.Token, closed bool) {
	c.t.Helper()
	c.count[tok.Data]++
	attr := map[string]string{}
	for _, a := range tok.Attr {
		if _, twice := attr[a.Key]; twice {
			c.t.Errorf("<%s> has %s twice", tok.Data, a.Key)
		}
		attr[a.Key] = a.Val
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
			c.t.Errorf("<%s %s>: the content policy forbids it", tok.Data, a.Key)
		}
	}
	if id, ok := attr["id"]; ok {
		if c.ids[id] || id == "" {
			c.t.Errorf("id %q is empty or stands twice", id)
		}
		c.ids[id] = true
	}
	for _, a := range []string{"aria-labelledby", "for"} {
		if ref, ok := attr[a]; ok {
			c.refs = append(c.refs, ref)
		}
	}
	c.element(tok.Data, attr)
	if void := []string{"meta", "link", "input", "br", "hr", "img"}; !closed && !slices.Contains(void, tok.Data) {
		c.stack = append(c.stack, tok.Data)
	}
}

// element checks what only some elements need.
func (c *checker) element(name string, attr map[string]string) {
	c.t.Helper()
	switch name {
	case "script":
		if attr["src"] == "" && attr["type"] != "application/json" {
			c.t.Error("a script within the page: the content policy forbids it")
		}
	case "style":
		c.t.Error("a style within the page: the content policy forbids it")
	case "a":
		if attr["href"] == "" || strings.HasPrefix(attr["href"], "javascript:") || strings.Contains(attr["href"], "ZgotmplZ") {
			c.t.Errorf("link to %q", attr["href"])
		}
	case "use":
		c.refs = append(c.refs, strings.TrimPrefix(attr["href"], "#"))
	case "th":
		if attr["scope"] == "" {
			c.t.Error("a table head without scope")
		}
	case "h1", "h2", "h3":
		c.heads = append(c.heads, int(name[1]-'0'))
	case "input", "select":
		if attr["type"] != "hidden" && !slices.Contains(c.stack, "label") {
			c.t.Errorf("%s %s has no label", name, attr["name"])
		}
	case "form":
		if attr["method"] == "post" {
			c.count["post"]++
		}
	}
}

func (c *checker) close(tok html.Token) {
	c.t.Helper()
	if n := len(c.stack); n == 0 || c.stack[n-1] != tok.Data {
		c.t.Fatalf("</%s> closes %v", tok.Data, c.stack)
	}
	c.stack = c.stack[:len(c.stack)-1]
}

func (c *checker) finish(whole bool) {
	c.t.Helper()
	if len(c.stack) > 0 {
		c.t.Errorf("not closed: %v", c.stack)
	}
	if len(c.heads) == 0 || c.heads[0] != 1 || slices.Index(c.heads[1:], 1) >= 0 {
		c.t.Errorf("headings %v: want one h1, and that first", c.heads)
	}
	if c.count["table"] != c.count["caption"] {
		c.t.Errorf("%d tables, %d captions", c.count["table"], c.count["caption"])
	}
	if !whole {
		return // symbols are outside of the part
	}
	for _, ref := range c.refs {
		if !c.ids[ref] {
			c.t.Errorf("nothing has the id %q", ref)
		}
	}
	for _, one := range []string{"main", "title", "nav"} {
		if c.count[one] < 1 {
			c.t.Errorf("no <%s>", one)
		}
	}
}

// Every link on every page leads to a page.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Rich(), "")
	seen, queue := map[string]bool{"/": true}, []string{"/"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		w := get(t, s, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		z := html.NewTokenizer(w.Body)
		for z.Next() != html.ErrorToken {
			tok := z.Token()
			for _, a := range tok.Attr {
				if a.Key != "href" && a.Key != "src" && a.Key != "data-load" {
					continue
				}
				next, _, _ := strings.Cut(a.Val, "#")
				if strings.HasPrefix(next, "/") && !seen[next] {
					seen[next] = true
					queue = append(queue, next)
				}
			}
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}

// What a page says is what is stored: each row here was wrong in a page once, or would be costly.
func TestPagesSay(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	paths := pagePaths(t, site)
	s := newServer(t, site, token)
	cases := map[string][]string{
		"board":             {"4</span></h2>", "ended with exit code 3", "Cannot go on: <strong>import</strong>", "Cannot go on: <strong>marts, post</strong>", "nobody can say how", "in doubt", "erp01", "2 of 6 over · unknown: rates · running: load · held: report · waiting: marts, post", "connection refused", "its clock is 7 min 4 s ahead"},
		"chains":            {"6 jobs on finhost, martbox, ratesvr, erp01", "none yet"},
		"instance":          {"waits for load (on success): running", "not before ", "08:00:00", "10:45:00", "in 1 h 19 min", "overridden", "the auditors look at the margin tables until 07:00", "Sign in to act"},
		"instance_in_doubt": {"the connection broke before the answer came"},
		"run":               {"Started by Signalbox for load of financial-close:2026-11-24: extract succeeded", "sb-k3v9x2-7fj0qm4a", "confirmed: started as pid 5190", "0.179 s ahead", "Started by the native schedule of finhost.", "Where it counts"},
		"run_unknown":       {"outcome unknown", "the wrapper is not installed", "7 min 4 s ahead", "logged"},
		"log":               {"&lt;slow &amp; steady&gt;", "there was more before"},
		"log_missing":       {"no output is kept"},
		"receipt":           {"released", "entry 8 of the ledger", "The bytes match the hash", "&#34;verdict&#34;:&#34;released&#34;"},
		"sources":           {"none planned", "1 thing", "4 things"},
		"source":            {"spool overwritten: 12 records lost", "usermod -aG adm rates", "minute 75 is out of range", "proven absent"},
		"source_blind":      {"blind", "09:12:01", "connection refused", "Is sshd running on martbox?"},
		"source_stopped":    {"a repeated wrong login locks accounts"},
		"jobs":              {"export customers &amp; partners", "ends unknown"},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := get(t, s, paths[name]).Body.String()
			for _, text := range want {
				if !strings.Contains(body, text) {
					t.Errorf("%s does not say %q", paths[name], text)
				}
			}
		})
	}
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Rich(), token)
	for next, want := range map[string]string{
		"/runs?state=failed": "/runs?state=failed", "": "/", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "/a\r\nX: y": "/",
	} {
		w := send(t, s, "/login", url.Values{"token": {token}, "next": {next}})
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("next %q: %d to %q", next, w.Code, got)
		}
	}
	w := send(t, s, "/login", url.Values{"token": {"wrong"}, "name": {"anna"}, "next": {"/runs"}})
	if body := w.Body.String(); w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) > 0 ||
		!strings.Contains(body, `value="/runs"`) || !strings.Contains(body, `value="anna"`) || strings.Contains(body, `value="wrong"`) {
		t.Errorf("a wrong token: %d %s", w.Code, body)
	}
	if w := send(t, s, "/login", url.Values{"token": {token}, "name": {"a\x00b"}}); w.Code != http.StatusBadRequest {
		t.Errorf("a name that cannot be shown: %d", w.Code)
	}
	open := newServer(t, uitest.Rich(), "")
	if body := get(t, open, "/login").Body.String(); !strings.Contains(body, "No token is configured") || strings.Contains(body, `type="password"`) {
		t.Error("without a token there is a form")
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	const instance = "/instances/financial-close:2026-11-24"
	run := "/runs/" + url.PathEscape("finhost/gl-load#20261125T082320Z-5190")
	cases := []struct {
		name, path string
		form       url.Values
		status     int
		location   string
		asked      string
	}{
		{"hold", instance + "/nodes", url.Values{"verb": {"hold"}, "node": {"marts"}, "reason": {"wait"}}, 303, instance + "?done=hold%3Amarts", "hold financial-close:2026-11-24 marts by token/anna: wait"},
		{"no reason", instance + "/nodes", url.Values{"verb": {"hold"}, "node": {"marts"}, "reason": {" "}}, 400, "", ""},
		{"unknown verb", instance + "/nodes", url.Values{"verb": {"kill"}, "node": {"marts"}, "reason": {"x"}}, 400, "", ""},
		{"cancel", run + "/cancel", url.Values{"reason": {"it hangs"}}, 303, run + "?done=cancel", "cancel finhost/gl-load#20261125T082320Z-5190 by token/anna: it hangs"},
		{"poll", "/sources/erp01/poll", url.Values{}, 303, "/sources/erp01?done=poll", "poll erp01"},
		{"poll nothing", "/sources/nowhere/poll", url.Values{}, 404, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := uitest.Rich()
			s := newServer(t, site, token)
			cookies, csrf := session(t, s)
			c.form.Set("csrf", csrf)
			w := send(t, s, c.path, c.form, cookies...)
			if w.Code != c.status || w.Header().Get("Location") != c.location {
				t.Errorf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
			}
			if got := strings.Join(site.Engine.Asked(), "\n"); got != c.asked {
				t.Errorf("asked %q, want %q", got, c.asked)
			}
			if c.location != "" {
				if back := get(t, s, c.location, cookies...); !strings.Contains(back.Body.String(), `class="flash"`) {
					t.Error("the page does not say what was done")
				}
			}
		})
	}
}

// What was done is told in words of ours: an address that somebody made up shows nothing.
func TestFlashIsNotForged(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Rich(), "")
	for _, done := range []string{"hold:call+555-1234", "kill:marts", "hold", "poll", "<b>"} {
		if body := get(t, s, "/instances/financial-close:2026-11-24?done="+url.QueryEscape(done)).Body.String(); strings.Contains(body, `class="flash"`) {
			t.Errorf("done=%s shows something", done)
		}
	}
}

func TestStaticFiles(t *testing.T) {
	t.Parallel()
	s := newServer(t, uitest.Empty(), "")
	_, rest, _ := strings.Cut(get(t, s, "/").Body.String(), `href="/static/app.`)
	name, _, _ := strings.Cut(rest, `"`)
	w := get(t, s, "/static/app."+name)
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("app.%s: %d %v", name, w.Code, w.Header())
	}
	for _, path := range []string{"/static/app.css", "/static/app.000000000000.css", "/static/README.md", "/static/..%2Fpages.go"} {
		if w := get(t, s, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Vendored code is what its list says.
func TestVendored(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("static/vendor/README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("static/vendor/dagre.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(code); !strings.Contains(string(list), hex.EncodeToString(sum[:])) {
		t.Errorf("dagre.min.js has hash %x, which is not in the list", sum)
	}
}
