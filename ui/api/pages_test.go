package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui/uitest"
)

// Every list gives each item exactly once, also where many share one time.
func TestPagination(t *testing.T) {
	t.Parallel()
	site := uitest.Empty()
	for i := range 37 {
		site.Store.Observe(job.Observation{
			Run: job.RunKey{Source: "host", Job: "job#/@%", Native: fmt.Sprintf("n-%02d", i)}, Attempt: 1, State: job.Running,
			Sighting: job.Sighting{Seen: site.Now.Add(time.Duration(i/15) * time.Second)},
		})
		site.Store.PutJobs(job.Job{Ref: job.Ref{Source: "host", Job: fmt.Sprintf("job %02d/x", i)}})
		k := chain.Key{Chain: "c", BusinessDate: "2026-11-24", Cycle: fmt.Sprintf("20261125T0900%02dZ-5e0f90d1", i)}
		site.Store.Put(chain.Instance{Key: k, Opened: site.Now.Add(time.Duration(i/10) * time.Second)})
	}
	s := serve(t, site)
	for path, member := range map[string]string{
		"/runs?source=host": "key", "/jobs?source=host": "ref", "/instances?chain=c": "key", "/records?after=0": "seq",
		"/records?subject=" + url.QueryEscape(store.RunSubject(job.RunKey{Source: "host", Job: "job#/@%", Native: "n-00"})): "seq",
	} {
		for _, size := range []int{1, 4, 36, 37, 38} {
			seen := walk(t, s, fmt.Sprintf("/api/v1%s&limit=%d", path, size), member, size)
			want := 37
			if strings.HasPrefix(path, "/records?subject") {
				want = 1
			}
			if len(seen) != want {
				t.Errorf("%s by %d: %d items, want %d", path, size, len(seen), want)
			}
		}
	}
}

func walk(t *testing.T, s http.Handler, path, member string, size int) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for pages := 0; path != ""; pages++ {
		var list struct {
			Items []map[string]any `json:"items"`
			Next  string           `json:"next"`
		}
		w := get(t, s, path)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > size || (list.Next != "" && len(list.Items) != size) || pages > 50 {
			t.Fatalf("%s: page %d has %d items of %d, next %q", path, pages, len(list.Items), size, list.Next)
		}
		for _, item := range list.Items {
			id := fmt.Sprint(item[member])
			if seen[id] {
				t.Fatalf("%s: %s stands twice", path, id)
			}
			seen[id] = true
		}
		path = list.Next
	}
	return seen
}

// The canonical bytes in an answer have the hash that stands beside them.
func TestRecordsCanBeChecked(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	s := serve(t, site)
	var list struct {
		Items []struct {
			Hash, Kind, Body string
		} `json:"items"`
	}
	if err := json.Unmarshal(get(t, s, "/api/v1/records?limit=500").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	receipts := 0
	for _, r := range list.Items {
		if got := job.HashOf(r.Kind, []byte(r.Body)).String(); got != r.Hash {
			t.Errorf("%s: hash %s, bytes have %s", r.Kind, r.Hash, got)
		}
		path := "/api/v1/records/" + r.Hash
		if r.Kind == chain.KindReceipt {
			path, receipts = "/api/v1/receipts/"+r.Hash, receipts+1
		}
		var one struct{ Hash, Body string }
		if err := json.Unmarshal(get(t, s, path).Body.Bytes(), &one); err != nil || one.Hash != r.Hash || one.Body != r.Body {
			t.Errorf("%s gives %s, %v", path, one.Hash, err)
		}
	}
	if receipts < 5 {
		t.Errorf("only %d receipts among %d records", receipts, len(list.Items))
	}
	if w := get(t, s, "/api/v1/receipts/"+list.Items[0].Hash); w.Code != http.StatusNotFound {
		t.Errorf("a definition shown as a receipt: %d", w.Code)
	}
}

// A run of a source that cannot be seen is marked stale, unless it is over.
func TestStaleRuns(t *testing.T) {
	t.Parallel()
	site := uitest.Rich()
	for _, state := range []job.State{job.Running, job.Succeeded} {
		site.Store.Observe(job.Observation{
			Run: job.RunKey{Source: "martbox", Job: "stale", Native: string(state)}, Attempt: 1, State: state, Sighting: job.Sighting{Seen: site.Now},
		})
	}
	s := serve(t, site)
	if body := get(t, s, "/api/v1/runs/martbox%2Fstale%23running").Body.String(); !strings.Contains(body, `"stale_since":"2026-11-25T09:12:01Z"`) {
		t.Errorf("a run out of sight: %s", body)
	}
	if body := get(t, s, "/api/v1/runs/martbox%2Fstale%23succeeded").Body.String(); strings.Contains(body, "stale_since") {
		t.Errorf("a run that is over: %s", body)
	}
}
