package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

// strict refuses query parameters that a route does not have: a mistyped filter must not pass for no
// filter.
func strict(params []param, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		query, err := url.ParseQuery(c.Request().URL.RawQuery)
		if err != nil {
			return fault.Bad("query: %v", err)
		}
		for name, values := range query {
			i := slices.IndexFunc(params, func(p param) bool { return p.name == name })
			if i < 0 {
				return fault.Bad("query parameter %q is not known here", name).WithFix("Known ones: " + knownNames(params) + ".")
			}
			if len(values) > 1 && !params[i].repeated {
				return fault.Bad("query parameter %q is given %d times", name, len(values))
			}
		}
		return next(c)
	}
}

func knownNames(params []param) string {
	if len(params) == 0 {
		return "none"
	}
	var names []string
	for _, p := range params {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// segment reads a path parameter. The server makes the router see escaped paths only.
func segment(c echo.Context, name string) (string, error) {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return "", fault.Bad("path: %v", err)
	}
	return s, nil
}

func runKey(c echo.Context) (job.RunKey, error) {
	s, err := segment(c, "key")
	if err != nil {
		return job.RunKey{}, err
	}
	k, err := job.ParseRunKey(s)
	if err != nil {
		return k, fault.Bad("%v", err).WithFix("Escape the key as one path segment: / is %2F and # is %23.")
	}
	return k, nil
}

func instanceKey(c echo.Context) (chain.Key, error) {
	s, err := segment(c, "key")
	if err != nil {
		return chain.Key{}, err
	}
	k, err := chain.ParseKey(s)
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

// number reads a query parameter between 1 and most; absent gives 0.
func number(c echo.Context, name string, most int) (int, error) {
	s := c.QueryParam(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, fault.Bad("%s %q: want a number from 1 to %d", name, s, most)
	}
	return n, nil
}

// limit reads the length of the page, with its default.
func limit(c echo.Context) (int, error) {
	n, err := number(c, "limit", paging.Max)
	if n == 0 {
		n = paging.Default
	}
	return n, err
}

func sequence(c echo.Context, name string) (int64, error) {
	s := c.QueryParam(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Bad("%s %q: want a sequence number", name, s)
	}
	return n, nil
}

func before(c echo.Context) (time.Time, error) {
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

// nextPage gives the address of the same list from another place; pairs are names and values.
func nextPage(c echo.Context, pairs ...string) string {
	u := *c.Request().URL
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return u.EscapedPath() + "?" + q.Encode()
}

// stamp writes a time of a keyset.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// read decodes a JSON body: no unknown member, nothing behind it.
func read(c echo.Context, v any) error {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return fault.New(http.StatusUnsupportedMediaType, "want_json", "the body must be application/json")
	}
	dec := json.NewDecoder(c.Request().Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return err
		}
		return fault.Bad("body: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.Bad("body: text behind the JSON object")
	}
	return nil
}
