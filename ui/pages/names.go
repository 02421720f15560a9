package pages

import (
	"net/url"
	"strings"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// Addresses of pages. Keys are one segment each.

func instanceURL(k chain.Key) string { return "/instances/" + url.PathEscape(k.String()) }
func runURL(k job.RunKey) string     { return "/runs/" + url.PathEscape(k.String()) }
func chainURL(name string) string    { return "/chains/" + url.PathEscape(name) }
func sourceURL(name string) string   { return "/sources/" + url.PathEscape(name) }
func receiptURL(h job.Hash) string   { return "/receipts/" + h.String() }
func recordURL(h job.Hash) string    { return "/records/" + h.String() }

// instanceName names an instance for people: "financial-close 2026-11-24", with the time of day where a
// chain repeats.
func instanceName(k chain.Key) string {
	s := k.Chain + " " + k.BusinessDate
	if k.Cycle == "" {
		return s
	}
	stamp, _, _ := strings.Cut(k.Cycle, "-") // behind it stands which head run it was
	if t, err := time.Parse("20060102T150405Z", stamp); err == nil {
		return s + " " + t.Format("15:04:05") + "Z"
	}
	return s + " " + strings.TrimSpace(k.Cycle)
}

// subjectLink names the subject of a record and gives its page, if there is one.
func subjectLink(subject string) (name, address string) {
	kind, name, ok := strings.Cut(subject, ":")
	if !ok {
		return subject, ""
	}
	switch kind {
	case "run":
		if k, err := job.ParseRunKey(name); err == nil {
			return "run " + name, runURL(k)
		}
	case "instance":
		if k, err := chain.ParseKey(name); err == nil {
			return instanceName(k), instanceURL(k)
		}
	case "chain":
		return "chain " + name, chainURL(name)
	case "source":
		return "source " + name, sourceURL(name)
	}
	return subject, ""
}
