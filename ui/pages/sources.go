package pages

import (
	"strings"

	"github.com/labstack/echo/v4"

	"signalbox/federation"
	"signalbox/federation/store"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

type sourcesView struct {
	Rows []sourceRow
}

func (p *Pages) sources(_ echo.Context, f *frame) (any, error) {
	v := sourcesView{Rows: p.sourceRows(p.engine.Sources())}
	f.Title, f.Section, f.Live, f.Refresh = "Sources", "sources", []string{"source"}, 5
	f.Announce = blindText(p.engine.Sources())
	return v, nil
}

func blindText(all []federation.SourceStatus) string {
	var names []string
	for i := range all {
		if all[i].Blind || all[i].Stopped {
			names = append(names, all[i].Name)
		}
	}
	if names == nil {
		return "Every source is in sight."
	}
	return "Out of sight: " + strings.Join(names, ", ") + "."
}

type sourceView struct {
	sourceRow
	Status   federation.SourceStatus
	Gaps     []gapRow
	Jobs     []jobRow
	MoreJobs string // address of the rest
	PollURL  string
	CanStart bool
}

type gapRow struct {
	What         string
	Since, Until when
}

func (p *Pages) source(c echo.Context, f *frame) (any, error) {
	name, err := segment(c, "name")
	if err != nil {
		return nil, err
	}
	all := p.engine.Sources()
	for i := range all {
		if all[i].Name == name {
			return p.sourceView(c, f, all[i:i+1])
		}
	}
	return nil, fault.NotFound("source %q: not configured", name)
}

func (p *Pages) sourceView(c echo.Context, f *frame, one []federation.SourceStatus) (any, error) {
	s := one[0]
	v := sourceView{sourceRow: p.sourceRows(one)[0], Status: s, PollURL: sourceURL(s.Name) + "/poll"}
	for _, g := range s.Gaps {
		v.Gaps = append(v.Gaps, gapRow{What: g.What, Since: p.when(g.Since), Until: p.when(g.Until)})
	}
	jobs, more, err := paging.Jobs(c.Request().Context(), p.store, store.JobFilter{Source: s.Name, Limit: paging.Default})
	if err != nil {
		return nil, err
	}
	if more {
		v.MoreJobs = pageURL("/jobs", "source", s.Name)
	}
	for i := range jobs {
		v.Jobs = append(v.Jobs, p.jobRow(&jobs[i]))
	}
	v.CanStart = p.engine.Abilities(s.Name).Start
	f.Title, f.Section, f.Live, f.Refresh = s.Name, "sources", []string{"source:" + s.Name}, 5
	f.Announce = s.Name + ": " + v.Chip.Word
	f.Flash = flashDone(c, "poll", "The source is polled now.")
	return v, nil
}
