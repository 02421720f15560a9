package pages_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/ui/uitest"
)

// faultTrap collects what went wrong in a page: script errors and breaches of the content policy.
const faultTrap = `window.faults = [];
addEventListener("error", (e) => faults.push("error: " + e.message));
addEventListener("unhandledrejection", (e) => faults.push("rejection: " + e.reason));
document.addEventListener("securitypolicyviolation", (e) => faults.push("policy: " + e.violatedDirective + " " + e.blockedURI));`

func open(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address), chromedp.WaitVisible("main")); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

func eval[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits in the page until a condition holds.
func until(ctx context.Context, t *testing.T, condition string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition)); err != nil {
		t.Fatalf("never came true: %s: %v", condition, err)
	}
}

// Every page in a real browser: no script error, no breach of the content policy, no horizontal scroll
// on a desk and on a telephone, and contrasts that can be read in both themes.
func TestBrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	site := uitest.Rich()
	srv := httptest.NewServer(newServer(t, site, token))
	t.Cleanup(srv.Close)
	if err := signIn(ctx, srv.URL); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: faultTrap}); err != nil {
		t.Fatal(err)
	}
	for name, path := range pagePaths(t, site) {
		for _, width := range []int64{1280, 390} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
				t.Fatal(err)
			}
			open(ctx, t, srv.URL+path)
			if f := eval[[]string](ctx, t, "faults"); len(f) > 0 {
				t.Errorf("%s: %q", name, f)
			}
			if wide := eval[int64](ctx, t, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s is %d wide on a screen of %d", name, wide, width)
			}
			for _, theme := range []string{"dark", "light"} {
				if low := eval[[]string](ctx, t, lowContrast(theme)); len(low) > 0 {
					t.Errorf("%s, %s: contrast below 4.5: %q", name, theme, low)
				}
			}
		}
	}
}

// lowContrast is a script that names every text of which the contrast to what is behind it is below
// 4.5 in a theme.
func lowContrast(theme string) string {
	return `(() => {
  document.documentElement.dataset.theme = "` + theme + `";
  const parse = (c) => c.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const f = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = (el) => {
    for (; el; el = el.parentElement) {
      const c = parse(getComputedStyle(el).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const low = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const el = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || el.closest("svg, script, option") || el.checkVisibility?.() === false) continue;
    const [a, b] = [light(parse(getComputedStyle(el).color)), light(ground(el))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.add(((a + 0.05) / (b + 0.05)).toFixed(2) + " " + walker.currentNode.data.trim().slice(0, 40));
  }
  return [...low];
})()`
}

// A page follows what happens without being loaded again, and without taking away what a person does.
func TestBrowserLive(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	site := uitest.Rich()
	srv := httptest.NewServer(newServer(t, site, token))
	t.Cleanup(srv.Close)
	if err := signIn(ctx, srv.URL); err != nil {
		t.Fatal(err)
	}
	open(ctx, t, srv.URL+"/instances/financial-close:2026-11-24")
	until(ctx, t, `document.getElementById("link").dataset.state === "live"`)
	err := chromedp.Do(ctx, chromedp.Click("#node-marts details summary"), chromedp.SendKeys("#node-marts input[name=reason]", "half a sente"))
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](ctx, t, `window.notLoadedAgain = true`)

	finishLoad(t, site)
	until(ctx, t, `document.querySelector("#node-load .chip .word").textContent === "succeeded"`)
	until(ctx, t, `document.querySelector("#graph .node.s-running") === null`)
	for what, script := range map[string]string{
		"the page was not loaded again":   `window.notLoadedAgain === true`,
		"the typed text stays":            `document.querySelector("#node-marts input[name=reason]").value === "half a sente"`,
		"the form stays open":             `document.querySelector("#node-marts details").open`,
		"the focus stays":                 `document.activeElement === document.querySelector("#node-marts input[name=reason]")`,
		"screen readers hear of it":       `document.getElementById("announce").textContent.startsWith("3 of 6 over")`,
		"the change is marked":            `document.getElementById("node-load").matches("tr")`,
		"the other rows are the same row": `document.querySelectorAll("#node-marts").length === 1`,
	} {
		if !eval[bool](ctx, t, script) {
			t.Errorf("not so: %s", what)
		}
	}

	// The line breaks, something happens meanwhile, the line comes back.
	in := instance(t, site)
	in.Nodes[slices.IndexFunc(in.Nodes, func(n chain.NodeState) bool { return n.Name == "post" })].Held = true
	srv.CloseClientConnections()
	site.Store.Put(in)
	until(ctx, t, `document.querySelector("#node-post .chip .word").textContent === "held"`)
	until(ctx, t, `document.getElementById("link").dataset.state === "live"`)
}

func instance(t *testing.T, site *uitest.Site) chain.Instance {
	t.Helper()
	in, err := site.Store.Instance(t.Context(), chain.Key{Chain: "financial-close", BusinessDate: "2026-11-24"})
	if err != nil {
		t.Fatal(err)
	}
	in.Nodes = slices.Clone(in.Nodes)
	return in
}

// finishLoad lets the run that is under way end well, and publishes it.
func finishLoad(t *testing.T, site *uitest.Site) {
	t.Helper()
	in := instance(t, site)
	for i := range in.Nodes {
		if in.Nodes[i].Name != "load" {
			continue
		}
		o := in.Nodes[i].Run.Latest
		o.State, o.Ended, o.Seq, o.NativeState = job.Succeeded, job.At(site.Now), 2, "end 0"
		site.Store.Observe(o)
		r, err := site.Store.Run(t.Context(), o.Run)
		if err != nil {
			t.Fatal(err)
		}
		in.Nodes[i].Run = &r
	}
	site.Store.Put(in)
	last, err := site.Store.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	site.Engine.Publish(federation.Change{Seq: last, Kind: federation.ChangedInstance, ID: in.Key.String()})
}

// The keyboard reaches everything, sees where it is, and is caught nowhere.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	srv := httptest.NewServer(newServer(t, uitest.Rich(), token))
	t.Cleanup(srv.Close)
	open(ctx, t, srv.URL+"/")
	if err := chromedp.Do(ctx, chromedp.KeyEvent("\t")); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](ctx, t, `document.activeElement.textContent`); !strings.Contains(got, "Skip to content") {
		t.Errorf("the first stop of the keyboard is %q", got)
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, `document.activeElement.id === "main"`)
	// Every stop is visible and marked, and the way leads through to the end.
	stops := eval[int](ctx, t, `document.querySelectorAll("main a[href]:not([tabindex='-1']), main button, main summary, main input:not([type=hidden]), main [tabindex='0']").length`)
	for range stops {
		if err := chromedp.Do(ctx, chromedp.KeyEvent("\t")); err != nil {
			t.Fatal(err)
		}
		if bad := eval[string](ctx, t, `(() => { const e = document.activeElement; const s = getComputedStyle(e);
			return e === document.body ? "" : s.outlineStyle === "none" ? "no outline: " + e.outerHTML.slice(0, 80) : "" })()`); bad != "" {
			t.Error(bad)
		}
	}
	if !eval[bool](ctx, t, `document.activeElement.closest("main") !== null`) {
		t.Error("the keyboard left the content before its end")
	}
}
