package pages

import (
	"slices"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/store"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

type runsView struct {
	Rows     []runRow
	Sources  []string
	States   []job.State
	Source   string
	Job      string
	State    string
	Next     string
	First    string // address of the first page; empty on it
	Filtered bool
}

// runRow is a run in a list.
type runRow struct {
	Ref     string
	Native  string
	URL     string
	Chip    chip
	Started when
	Ended   when
	Took    string
	Cause   string
	Last    when
}

func (p *Pages) runs(c echo.Context, f *frame) (any, error) {
	filter, err := runFilter(c)
	if err != nil {
		return nil, err
	}
	page, more, err := paging.Runs(c.Request().Context(), p.store, filter)
	if err != nil {
		return nil, err
	}
	all := p.engine.Sources()
	blind := blindOf(all)
	v := runsView{Source: filter.Source, Job: filter.Job, State: c.QueryParam("state"), States: observedStates()}
	v.Filtered = v.Source != "" || v.State != ""
	for i := range all {
		v.Sources = append(v.Sources, all[i].Name)
	}
	for i := range page {
		v.Rows = append(v.Rows, p.runRow(&page[i], blind))
	}
	same := []string{"source", v.Source, "job", v.Job, "state", v.State}
	if more {
		next := filter.Next(page)
		v.Next = pageURL("/runs", append(same, "before", stamp(next.Before), "behind", next.Behind.String())...)
	}
	f.Title, f.Section, f.Live = "Runs", "runs", []string{"run"}
	if !filter.Before.IsZero() {
		f.Live, v.First = nil, pageURL("/runs", same...) // an older page stands still
	}
	return v, nil
}

// observedStates are those that a run of a source can be in.
func observedStates() []job.State {
	return slices.DeleteFunc(job.States(), func(s job.State) bool { return !s.BySource() })
}

func runFilter(c echo.Context) (f store.RunFilter, err error) {
	f = store.RunFilter{Source: c.QueryParam("source"), Job: c.QueryParam("job"), Limit: paging.Default}
	if f.Source == "" {
		f.Job = ""
	}
	if s := job.State(c.QueryParam("state")); s != "" {
		if !s.Valid() {
			return f, fault.Bad("state %q is not known", s)
		}
		f.States = []job.State{s}
	}
	if f.Before, err = beforeParam(c); err != nil {
		return f, err
	}
	if behind := c.QueryParam("behind"); behind != "" {
		if f.Behind, err = job.ParseRunKey(behind); err != nil {
			return f, fault.Bad("behind: %v", err)
		}
	}
	return f, nil
}

func (p *Pages) runRow(r *job.Run, blind map[string]federation.SourceStatus) runRow {
	return runRow{
		Ref: r.Key.Ref().String(), Native: r.Key.Native, URL: runURL(r.Key), Chip: p.runChip(r, blind), Started: p.when(r.Started.At),
		Ended: p.when(r.Latest.Ended.At), Took: took(r), Cause: causeText(r.Cause), Last: p.when(store.Activity(r)),
	}
}

// took tells how long an attempt ran, if the source told both ends.
func took(r *job.Run) string {
	if r.Started.IsZero() || r.Latest.Ended.IsZero() || r.Latest.Ended.At.Before(r.Started.At) {
		return ""
	}
	return exactSpan(r.Latest.Ended.At.Sub(r.Started.At))
}

func causeText(c job.Cause) string {
	switch c {
	case job.CauseBridge:
		return "Signalbox"
	case job.CauseSchedule:
		return "schedule"
	case job.CauseManual:
		return "by hand at the source"
	case job.CauseUnknown:
	}
	return "not told"
}
