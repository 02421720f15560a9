package pages

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// when is a point in time as pages show it: a clock time, or how long ago, with the full time and its
// zone behind it. JavaScript keeps "ago" ticking and can show local time; without it the texts stand.
type when struct {
	at, now time.Time
}

// Known tells whether there is a time at all.
func (w when) Known() bool { return !w.at.IsZero() }

// Clock gives "09:25:31", with the date if it is not within half a day of now.
func (w when) Clock() template.HTML {
	if !w.Known() {
		return ""
	}
	layout := time.TimeOnly
	if d := w.now.Sub(w.at).Abs(); d > 12*time.Hour {
		layout = time.DateTime
	}
	return w.element("data-clock", w.at.UTC().Format(layout))
}

// Ago gives "2 s ago" or "in 5 min".
func (w when) Ago() template.HTML {
	if !w.Known() {
		return ""
	}
	return w.element("data-ago", agoText(w.now.Sub(w.at)))
}

// element builds a time element. It holds nothing but digits, words of ours and the zone's name.
func (w when) element(mark, text string) template.HTML {
	at := w.at.UTC()
	return template.HTML(`<time ` + mark + ` datetime="` + at.Format(time.RFC3339) + `" title="` + at.Format(time.DateTime) + ` UTC">` + text + `</time>`) //nolint:gosec // no foreign text in it
}

// agoText puts a span into words; app.js has the same rules.
func agoText(d time.Duration) string {
	switch {
	case d > -time.Second && d < time.Second:
		return "now"
	case d < 0:
		return "in " + spanText(-d)
	}
	return spanText(d) + " ago"
}

// spanText gives the two largest units of a span: "2 s", "13 min", "3 h 24 min", "2 d 4 h".
func spanText(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return strconv.FormatInt(s, 10) + " s"
	case s < 3600:
		return strconv.FormatInt(s/60, 10) + " min"
	case s < 86400:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d d %d h", s/86400, s%86400/3600)
}

// exactSpan gives a span to the second, for durations of runs: "53 min 12 s".
func exactSpan(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s < 60 {
		return strconv.FormatInt(s, 10) + " s"
	}
	var parts []string
	for _, u := range []struct {
		n    int64
		name string
	}{{s / 3600, " h"}, {s % 3600 / 60, " min"}, {s % 60, " s"}} {
		if u.n > 0 {
			parts = append(parts, strconv.FormatInt(u.n, 10)+u.name)
		}
	}
	return strings.Join(parts, " ")
}

// offsetText tells how far a source's clock is off: "0.180 s ahead", "7 min 4 s behind".
func offsetText(d time.Duration) string {
	side := " ahead"
	if d < 0 {
		side, d = " behind", -d
	}
	if d < time.Minute {
		return fmt.Sprintf("%.3f s%s", d.Seconds(), side)
	}
	return exactSpan(d) + side
}
