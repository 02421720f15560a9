package storetest

import (
	"fmt"
	"slices"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

func filterCases() []Case {
	return []Case{
		{"filters/runs by source, job, state and token", runFilters},
		{"filters/runs by latest activity", runActivity},
		{"filters/pages of runs lose and repeat nothing", runPages},
		{"filters/pages of instances lose and repeat nothing", instancePages},
		{"filters/pages of jobs", jobPages},
		{"filters/instances by chain and open", instanceFilters},
		{"filters/intents", intentFilters},
		{"filters/limits", limits},
	}
}

// variety commits n runs of two sources, three jobs and four states; three in a row are active at the
// same time. It gives them in the order of their activity, earliest first.
func variety(l *ledger, n int) []job.Run {
	l.t.Helper()
	states := []job.State{job.Running, job.Succeeded, job.Failed, job.Succeeded, job.Queued}
	out := make([]job.Run, n)
	for i := range n {
		o := running(i)
		o.Run.Source = []string{"findb", "mvs"}[i%2]
		o.State = states[i%len(states)]
		o.At = job.At(minute(i / 3))
		if i%4 == 0 {
			o.Token = fmt.Sprint("token-", i)
		}
		out[i] = told(l.t, o)
	}
	l.commit(store.Batch{Runs: out})
	return out
}

// keys gives the keys of runs, sorted, for comparison as a set.
func keys(runs []job.Run) []string {
	out := make([]string, len(runs))
	for i := range runs {
		out[i] = runs[i].Key.String()
	}
	slices.Sort(out)
	return out
}

// matches is what a filter means, without its page.
func matches(f *store.RunFilter, r *job.Run) bool {
	return (f.Source == "" || r.Key.Source == f.Source) && (f.Job == "" || r.Key.Job == f.Job) &&
		(f.Token == "" || r.Token == f.Token) && (len(f.States) == 0 || slices.Contains(f.States, r.State())) &&
		(f.Before.IsZero() || store.Activity(r).Before(f.Before))
}

func runFilters(t T, o Opener) {
	l := open(t, o)
	all := variety(l, 60)
	for i, f := range []store.RunFilter{
		{},
		{Source: "mvs"},
		{Source: "mvs", Job: "Load GL/1"},
		{Source: "nowhere"},
		{States: []job.State{job.Failed}},
		{States: []job.State{job.Succeeded}},
		{States: []job.State{job.Failed, job.Queued, job.Missed}},
		{States: []job.State{job.Failed, job.Succeeded}},
		{Source: "findb", States: []job.State{job.Running, job.Queued}},
		{Source: "findb", States: []job.State{job.Succeeded}},
		{Source: "findb", Job: "Load GL/2", States: []job.State{job.Failed}},
		{Token: "token-8"},
		{Token: "none"},
		{Before: minute(5)},
		{Source: "mvs", Before: minute(5)},
		{States: []job.State{job.Failed, job.Queued}, Before: minute(5)},
		{Source: "mvs", Job: "Load GL/1", Before: minute(9)},
	} {
		var want []job.Run
		for j := range all {
			if matches(&f, &all[j]) {
				want = append(want, all[j])
			}
		}
		f.Limit = 1000
		got := must[[]job.Run](t)(l.Runs(t.Context(), f))
		same(t, fmt.Sprintf("filter %d %+v", i, f), keys(got), keys(want))
		latestFirst(t, got)
	}
}

func latestFirst(t T, runs []job.Run) {
	t.Helper()
	for i := 1; i < len(runs); i++ {
		if store.Activity(&runs[i]).After(store.Activity(&runs[i-1])) {
			t.Errorf("run %d of the list was active after the one before it", i)
		}
	}
}

func runActivity(t T, o Opener) {
	l := open(t, o)
	fast, late, blind := running(1), running(2), running(3)
	fast.At, fast.Sighting.OffsetMS = job.At(minute(12)), new(int64(7*60*1000)) // its clock is 7 minutes ahead
	late.At = job.At(minute(6))
	blind.At, blind.Sighting.Seen = job.Moment{}, minute(7)
	odd := running(4)
	odd.At = job.At(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)) // "never", as some sources say it
	l.commit(store.Batch{Runs: []job.Run{told(t, fast), told(t, late), told(t, blind), told(t, odd)}})
	order := func() []string {
		var out []string
		for _, r := range must[[]job.Run](t)(l.Runs(t.Context(), store.RunFilter{})) {
			out = append(out, r.Key.Native)
		}
		return out
	}
	same(t, "order", order(), []string{"000004", "000003", "000002", "000001"})
	end := ended(1)
	end.At = job.At(minute(20))
	l.commit(store.Batch{Runs: []job.Run{told(t, fast, end)}})
	same(t, "order after an end", order(), []string{"000004", "000001", "000003", "000002"})
}

