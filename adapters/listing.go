package adapters

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"signalbox/adapters/job"
)

// listing is what the loop knows about the definitions.
type listing struct {
	due    time.Time // zero = at the first chance
	last   job.Hash  // of the last one that the sink took
	failed int       // in a row
}

// list reads the definitions when the peer said that they changed, the first time, and every now and
// then; the sink gets them only if they differ from what it got last. That they cannot be read does
// not make the source blind: runs are still seen.
func (l *loop) list(ctx context.Context, changed bool) {
	if !l.Abilities().List || (!changed && time.Now().Before(l.listing.due)) {
		return
	}
	all, err := l.List(ctx)
	if err == nil {
		err = l.takeListing(ctx, all)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		l.listing.failed++
		l.listing.due = time.Now().Add(backoff(l.opt.Name, l.listing.failed, false))
		if KindOf(err) != Unavailable {
			l.listing.due = time.Now().Add(listEvery)
		}
		text := l.secrets.text(err.Error())
		l.update(func(h *Health) { h.ListError = text })
		l.opt.Log.LogAttrs(ctx, slog.LevelWarn, "definitions not listed, will be tried again",
			slog.Int("attempt", l.listing.failed), slog.String("error", text))
		return
	}
	l.listing.failed = 0
	l.listing.due = time.Now().Add(listEvery)
	l.update(func(h *Health) { h.ListError = "" })
}

func (l *loop) takeListing(ctx context.Context, all Listing) error {
	raw, err := json.Marshal(all)
	if err != nil {
		return Errorf(Malformed, "list", l.opt.Name, "%w", err)
	}
	sum := job.Sum(raw)
	if sum == l.listing.last {
		return nil
	}
	if err := l.sink.TakeListing(ctx, l.opt.Name, all); err != nil {
		return err
	}
	l.listing.last = sum
	return nil
}

// acceptListing makes a listing of an adapter fit to be delivered.
func (s *Source) acceptListing(all Listing) (Listing, error) {
	all.Jobs, all.Problems = slices.Clone(all.Jobs), slices.Clone(all.Problems)
	bad := func(format string, a ...any) (Listing, error) {
		return Listing{}, s.convert("list", s.opt.Name, Errorf(Malformed, "list", s.opt.Name, format, a...))
	}
	for i := range all.Jobs {
		j := &all.Jobs[i]
		j.NextRun.At = j.NextRun.At.Round(0).UTC()
		switch {
		case j.Source != s.opt.Name:
			return bad("job %q: its source is %q, not %q", j.Job, j.Source, s.opt.Name)
		case strings.TrimSpace(j.Job) == "":
			return bad("job %d has no key", i+1)
		case i > 0 && all.Jobs[i-1].Job >= j.Job:
			return bad("job %q stands behind %q: want ascending keys, each once", j.Job, all.Jobs[i-1].Job)
		}
	}
	s.secrets.listing(&all)
	return all, nil
}

// String gives "where: what (fix)".
func (p Problem) String() string {
	text := fmt.Sprintf("%s: %s", p.Where, p.What)
	if p.Fix != "" {
		text += " (" + p.Fix + ")"
	}
	return text
}
