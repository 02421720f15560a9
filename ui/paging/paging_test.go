package paging_test

import (
	"errors"
	"fmt"
	"testing"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/ui/paging"
	"signalbox/ui/uitest"
)

func TestLengths(t *testing.T) {
	t.Parallel()
	s := uitest.NewStore()
	for i := range 60 {
		s.PutJobs(job.Job{Ref: job.Ref{Source: "host", Job: fmt.Sprintf("%03d", i)}})
	}
	for _, c := range []struct {
		limit, want int
		more        bool
	}{{0, 50, true}, {1, 1, true}, {59, 59, true}, {60, 60, false}, {61, 60, false}, {5000, 60, false}} {
		got, more, err := paging.Jobs(t.Context(), s, store.JobFilter{Limit: c.limit})
		if err != nil || len(got) != c.want || more != c.more {
			t.Errorf("limit %d: %d items, more %t, %v", c.limit, len(got), more, err)
		}
	}
	broken := errors.New("disk on fire")
	s.Fail(broken)
	if _, _, err := paging.Runs(t.Context(), s, store.RunFilter{}); !errors.Is(err, broken) {
		t.Errorf("a broken store gives %v", err)
	}
	if _, _, err := paging.Instances(t.Context(), s, store.InstanceFilter{}); !errors.Is(err, broken) {
		t.Errorf("a broken store gives %v", err)
	}
}