func runPages(t T, o Opener) {
	l := open(t, o)
	all := variety(l, 100)
	for _, f := range []store.RunFilter{
		{Limit: 7},
		{Limit: 1},
		{Limit: 4, Source: "mvs"},
		{Limit: 4, Source: "mvs", Job: "Load GL/1"},
		{Limit: 5, States: []job.State{job.Failed, job.Running}},
		{Limit: 5, States: []job.State{job.Succeeded, job.Running}},
	} {
		var got, want []job.Run
		for next := f; len(got) <= len(all); {
			page := must[[]job.Run](t)(l.Runs(t.Context(), next))
			if len(page) == 0 {
				break
			}
			if len(page) > f.Limit {
				t.Fatalf("a page of %d, want at most %d", len(page), f.Limit)
			}
			got = append(got, page...)
			next = next.Next(page)
		}
		for j := range all {
			if matches(&f, &all[j]) {
				want = append(want, all[j])
			}
		}
		same(t, fmt.Sprintf("all pages of %+v", f), keys(got), keys(want))
		latestFirst(t, got)
	}
}

func instancePages(t T, o Opener) {
	l := open(t, o)
	const n = 40
	var want []string
	for i := range n {
		in := instance(i)
		in.Opened = minute(i / 5) // many at once: after an outage, for example
		if i%2 == 0 {
			in.Closed = minute(100)
		}
		want = append(want, in.Key.String())
		l.commit(store.Batch{Instances: []chain.Instance{in}})
	}
	for _, f := range []store.InstanceFilter{{Limit: 3}, {Limit: 3, Chain: "close"}} {
		var got []string
		for next := f; len(got) <= n; {
			page := must[[]chain.Instance](t)(l.Instances(t.Context(), next))
			if len(page) == 0 {
				break
			}
			for i := range page {
				got = append(got, page[i].Key.String())
				if len(page[i].Nodes) != 2 {
					t.Errorf("%s has %d nodes, want 2", page[i].Key, len(page[i].Nodes))
				}
			}
			next = next.Next(page)
		}
		slices.Sort(got)
		slices.Sort(want)
		same(t, fmt.Sprintf("all pages of %+v", f), got, want)
	}
}

func jobPages(t T, o Opener) {
	l := open(t, o)
	var want []job.Job
	for _, source := range []string{"a", "b", "b c"} {
		listing := store.Listing{Source: source}
		for i := range 5 {
			listing.Jobs = append(listing.Jobs, job.Job{Ref: job.Ref{Source: source, Job: fmt.Sprintf("%d/é ", i)}})
		}
		want = append(want, listing.Jobs...)
		l.commit(store.Batch{Listings: []store.Listing{listing}})
	}
	var got []job.Job
	for f := (store.JobFilter{Limit: 4}); ; f.After = got[len(got)-1].Ref {
		page := must[[]job.Job](t)(l.Jobs(t.Context(), f))
		if len(page) == 0 || len(got) > len(want) {
			break
		}
		got = append(got, page...)
	}
	same(t, "all pages", got, want)
	same(t, "one source", must[[]job.Job](t)(l.Jobs(t.Context(), store.JobFilter{Source: "b"})), want[5:10])
	same(t, "one source, behind one", must[[]job.Job](t)(l.Jobs(t.Context(), store.JobFilter{Source: "b", After: want[6].Ref})), want[7:10])
}

