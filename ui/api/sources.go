package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/store"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

// Health tells that the server answers.
type Health struct {
	Status  string `json:"status"` // "ok"
	Version string `json:"version,omitempty"`
}

// Source is how a source stands.
type Source struct {
	Name       string     `json:"name"`
	Peer       string     `json:"peer,omitempty"`
	Address    string     `json:"address,omitempty"`
	Zone       string     `json:"zone,omitempty"`
	StartClass string     `json:"start_class,omitempty"`
	Confidence string     `json:"confidence,omitempty"` // best rung of evidence that it offers
	HostKey    string     `json:"host_key,omitempty"`
	Blind      bool       `json:"blind"`               // polls fail
	Stopped    bool       `json:"stopped"`             // not retried until asked
	Since      *time.Time `json:"since,omitempty"`     // blind since, or seen since
	LastSeen   *time.Time `json:"last_seen,omitempty"` // last good poll; absent = none since the start
	Error      string     `json:"error,omitempty"`
	ErrorKind  string     `json:"error_kind,omitempty"`
	Fix        string     `json:"fix,omitempty"`
	NextPoll   *time.Time `json:"next_poll,omitempty"`
	IntervalMS int64      `json:"interval_ms,omitempty"`
	Fast       bool       `json:"fast"`                // a chain waits on it
	Watching   bool       `json:"watching"`            // a push stream is live
	OffsetMS   *int64     `json:"offset_ms,omitempty"` // its clock minus ours; absent = not measured
	Polls      int64      `json:"polls"`
	Failures   int64      `json:"failures"`
	Jobs       int        `json:"jobs"`
	Rights     []Right    `json:"rights,omitempty"`
	Problems   []Trouble  `json:"problems,omitempty"`
	KnownGaps  []string   `json:"known_gaps,omitempty"`
	Weaknesses []string   `json:"weaknesses,omitempty"`
	Gaps       []Gap      `json:"gaps,omitempty"` // what was lost for good, latest first
}

// Right is a right at the source and whether it is there.
type Right struct {
	Name    string `json:"name"`
	Why     string `json:"why,omitempty"`
	Granted string `json:"granted"` // yes, no, unknown
	Needed  bool   `json:"needed"`
	Fix     string `json:"fix,omitempty"`
}

// Trouble is something at the source that a person should know.
type Trouble struct {
	Where string `json:"where,omitempty"`
	What  string `json:"what"`
	Fix   string `json:"fix,omitempty"`
}

// Gap is something that can no longer be read.
type Gap struct {
	What  string     `json:"what"`
	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
}

func sourceOf(s federation.SourceStatus) Source {
	out := Source{
		Name: s.Name, Peer: s.Peer, Address: s.Address, Zone: s.Zone, StartClass: s.StartClass, Confidence: s.Confidence,
		HostKey: s.HostKey, Blind: s.Blind, Stopped: s.Stopped, Since: timeOf(s.Since), LastSeen: timeOf(s.LastSeen), Error: s.Error,
		ErrorKind: s.ErrorKind, Fix: s.Fix, NextPoll: timeOf(s.NextPoll), IntervalMS: s.Interval.Milliseconds(), Fast: s.Fast,
		Watching: s.Watching, Polls: s.Polls, Failures: s.Failures, Jobs: s.Jobs, KnownGaps: s.KnownGaps, Weaknesses: s.Weaknesses,
	}
	if s.Offset != nil {
		ms := s.Offset.Milliseconds()
		out.OffsetMS = &ms
	}
	for _, r := range s.Rights {
		out.Rights = append(out.Rights, Right{Name: r.Name, Why: r.Why, Granted: r.Granted, Needed: r.Needed, Fix: r.Fix})
	}
	for _, p := range s.Problems {
		out.Problems = append(out.Problems, Trouble(p))
	}
	for _, g := range s.Gaps {
		out.Gaps = append(out.Gaps, Gap{What: g.What, Since: timeOf(g.Since), Until: timeOf(g.Until)})
	}
	return out
}

func (a *API) health(c echo.Context) error {
	return c.JSON(http.StatusOK, Health{Status: "ok", Version: a.version})
}

func (a *API) sources(c echo.Context) error {
	out := List[Source]{Items: []Source{}}
	for _, s := range a.engine.Sources() {
		out.Items = append(out.Items, sourceOf(s))
	}
	return c.JSON(http.StatusOK, out)
}

func (a *API) source(c echo.Context) error {
	name, err := segment(c, "name")
	if err != nil {
		return err
	}
	for _, s := range a.engine.Sources() {
		if s.Name == name {
			return c.JSON(http.StatusOK, sourceOf(s))
		}
	}
	return fault.NotFound("source %q: not found", name)
}

func (a *API) jobs(c echo.Context) error {
	n, err := limit(c)
	if err != nil {
		return err
	}
	f := store.JobFilter{Source: c.QueryParam("source"), Limit: n}
	if after := c.QueryParam("after"); after != "" {
		if f.After, err = job.ParseRef(after); err != nil {
			return fault.Bad("after: %v", err)
		}
	}
	jobs, more, err := paging.Jobs(c.Request().Context(), a.store, f)
	if err != nil {
		return err
	}
	out := List[Job]{Items: []Job{}}
	if more {
		out.Next = nextPage(c, "after", jobs[len(jobs)-1].Ref.String())
	}
	for _, j := range jobs {
		out.Items = append(out.Items, jobOf(j))
	}
	return c.JSON(http.StatusOK, out)
}
