package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"signalbox/federation"
	"signalbox/ui/uitest"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	run := url.PathEscape(loadRun)
	cases := []struct {
		name, path, body string
		want             int
		asked            string
	}{
		{"hold", "/instances/" + closeKey + "/nodes/marts/hold", `{"reason": "wait for  me "}`, 200, "hold financial-close:2026-11-24 marts by token: wait for  me"},
		{"with a name", "/instances/" + closeKey + "/nodes/marts/force", `{"reason": "now", "actor": "anna"}`, 200, "force financial-close:2026-11-24 marts by token/anna: now"},
		{"of a cycle", "/instances/replica-check:2026-11-24:20261125T090000Z-5e0f90d1/nodes/verify/rerun", `{"reason": "r"}`, 200, "rerun replica-check:2026-11-24:20261125T090000Z-5e0f90d1 verify by token: r"},
		{"unknown verb", "/instances/" + closeKey + "/nodes/marts/kill", `{"reason": "r"}`, 404, ""},
		{"bad key", "/instances/nothing/nodes/marts/hold", `{"reason": "r"}`, 400, ""},
		{"no reason", "/instances/" + closeKey + "/nodes/marts/hold", `{}`, 400, ""},
		{"blank reason", "/instances/" + closeKey + "/nodes/marts/hold", `{"reason": "  "}`, 400, ""},
		{"long reason", "/instances/" + closeKey + "/nodes/marts/hold", `{"reason": "` + strings.Repeat("x", 501) + `"}`, 400, ""},
		{"unknown member", "/instances/" + closeKey + "/nodes/marts/hold", `{"reason": "r", "force": true}`, 400, ""},
		{"two objects", "/instances/" + closeKey + "/nodes/marts/hold", `{"reason": "r"} {}`, 400, ""},
		{"no JSON", "/instances/" + closeKey + "/nodes/marts/hold", `reason=r`, 400, ""},
		{"name that cannot be shown", "/instances/" + closeKey + "/nodes/marts/hold", `{"reason": "r", "actor": "a\u0007"}`, 400, ""},
		{"cancel", "/runs/" + run + "/cancel", `{"reason": "it hangs"}`, 202, "cancel finhost/gl-load#20261125T082320Z-5190 by token: it hangs"},
		{"cancel nothing", "/runs/finhost%2Fgl-load%23none/cancel", `{"reason": "r"}`, 404, ""},
		{"poll", "/sources/finhost/poll", ``, 202, "poll finhost"},
		{"poll nothing", "/sources/nowhere/poll", ``, 404, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := uitest.Rich()
			w := post(t, serve(t, site), "/api/v1"+c.path, c.body)
			if w.Code != c.want {
				t.Errorf("%d, want %d: %s", w.Code, c.want, w.Body)
			}
			if got := strings.Join(site.Engine.Asked(), "\n"); got != c.asked {
				t.Errorf("asked %q, want %q", got, c.asked)
			}
		})
	}
}

// What the engine refuses is a conflict, with its words.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{
		http.StatusConflict:            fmt.Errorf("marts runs already: %w", federation.ErrRefused),
		http.StatusNotFound:            fmt.Errorf("no job marts: %w", federation.ErrNotFound),
		http.StatusBadRequest:          fmt.Errorf("nobody asks: %w", federation.ErrInput),
		http.StatusServiceUnavailable:  fmt.Errorf("finhost: %w", federation.ErrUnavailable),
		http.StatusInternalServerError: fmt.Errorf("disk on fire"),
	} {
		site := uitest.Rich()
		site.Engine.Refusal = err
		w := post(t, serve(t, site), "/api/v1/instances/"+closeKey+"/nodes/marts/hold", `{"reason": "r"}`)
		if w.Code != want {
			t.Errorf("%v: %d, want %d", err, w.Code, want)
		}
		if shown := strings.Contains(w.Body.String(), err.Error()); shown != (want < 500 || want == 503) {
			t.Errorf("%v: answer %s", err, w.Body)
		}
	}
}

func TestWantsJSON(t *testing.T) {
	t.Parallel()
	s := serve(t, uitest.Rich())
	r, err := http.NewRequest(http.MethodPost, "/api/v1/instances/"+closeKey+"/nodes/marts/hold", strings.NewReader("reason=r"))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "127.0.0.1"
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := record(s, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
