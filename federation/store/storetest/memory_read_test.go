package storetest_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// pick gives the first limit elements that ok accepts.
func pick[E any](all []E, limit int, ok func(*E) bool) []E {
	var out []E
	for i := range all {
		if len(out) < limit && ok(&all[i]) {
			out = append(out, all[i])
		}
	}
	return out
}

func page(limit int) int {
	if limit == 0 {
		return 100
	}
	return min(limit, 1000)
}

func (h *handle) entries(limit int, ok func(*store.Entry) bool) ([]store.Entry, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return nil, errClosed
	}
	return pick(h.data.records, limit, ok), nil
}

func (h *handle) After(_ context.Context, seq int64, limit int) ([]store.Entry, error) {
	return h.entries(limit, func(e *store.Entry) bool { return e.Seq > seq })
}

func (h *handle) About(_ context.Context, subject string, seq int64, limit int) ([]store.Entry, error) {
	return h.entries(limit, func(e *store.Entry) bool { return e.Subject == subject && e.Seq > seq })
}

func (h *handle) ByHash(_ context.Context, sum job.Hash) (store.Entry, error) {
	found, err := h.entries(1, func(e *store.Entry) bool { return e.Hash == sum })
	if err != nil || len(found) == 0 {
		return store.Entry{}, missing(sum)
	}
	return found[0], nil
}

func (h *handle) Last(context.Context) (int64, error) {
	all, err := h.entries(1<<30, func(*store.Entry) bool { return true })
	return int64(len(all)), err
}

func (h *handle) Sources(context.Context) ([]store.Source, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.SortedFunc(maps.Values(h.data.sources), func(a, b store.Source) int { return strings.Compare(a.Name, b.Name) }), nil
}

func (h *handle) Jobs(_ context.Context, f store.JobFilter) ([]job.Job, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var all []job.Job
	for _, source := range slices.Sorted(maps.Keys(h.data.jobs)) {
		all = append(all, h.data.jobs[source]...)
	}
	return pick(all, page(f.Limit), func(j *job.Job) bool {
		behind := j.Source > f.After.Source || (j.Source == f.After.Source && j.Job > f.After.Job)
		return behind && (f.Source == "" || j.Source == f.Source)
	}), nil
}

func (h *handle) Run(_ context.Context, k job.RunKey) (job.Run, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r, ok := h.data.runs[k]
	if !ok {
		return r, missing(k)
	}
	return r, nil
}

// behind tells whether an element of time t and place i stands behind the border of a page.
func behind(t, before time.Time, i, border int) bool {
	return before.IsZero() || t.Before(before) || (t.Equal(before) && i < border)
}

func (h *handle) Runs(_ context.Context, f store.RunFilter) ([]job.Run, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	border := slices.Index(h.data.order, f.Behind)
	if h.wrong == tiesLost {
		border = -1
	}
	var all []job.Run
	for i, k := range slices.Backward(h.data.order) {
		r := h.data.runs[k]
		if behind(store.Activity(&r), f.Before, i, border) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b job.Run) int { return store.Activity(&b).Compare(store.Activity(&a)) })
	return pick(all, page(f.Limit), func(r *job.Run) bool {
		return (f.Source == "" || r.Key.Source == f.Source) && (f.Job == "" || r.Key.Job == f.Job) &&
			(f.Token == "" || r.Token == f.Token) && (len(f.States) == 0 || slices.Contains(f.States, r.State()))
	}), nil
}

func (h *handle) Definitions(context.Context) ([]chain.Definition, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var out []chain.Definition
	for _, name := range slices.Sorted(maps.Keys(h.data.current)) {
		out = append(out, h.data.versions[h.data.current[name]])
	}
	return out, nil
}

func (h *handle) Definition(_ context.Context, version job.Hash) (chain.Definition, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	d, ok := h.data.versions[version]
	if !ok {
		return d, missing(version)
	}
	return d, nil
}

func (h *handle) Instance(_ context.Context, k chain.Key) (chain.Instance, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	in, ok := h.data.instances[k]
	if !ok {
		return in, missing(k)
	}
	return in, nil
}

func (h *handle) Instances(_ context.Context, f store.InstanceFilter) ([]chain.Instance, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	border := slices.Index(h.data.opened, f.Behind)
	var all []chain.Instance
	for i, k := range slices.Backward(h.data.opened) {
		if in := h.data.instances[k]; behind(in.Opened, f.Before, i, border) {
			all = append(all, in)
		}
	}
	slices.SortStableFunc(all, func(a, b chain.Instance) int { return b.Opened.Compare(a.Opened) })
	return pick(all, page(f.Limit), func(in *chain.Instance) bool {
		return (f.Chain == "" || in.Key.Chain == f.Chain) && (!f.Open || in.Closed.IsZero())
	}), nil
}

func (h *handle) OpenInstances(context.Context) ([]chain.Instance, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var out []chain.Instance
	for _, k := range h.data.opened {
		if in := h.data.instances[k]; in.Closed.IsZero() {
			out = append(out, in)
		}
	}
	return out, nil
}

func (h *handle) ClosedKeys(_ context.Context, since time.Time) ([]chain.Key, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var out []chain.Key
	for _, k := range h.data.opened {
		if in := h.data.instances[k]; !in.Closed.IsZero() && !in.Opened.Before(since) {
			out = append(out, k)
		}
	}
	return out, nil
}

func (h *handle) Intents(_ context.Context, f store.IntentFilter) ([]store.Intent, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	limit := f.Limit
	if limit == 0 {
		limit = 1000
	}
	return pick(h.data.intents, limit, func(in *store.Intent) bool {
		return (f.Token == "" || in.Token == f.Token) && (f.Key == chain.Key{} || in.Key == f.Key) &&
			(f.Run.IsZero() || in.Run == f.Run) && (len(f.States) == 0 || slices.Contains(f.States, in.State))
	}), nil
}

func (h *handle) Edges(_ context.Context, token string) ([]store.Edge, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return pick(h.data.edges, 1<<30, func(e *store.Edge) bool { return e.DownToken == token }), nil
}
