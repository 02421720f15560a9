package pages_test

import (
	"context"
	"flag"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui"
	"signalbox/ui/uitest"
)

// story is where the storybook goes: go test ./ui/pages -run TestStorybook -story DIR draws every page
// in two sizes and two themes.
var story = flag.String("story", "", "draw every page into this folder")

const token = "a-token-of-more-than-16-bytes"

func newServer(t *testing.T, site *uitest.Site, token string) *ui.Server {
	t.Helper()
	s, err := ui.New(ui.Options{
		Engine: site.Engine, Store: site.Store, Listen: "127.0.0.1:0", Token: token, Version: "1.2.3",
		Now: func() time.Time { return site.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pagePaths are the pages of the rich site by name.
func pagePaths(t *testing.T, site *uitest.Site) map[string]string {
	t.Helper()
	run := func(s string) string { return "/runs/" + url.PathEscape(s) }
	return map[string]string{
		"board":             "/",
		"chains":            "/chains",
		"chain":             "/chains/financial-close",
		"instance":          "/instances/financial-close:2026-11-24",
		"instance_failed":   "/instances/customer-sync:2026-11-24",
		"instance_in_doubt": "/instances/replica-check:2026-11-24:20261125T090000Z-5e0f90d1",
		"instance_closed":   "/instances/replica-check:2026-11-24:20261125T080031Z-5e0f90d1",
		"runs":              "/runs",
		"runs_of_job":       "/runs?source=finhost&job=gl-load",
		"run":               run("finhost/gl-load#20261125T082320Z-5190"),
		"run_failed":        run("finhost/export customers & partners#20261125T060010Z-812"),
		"run_unknown":       run("ratesvr/fetch-rates#log:20261125T040000:881"),
		"log":               run("finhost/gl-load#20261125T082320Z-5190") + "/log",
		"log_missing":       run("ratesvr/fetch-rates#log:20261125T040000:881") + "/log",
		"receipt":           "/receipts/" + hashOf(t, site, store.InstanceSubject(chain.Key{Chain: "financial-close", BusinessDate: "2026-11-24"}), 1),
		"record":            "/records/" + hashOf(t, site, store.RunSubject(job.RunKey{Source: "ratesvr", Job: "fetch-rates", Native: "log:20261125T040000:881"}), 1),
		"sources":           "/sources",
		"source":            "/sources/ratesvr",
		"source_blind":      "/sources/martbox",
		"source_stopped":    "/sources/erp01",
		"jobs":              "/jobs",
		"login":             "/login",
		"missing":           "/nowhere",
	}
}

func hashOf(t *testing.T, site *uitest.Site, subject string, n int) string {
	t.Helper()
	entries, err := site.Store.About(t.Context(), subject, 0, 10)
	if err != nil || len(entries) <= n {
		t.Fatalf("about %s: %d entries, %v", subject, len(entries), err)
	}
	return entries[n].Hash.String()
}

// browser starts a headless Chromium, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium, and CI must not skip")
		}
		t.Skip("no Chromium on this machine")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// signIn gives the browser a session.
func signIn(ctx context.Context, base string) error {
	return chromedp.Do(ctx,
		chromedp.Navigate(base+"/login"),
		chromedp.SendKeys(`input[name=name]`, "anna"),
		chromedp.SendKeys(`input[name=token]`, token),
		chromedp.Click(`button.primary`),
		chromedp.WaitVisible(`form[action="/logout"]`),
	)
}

func TestStorybook(t *testing.T) {
	t.Parallel()
	if *story == "" {
		t.Skip("runs only with -story DIR")
	}
	if err := os.MkdirAll(*story, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, site := range map[string]*uitest.Site{"": uitest.Rich(), "empty_": uitest.Empty()} {
		srv := httptest.NewServer(newServer(t, site, token))
		t.Cleanup(srv.Close)
		pages := map[string]string{"board": "/", "chains": "/chains", "runs": "/runs", "sources": "/sources", "jobs": "/jobs"}
		if name == "" {
			pages = pagePaths(t, site)
		}
		ctx := browser(t)
		if err := signIn(ctx, srv.URL); err != nil {
			t.Fatal(err)
		}
		for page, path := range pages {
			if only := os.Getenv("STORY_ONLY"); only != "" && !strings.Contains(","+only+",", ","+name+page+",") {
				continue
			}
			draw(ctx, t, srv.URL+path, name+page)
		}
	}
}

func draw(ctx context.Context, t *testing.T, address, name string) {
	t.Helper()
	for _, theme := range []string{"dark", "light"} {
		for suffix, width := range map[string]int64{"1280": 1280, "390": 390} {
			look := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
			if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, look); err != nil {
				t.Fatal(err)
			}
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(address), chromedp.WaitVisible("main")); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			file := filepath.Join(*story, name+"_"+suffix+"_"+theme+".png")
			if err := os.WriteFile(file, shot, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
