package pages

import (
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/ui/fault"
)

// segment reads a path parameter. The server makes the router see escaped paths only.
func segment(c echo.Context, name string) (string, error) {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return "", fault.Bad("path: %v", err)
	}
	return s, nil
}

func runParam(c echo.Context) (job.RunKey, error) {
	s, err := segment(c, "key")
	if err != nil {
		return job.RunKey{}, err
	}
	k, err := job.ParseRunKey(s)
	if err != nil {
		return k, fault.Bad("%v", err)
	}
	return k, nil
}

func hashParam(c echo.Context) (job.Hash, error) {
	var h job.Hash
	if err := h.UnmarshalText([]byte(c.Param("hash"))); err != nil || h.IsZero() {
		return h, fault.Bad("hash %q: want 64 hexadecimal digits", c.Param("hash"))
	}
	return h, nil
}

func beforeParam(c echo.Context) (time.Time, error) {
	s := c.QueryParam("before")
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fault.Bad("before %q: want an RFC 3339 time", s)
	}
	return t.UTC(), nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// pageURL gives the address of a list with other parameters; empty values leave a parameter out.
func pageURL(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// runsURL is the list of a job's runs.
func runsURL(ref job.Ref) string { return pageURL("/runs", "source", ref.Source, "job", ref.Job) }
