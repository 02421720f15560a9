package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/federation/store/sqlite"
	"signalbox/ui"
	"signalbox/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden files")

const token = "a-token-of-more-than-16-bytes"

func serve(t *testing.T, site *uitest.Site) *ui.Server {
	t.Helper()
	return serveFrom(t, site, site.Store)
}

// serveFrom serves a site from another store.
func serveFrom(t *testing.T, site *uitest.Site, st ui.Store) *ui.Server {
	t.Helper()
	s, err := ui.New(ui.Options{
		Engine: site.Engine, Store: st, Listen: "127.0.0.1:0", Token: token, Version: "1.2.3",
		Now: func() time.Time { return site.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, s http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// post sends a command with the token.
func post(t *testing.T, s http.Handler, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Host = "127.0.0.1"
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const (
	loadRun  = "finhost/gl-load#20261125T082320Z-5190"
	closeKey = "financial-close:2026-11-24"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	run, exported := url.PathEscape(loadRun), url.PathEscape("finhost/export customers & partners#20261125T060010Z-812")
	cases := map[string]string{
		"sources":             "/sources",
		"source":              "/sources/ratesvr",
		"source_missing":      "/sources/nowhere",
		"jobs":                "/jobs?limit=3",
		"jobs_rest":           "/jobs?source=finhost&after=finhost%2Fgl-extract",
		"chains":              "/chains",
		"chain":               "/chains/replica-check",
		"chain_missing":       "/chains/nothing",
		"runs":                "/runs?limit=2",
		"runs_failed":         "/runs?state=failed&state=unknown",
		"runs_bad_state":      "/runs?state=broken",
		"runs_job_alone":      "/runs?job=gl-load",
		"run":                 "/runs/" + run,
		"run_with_blanks":     "/runs/" + exported,
		"run_missing":         "/runs/finhost%2Fgl-load%23nope",
		"run_bad_key":         "/runs/gl-load",
		"observations":        "/runs/" + run + "/observations",
		"log":                 "/runs/" + exported + "/log",
		"log_missing":         "/runs/finhost%2Fbackup-db%2320261125T090001Z-6021/log",
		"why":                 "/runs/" + run + "/why",
		"why_too_deep":        "/runs/" + run + "/why?depth=51",
		"instances":           "/instances?limit=1",
		"instances_open":      "/instances?open=true&chain=customer-sync",
		"instance":            "/instances/" + url.PathEscape(closeKey),
		"instance_bad_key":    "/instances/financial-close",
		"instance_missing":    "/instances/financial-close:2020-01-01",
		"receipts":            "/instances/" + url.PathEscape(closeKey) + "/receipts?limit=2",
		"records":             "/records?after=3&limit=1",
		"records_about":       "/records?subject=chain:year-end",
		"receipt_bad_hash":    "/receipts/xyz",
		"receipt_missing":     "/receipts/" + strings.Repeat("ab", 32),
		"unknown_parameter":   "/runs?stat=failed",
		"doubled_parameter":   "/runs?limit=1&limit=2",
		"limit_out_of_range":  "/runs?limit=501",
		"before_is_no_time":   "/runs?before=yesterday",
		"no_such_address":     "/nonsense",
		"method_not_allowed":  "/sources/finhost/poll",
		"healthz":             "/healthz",
		"sequence_is_no_time": "/records?after=-1",
	}
	site := uitest.Rich()
	memory, disk := serve(t, site), serveFrom(t, site, onDisk(t, site))
	for name, path := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name, get(t, memory, "/api/v1"+path))
			golden(t, name, get(t, disk, "/api/v1"+path))
		})
	}
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		empty := serve(t, uitest.Empty())
		for _, path := range []string{"/sources", "/jobs", "/chains", "/runs", "/instances", "/records"} {
			if got := strings.TrimSpace(get(t, empty, "/api/v1"+path).Body.String()); got != `{"items":[]}` {
				t.Errorf("%s of an empty site: %s", path, got)
			}
		}
	})
}

// onDisk puts a site into a store of the real kind.
func onDisk(t *testing.T, site *uitest.Site) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	fence, err := st.Acquire(t.Context(), "site", "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Commit(t.Context(), site.Store.Batch(fence)); err != nil {
		t.Fatal(err)
	}
	return st
}

// golden compares status, content type and body with a file.
func golden(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	var body bytes.Buffer
	if err := json.Indent(&body, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("answer is not JSON: %v\n%s", err, w.Body)
	}
	got := w.Result().Status + "\n" + w.Header().Get("Content-Type") + "\n\n" + strings.TrimSpace(body.String()) + "\n"
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from %s (look at it, then run with -update):\n%s", name, file, got)
	}
}

func record(s http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