func instanceFilters(t T, o Opener) {
	l := open(t, o)
	put := func(n int, name string, closed bool) string {
		in := instance(n)
		in.Key.Chain = name
		if closed {
			in.Closed = minute(100)
		}
		l.commit(store.Batch{Instances: []chain.Instance{in}})
		return in.Key.String()
	}
	a, b, c, d := put(1, "close", false), put(2, "close", true), put(3, "risk", false), put(4, "risk", true)
	for _, x := range []struct {
		f    store.InstanceFilter
		want []string
	}{
		{store.InstanceFilter{}, []string{d, c, b, a}},
		{store.InstanceFilter{Chain: "close"}, []string{b, a}},
		{store.InstanceFilter{Open: true}, []string{c, a}},
		{store.InstanceFilter{Open: true, Chain: "risk"}, []string{c}},
		{store.InstanceFilter{Before: minute(3)}, []string{b, a}},
		{store.InstanceFilter{Open: true, Before: minute(3)}, []string{a}},
		{store.InstanceFilter{Chain: "none"}, nil},
	} {
		var got []string
		for _, in := range must[[]chain.Instance](t)(l.Instances(t.Context(), x.f)) {
			got = append(got, in.Key.String())
		}
		same(t, fmt.Sprintf("filter %+v", x.f), got, x.want)
	}
}

func intentFilters(t T, o Opener) {
	l := open(t, o)
	const n = 6
	for i := range n {
		in := intent(i)
		in.State = []chain.Send{chain.SendPending, chain.SendSent, chain.SendConfirmed}[i%3]
		if in.State == chain.SendConfirmed {
			in.Run = running(i).Run
		}
		l.commit(store.Batch{Intents: []store.Intent{in}})
	}
	for i, x := range []struct {
		f    store.IntentFilter
		want []int
	}{
		{store.IntentFilter{}, []int{0, 1, 2, 3, 4, 5}},
		{store.IntentFilter{Limit: 2}, []int{0, 1}},
		{store.IntentFilter{States: []chain.Send{chain.SendPending, chain.SendSent}}, []int{0, 1, 3, 4}},
		{store.IntentFilter{States: []chain.Send{chain.SendConfirmed}}, []int{2, 5}},
		{store.IntentFilter{States: []chain.Send{chain.SendPending, chain.SendConfirmed}}, []int{0, 2, 3, 5}},
		{store.IntentFilter{Token: "token-4"}, []int{4}},
		{store.IntentFilter{Token: "token-4", States: []chain.Send{chain.SendPending}}, nil},
		{store.IntentFilter{Key: day(3)}, []int{3}},
		{store.IntentFilter{Run: running(5).Run}, []int{5}},
	} {
		var got, want []string
		for _, in := range must[[]store.Intent](t)(l.Intents(t.Context(), x.f)) {
			got = append(got, in.Token)
		}
		for _, k := range x.want {
			want = append(want, intent(k).Token)
		}
		same(t, fmt.Sprintf("filter %d %+v", i, x.f), got, want)
	}
}

func limits(t T, o Opener) {
	l := open(t, o)
	variety(l, 1100)
	for limit, want := range map[int]int{0: 100, 7: 7, 5000: 1000} {
		got := must[[]job.Run](t)(l.Runs(t.Context(), store.RunFilter{Limit: limit}))
		if len(got) != want {
			t.Errorf("limit %d gave %d runs, want %d", limit, len(got), want)
		}
	}
}
