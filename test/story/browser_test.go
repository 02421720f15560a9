package story

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"signalbox/test/peer"
	"signalbox/test/sim/cronhost"
)

const browserChain = `chain: nightly
service: Nightly load
timezone: UTC
repeat: extract
keep_open: 10m
jobs:
  extract: {job: a/extract}
  load:    {job: b/load, after: [extract], stage: drive}
  report:  {job: b/report, after: [load], stage: drive}
`

// browser is a headless Chromium that remembers what went wrong in its pages.
type browser struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // chromedp keeps the browser in its context
	base string

	mu       sync.Mutex
	troubles []string
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	peer.Need(t, "chromium")
	path := "/usr/bin/chromium"
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 900))
	alloc, stopAlloc := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stopAlloc)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, base: base}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal("browser:", err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal("browser:", err)
	}
	return b
}

func (b *browser) hear(ev any) {
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.trouble("exception: " + e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.trouble("log: " + e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

func (b *browser) trouble(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = append(b.troubles, text)
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		html, _ := chromedp.Run(b.ctx, chromedp.OuterHTML("main")) // for the failure's text only
		b.t.Fatalf("browser: %v\n%s", err, html)
	}
}

// ask evaluates an expression in the page.
func ask[T any](b *browser, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", js, err)
	}
	return v
}

func (b *browser) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.base + path)) }

// sees waits until the page shows a text in the elements selected. The page is not loaded again.
func (b *browser) sees(selector, text string) {
	b.t.Helper()
	js := "[...document.querySelectorAll(" + quote(selector) + ")].some(e => e.innerText.includes(" + quote(text) + "))"
	b.do(chromedp.Poll[chromedp.Void](js, chromedp.WithPollingTimeout(45*time.Second)))
}

func quote(s string) string { return strconv.Quote(s) }

// click follows a link or presses a button. It does not aim with a mouse: the page is live and may move
// what is under it.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(selector), chromedp.Evaluate[chromedp.Void]("document.querySelector("+quote(selector)+").click()"))
}

// mark leaves a sign on the page that a reload would lose.
func (b *browser) mark() { b.t.Helper(); ask[int](b, "window.story = 1") }

func (b *browser) marked() {
	b.t.Helper()
	if !ask[bool](b, "window.story === 1") {
		b.t.Error("the page was loaded again")
	}
}

// fits checks that the page does not scroll sideways.
func (b *browser) fits(width int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 844))
	if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > width {
		b.t.Errorf("the page is %d wide in a window of %d", wide, width)
	}
}

// shot keeps a picture, if SIGNALBOX_SHOTS names a folder.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("SIGNALBOX_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal("browser:", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestBrowser clicks through a night: a chain runs across two hosts while somebody watches; a job fails;
// a person decides.
func TestBrowser(t *testing.T) {
	t.Parallel()
	a := simulate(t, cronhost.Config{Name: "hosta", Crontab: "# Name: extract\n0 4 * * * sleep 4; test ! -e broken\n"})
	h := simulate(t, cronhost.Config{Name: "hostb", Crontab: "# Name: load\n0 17 * * * sleep 1; echo 4711 rows loaded\n# Name: report\n0 18 * * * true\n"})
	s := newSite(t, simulated(t, a), simulated(t, h), browserChain)
	s.must("wrap", "install", "a")
	s.must("wrap", "install", "b")
	s.must("native", "hold", "b/load")
	s.must("native", "hold", "b/report")
	s.serve()
	b := newBrowser(t, "http://"+s.listen)

	b.open("/")
	b.sees("h2", "Sources")
	b.sees("li", "1 job")
	b.mark()
	fire(t, a)
	b.sees("a", "nightly 20")
	b.marked()
	b.shot("board")

	key := s.instances()[0].Key
	b.open("/instances/" + key)
	b.mark()
	b.sees("#node-report", "succeeded")
	b.sees("dd", "ago")
	b.marked()
	b.do(chromedp.WaitVisible("#graph svg"))
	if drawn := ask[int](b, "document.querySelectorAll('#graph svg text').length"); drawn < 3 {
		t.Errorf("the graph has %d labels; want one for each of 3 jobs", drawn)
	}
	b.shot("instance")
	b.fits(390)
	b.fits(1280)

	b.click("#node-load a.key")
	b.do(chromedp.WaitVisible("#log"))
	b.sees("section", "Why it started")
	b.sees("section", "extract")
	b.sees("#log-tail", "4711 rows loaded")
	b.shot("run")
	b.fits(390)
	b.fits(1280)

	decide(t, b, s, a)
	b.open("/sources/a")
	b.sees("main", "seen")
	b.shot("source")
	for _, path := range []string{"/", "/chains", "/chains/nightly", "/runs", "/jobs", "/sources"} {
		b.open(path)
		b.fits(390)
		b.fits(1280)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, trouble := range b.troubles {
		t.Error(trouble)
	}
}

// decide: extract fails; load waits and says why; a person signs in and marks extract OK; load runs.
func decide(t *testing.T, b *browser, s *site, a *cronhost.Host) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.Home(), "broken"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fire(t, a)
	peer.Eventually(t, 30*time.Second, "extract has failed", func() bool {
		for _, n := range s.instances()[0].Nodes {
			if n.Name == "extract" && n.State == "failed" {
				return true
			}
		}
		return false
	})
	path := "/instances/" + s.instances()[0].Key
	b.open(path)
	b.sees("#node-load", "waits for extract")
	b.shot("failed")
	b.click("#node-extract a[href^='/login']")
	b.do(chromedp.SendKeys("input[name=name]", "ops"), chromedp.SendKeys("input[name=token]", s.token))
	b.click("form.stack button")
	b.click("#node-extract summary")
	b.do(chromedp.SendKeys("#node-extract input[name=reason]", "the file was there"))
	b.click("#node-extract button[value=mark_ok]")
	b.do(chromedp.WaitVisible(".flash"))
	b.sees("#node-report", "succeeded")
	b.shot("decided")
}

func fire(t *testing.T, h *cronhost.Host) {
	t.Helper()
	if err := h.RunNow("Name: extract"); err != nil {
		t.Fatal(err)
	}
}
