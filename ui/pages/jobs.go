package pages

import (
	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

type jobsView struct {
	Rows    []jobRow
	Sources []string
	Source  string
	Next    string
	First   string
}

// jobRow is a job in a list.
type jobRow struct {
	job.Job
	Name    string
	RunsURL string
	Next    when
}

func (p *Pages) jobs(c echo.Context, f *frame) (any, error) {
	v := jobsView{Source: c.QueryParam("source")}
	filter := store.JobFilter{Source: v.Source, Limit: paging.Default}
	if after := c.QueryParam("after"); after != "" {
		ref, err := job.ParseRef(after)
		if err != nil {
			return nil, fault.Bad("after: %v", err)
		}
		filter.After, v.First = ref, pageURL("/jobs", "source", v.Source)
	}
	page, more, err := paging.Jobs(c.Request().Context(), p.store, filter)
	if err != nil {
		return nil, err
	}
	if more {
		v.Next = pageURL("/jobs", "source", v.Source, "after", page[len(page)-1].Ref.String())
	}
	for i := range page {
		row := p.jobRow(&page[i])
		row.Name = row.Ref.String() // several sources stand in one list
		v.Rows = append(v.Rows, row)
	}
	for _, s := range p.engine.Sources() {
		v.Sources = append(v.Sources, s.Name)
	}
	f.Title, f.Section, f.Live = "Jobs", "jobs", []string{"source"}
	return v, nil
}

func (p *Pages) jobRow(j *job.Job) jobRow {
	return jobRow{Job: *j, Name: j.Ref.Job, RunsURL: runsURL(j.Ref), Next: p.when(j.NextRun.At)}
}
