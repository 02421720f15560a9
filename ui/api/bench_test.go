package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/ui"
	"signalbox/ui/uitest"
)

// BenchmarkPages measures a page of 50 of 10,000 jobs, as JSON and as a page, from a store on disk.
func BenchmarkPages(b *testing.B) {
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	fence, err := st.Acquire(b.Context(), "site", "test", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	jobs := make([]job.Job, 10_000)
	for i := range jobs {
		jobs[i] = job.Job{Ref: job.Ref{Source: "host", Job: fmt.Sprintf("job-%05d", i)}, Command: "/opt/bin/run --all", Schedule: "0 4 * * *", Enabled: true}
	}
	if _, err := st.Commit(b.Context(), &store.Batch{Fence: fence, Listings: []store.Listing{{Source: "host", Jobs: jobs}}}); err != nil {
		b.Fatal(err)
	}
	site := uitest.Rich()
	s, err := ui.New(ui.Options{Engine: site.Engine, Store: st, Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{"json": "/api/v1/jobs?after=host%2Fjob-05000", "page": "/jobs?after=host%2Fjob-05000"} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Host = "127.0.0.1"
				w := httptest.NewRecorder()
				began := time.Now()
				s.ServeHTTP(w, r)
				took = append(took, time.Since(began))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
