package pages

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/ui/fault"
)

// logLimit bounds how long a source may take to give a log; it is less than an answer may take.
const logLimit = 20 * time.Second

type logView struct {
	Ref       string
	Native    string
	URL       string
	Text      string
	Truncated bool
	Complete  bool
	Fault     *fault.Error // it could not be read
}

// runLog reads the tail of a run's output from its source, which may take a while: it is a page of its
// own, which the run's page takes in once it is there.
func (p *Pages) runLog(c echo.Context, f *frame) (any, error) {
	k, err := runParam(c)
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	if _, err := p.store.Run(ctx, k); err != nil {
		return nil, err
	}
	v := logView{Ref: k.Ref().String(), Native: k.Native, URL: runURL(k)}
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	l, err := p.engine.ReadLog(ctx, k)
	if err != nil {
		v.Fault = fault.Of(err)
		p.logFault("log of "+k.String(), err)
	}
	v.Text, v.Truncated, v.Complete = l.Text, l.Truncated, l.Complete
	f.Title, f.Section = "Log of "+v.Ref, "runs"
	return v, nil
}
