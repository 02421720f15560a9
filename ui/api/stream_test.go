package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"signalbox/federation"
	"signalbox/ui/uitest"
)

// stream is a client of the stream.
type stream struct {
	lines  chan string
	engine *uitest.Engine
	stop   context.CancelFunc
}

func listen(t *testing.T, site *uitest.Site, query, lastID string) *stream {
	t.Helper()
	srv := httptest.NewServer(serve(t, site))
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(func() { stop(); srv.Close() })
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/api/v1/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // the reader below closes it
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("stream: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	s := &stream{lines: make(chan string, 100), engine: site.Engine, stop: stop}
	go func() {
		defer close(s.lines)
		defer func() { _ = resp.Body.Close() }()
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			if scan.Text() != "" {
				s.lines <- scan.Text()
			}
		}
	}()
	<-site.Engine.Joined()
	return s
}

// next gives the next n lines, or what came until the stream ended.
func (s *stream) next(t *testing.T, n int) string {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	var got []string
	for len(got) < n {
		select {
		case l, ok := <-s.lines:
			if !ok {
				return strings.Join(append(got, "end"), "\n")
			}
			got = append(got, l)
		case <-limit.C:
			t.Fatalf("the stream is silent after %q", got)
		}
	}
	return strings.Join(got, "\n")
}

func TestStreamBegins(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, query, lastID, want string }{
		{"first time", "", "", "hello"},
		{"page is up to date", "?since=LAST", "", "hello"},
		{"page is behind", "?since=3", "", "reset"},
		{"page is of another ledger", "?since=999999", "", "reset"},
		{"again, behind", "", "3", "reset"},
		{"again, same place: several events share one id", "", "LAST", "reset"},
		{"the header wins", "?since=LAST", "3", "reset"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := uitest.Rich()
			n, err := site.Store.Last(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			last := itoa(n)
			s := listen(t, site, strings.Replace(c.query, "LAST", last, 1), strings.Replace(c.lastID, "LAST", last, 1))
			want := "retry: 2000\nevent: " + c.want + "\nid: " + last + "\ndata: {\"seq\":" + last + "}"
			if got := s.next(t, 4); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestStreamTells(t *testing.T) {
	t.Parallel()
	s := listen(t, uitest.Rich(), "", "")
	s.next(t, 4)
	for _, c := range []struct {
		change federation.Change
		want   string
	}{
		{federation.Change{Seq: 7, Kind: federation.ChangedInstance, ID: closeKey}, "event: instance\nid: 7\n" + `data: {"id":"financial-close:2026-11-24","seq":7}`},
		{federation.Change{Seq: 8, Kind: federation.ChangedRun, ID: "a/b\n\"c\"#1"}, "event: run\nid: 8\n" + `data: {"id":"a/b\n\"c\"#1","seq":8}`},
		{federation.Change{Seq: 8, Kind: federation.ChangedSource, ID: "a"}, "event: source\nid: 8\n" + `data: {"id":"a","seq":8}`},
		{federation.Change{Seq: 9, Kind: "something new", ID: "x"}, "event: reset\nid: 9\n" + `data: {"id":"x","seq":9}`},
	} {
		s.engine.Publish(c.change)
		if got := s.next(t, 3); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

// Who was cut off for being slow is told so, and the stream ends, so that it comes back.
func TestStreamCutOff(t *testing.T) {
	t.Parallel()
	s := listen(t, uitest.Rich(), "", "")
	s.next(t, 4)
	s.engine.Publish(federation.Change{Seq: 70, Kind: federation.ChangedRun, ID: "x/y#1"})
	s.next(t, 3)
	s.engine.CutOff()
	if got, want := s.next(t, 4), "event: reset\nid: 70\ndata: {\"seq\":70}\nend"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A client that goes away leaves no subscription behind.
func TestStreamLeaves(t *testing.T) {
	t.Parallel()
	s := listen(t, uitest.Rich(), "", "")
	s.next(t, 4)
	s.stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for s.engine.Subscribers() > 0 {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("the subscription stays")
		}
	}
}

func TestStreamBadSince(t *testing.T) {
	t.Parallel()
	s := serve(t, uitest.Rich())
	for _, query := range []string{"?since=x", "?since=-1", "?from=1"} {
		if w := get(t, s, "/api/v1/stream"+query); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}
