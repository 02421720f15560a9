package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/lineage"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

// Log is the tail of what a run printed, without secrets.
type Log struct {
	Text      string `json:"text"`
	Truncated bool   `json:"truncated"` // there was more before it
	Complete  bool   `json:"complete"`  // the run is over and this is its last output
}

const (
	maxWhyDepth = 50
	maxWhyRuns  = 500
	// logLimit bounds how long a source may take to give a log; it is less than an answer may take.
	logLimit = 20 * time.Second
)

func (a *API) runs(c echo.Context) error {
	f, err := runFilter(c)
	if err != nil {
		return err
	}
	page, more, err := paging.Runs(c.Request().Context(), a.store, f)
	if err != nil {
		return err
	}
	out := List[Run]{Items: []Run{}}
	if more {
		next := f.Next(page)
		out.Next = nextPage(c, "before", stamp(next.Before), "behind", next.Behind.String())
	}
	blind := a.blind()
	for _, r := range page {
		out.Items = append(out.Items, staleRun(r, blind))
	}
	return c.JSON(http.StatusOK, out)
}

func runFilter(c echo.Context) (f store.RunFilter, err error) {
	f = store.RunFilter{Source: c.QueryParam("source"), Job: c.QueryParam("job"), Token: c.QueryParam("token")}
	if f.Job != "" && f.Source == "" {
		return f, fault.Bad("job needs source: a job is named within its source")
	}
	for _, s := range c.QueryParams()["state"] {
		if !job.State(s).Valid() {
			return f, fault.Bad("state %q is not known", s).WithFix("Known ones: " + stateNames() + ".")
		}
		f.States = append(f.States, job.State(s))
	}
	if f.Limit, err = limit(c); err != nil {
		return f, err
	}
	if f.Before, err = before(c); err != nil {
		return f, err
	}
	if behind := c.QueryParam("behind"); behind != "" {
		if f.Behind, err = job.ParseRunKey(behind); err != nil {
			return f, fault.Bad("behind: %v", err)
		}
	}
	return f, nil
}

func stateNames() string {
	var names []string
	for _, s := range job.States() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// blind gives since when each source that cannot be seen is out of sight.
func (a *API) blind() map[string]time.Time {
	out := map[string]time.Time{}
	for _, s := range a.engine.Sources() {
		if s.Blind || s.Stopped {
			out[s.Name] = s.Since
		}
	}
	return out
}

// staleRun marks a run that may have moved on without anybody seeing it.
func staleRun(r job.Run, blind map[string]time.Time) Run {
	out := runOf(r)
	if since, ok := blind[r.Key.Source]; ok && !r.Terminal() {
		out.StaleSince = timeOf(since)
	}
	return out
}

func (a *API) findRun(c echo.Context) (job.Run, error) {
	k, err := runKey(c)
	if err != nil {
		return job.Run{}, err
	}
	return a.store.Run(c.Request().Context(), k)
}

func (a *API) run(c echo.Context) error {
	r, err := a.findRun(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, staleRun(r, a.blind()))
}

func (a *API) observations(c echo.Context) error {
	r, err := a.findRun(c)
	if err != nil {
		return err
	}
	out := List[Observation]{Items: []Observation{}}
	out.Next, err = a.about(c, store.RunSubject(r.Key), job.KindObservation, func(e store.Entry) error {
		o := lineage.Observation{Place: placeOf(e)}
		if err := e.Open(job.KindObservation, &o.Said); err != nil {
			return err
		}
		out.Items = append(out.Items, observationOf(&o))
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

// about gives the entries of one kind about a subject to take, a page of entries at a time, and the
// address of the next page. A page may hold fewer of that kind than the limit, and still have a next.
func (a *API) about(c echo.Context, subject, kind string, take func(store.Entry) error) (next string, err error) {
	after, err := sequence(c, "after")
	if err != nil {
		return "", err
	}
	n, err := limit(c)
	if err != nil {
		return "", err
	}
	entries, err := a.store.About(c.Request().Context(), subject, after, n+1)
	if err != nil {
		return "", err
	}
	if len(entries) > n {
		entries = entries[:n]
		next = nextPage(c, "after", strconv.FormatInt(entries[n-1].Seq, 10))
	}
	for _, e := range entries {
		if kind != "" && e.Kind != kind {
			continue
		}
		if err := take(e); err != nil {
			return "", err
		}
	}
	return next, nil
}

func (a *API) runLog(c echo.Context) error {
	r, err := a.findRun(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), logLimit)
	defer cancel()
	l, err := a.engine.ReadLog(ctx, r.Key)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, Log{Text: l.Text, Truncated: l.Truncated, Complete: l.Complete})
}

func (a *API) why(c echo.Context) error {
	k, err := runKey(c)
	if err != nil {
		return err
	}
	var limits lineage.Limits
	if limits.Depth, err = number(c, "depth", maxWhyDepth); err != nil {
		return err
	}
	if limits.Runs, err = number(c, "runs", maxWhyRuns); err != nil {
		return err
	}
	step, err := lineage.Why(c.Request().Context(), a.store, k, limits)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, stepOf(step))
}

func (a *API) cancel(c echo.Context) error {
	r, err := a.findRun(c)
	if err != nil {
		return err
	}
	w, err := wish(c)
	if err != nil {
		return err
	}
	return a.asked(c, "cancel "+r.Key.String(), func(ctx context.Context) error {
		return a.engine.Cancel(ctx, r.Key, w.actor, w.Reason)
	})
}
