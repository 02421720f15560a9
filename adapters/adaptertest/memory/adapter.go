package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// page is how many events one poll reads at most.
const page = 100

// Config is what an adapter needs to know of its peer.
type Config struct {
	Source   string
	Password string
	Zone     string // of the peer, for display
	Start    adapters.StartClass
	Kind     adapters.SourceKind
	Log      *slog.Logger
}

// Adapter speaks to a [Peer]. Which optional abilities it really has depends on Config.Start.
type Adapter struct {
	peer     *Peer
	cfg      Config
	starting sync.Mutex // searching and starting are one step
}

// New makes an adapter. It makes no call.
func New(p *Peer, cfg Config) *Adapter { return &Adapter{peer: p, cfg: cfg} }

// Properties implements adapters.Adapter.
func (a *Adapter) Properties() adapters.Properties {
	p := adapters.Properties{
		Peer: "memory", Version: "1", Address: "memory", Kind: a.cfg.Kind, Zone: a.cfg.Zone, Start: a.cfg.Start,
		Budget: adapters.Budget{PollsPerMinute: 6000, Concurrent: 2}, Confidence: job.Confirmed,
	}
	if a.cfg.Kind == adapters.SnapshotSource {
		p.KnownGaps = []string{"a run that came and went between two polls is not seen"}
	}
	return p
}

// Close implements adapters.Adapter. There is nothing to close.
func (a *Adapter) Close() error { return nil }

// Poll implements adapters.Adapter.
func (a *Adapter) Poll(ctx context.Context, cursor adapters.Cursor) (adapters.Batch, error) {
	if a.cfg.Kind == adapters.SnapshotSource {
		return a.pollStates(ctx, cursor)
	}
	return a.pollEvents(ctx, cursor)
}

// pollEvents reads a page of the peer's log. The cursor is the number of the last event read.
func (a *Adapter) pollEvents(ctx context.Context, cursor adapters.Cursor) (adapters.Batch, error) {
	from := 0
	if len(cursor) > 0 {
		n, err := strconv.Atoi(string(cursor))
		if err != nil {
			return adapters.Batch{}, adapters.Errorf(adapters.Malformed, "poll", a.cfg.Source, "cursor %q is not a number", cursor)
		}
		from = n
	}
	lines, now, err := a.ask(ctx, "poll", "events", strconv.Itoa(from), strconv.Itoa(page))
	if err != nil {
		return adapters.Batch{}, err
	}
	b := adapters.Batch{SourceTime: now, More: len(lines) == page}
	for _, l := range lines {
		o, err := a.translate(l)
		if err != nil {
			return adapters.Batch{}, err
		}
		b.Observations = append(b.Observations, o)
		from = l.N
	}
	b.Next = adapters.Cursor(strconv.Itoa(from))
	return b, nil
}

// pollStates reads the present state. The cursor holds the runs that were active: one that is not told
// any more is unknown.
func (a *Adapter) pollStates(ctx context.Context, cursor adapters.Cursor) (adapters.Batch, error) {
	var before []job.RunKey
	if len(cursor) > 0 {
		if err := json.Unmarshal(cursor, &before); err != nil {
			return adapters.Batch{}, adapters.Errorf(adapters.Malformed, "poll", a.cfg.Source, "cursor: %w", err)
		}
	}
	lines, now, err := a.ask(ctx, "poll", "states")
	if err != nil {
		return adapters.Batch{}, err
	}
	b := adapters.Batch{SourceTime: now}
	var told, active []job.RunKey
	for _, l := range lines {
		o, err := a.translate(l)
		if err != nil {
			return adapters.Batch{}, err
		}
		// What is not told any more can be given neither a number nor a time, so nothing here has them:
		// an observation without them would count as older than all that have.
		o.Seq, o.At = 0, job.Moment{}
		told = append(told, o.Run)
		if !o.Terminal() {
			active = append(active, o.Run)
		}
		b.Observations = append(b.Observations, o)
	}
	for _, k := range before {
		if !slices.Contains(told, k) {
			b.Observations = append(b.Observations, job.Observation{
				Run: k, Attempt: 1, State: job.Unknown, Reason: job.NotSeen, Detail: "the source tells it no more",
			})
		}
	}
	next, err := json.Marshal(active)
	if err != nil {
		return adapters.Batch{}, adapters.Errorf(adapters.Malformed, "poll", a.cfg.Source, "cursor: %w", err)
	}
	b.Next = next
	return b, nil
}

// List implements adapters.Lister.
func (a *Adapter) List(ctx context.Context) (adapters.Listing, error) {
	lines, _, err := a.ask(ctx, "list", "jobs")
	if err != nil {
		return adapters.Listing{}, err
	}
	var all adapters.Listing
	for _, l := range lines {
		all.Jobs = append(all.Jobs, job.Job{
			Ref: job.Ref{Source: a.cfg.Source, Job: l.Job}, Enabled: true, Wrapped: true,
			Startable: a.cfg.Start != adapters.StartNone, Zone: a.cfg.Zone,
		})
	}
	slices.SortFunc(all.Jobs, func(x, y job.Job) int { return strings.Compare(x.Job, y.Job) })
	return all, nil
}

// Start implements adapters.Starter.
func (a *Adapter) Start(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
	a.starting.Lock()
	defer a.starting.Unlock()
	token := req.Token
	switch a.cfg.Start {
	case adapters.StartNone:
		return adapters.Started{}, &adapters.Error{
			Kind: adapters.Unsupported, Op: "start", Subject: req.Job, Effect: adapters.EffectNone, Err: errors.New("not configured"),
		}
	case adapters.StartSearchable:
		f, err := a.Find(ctx, token)
		if err != nil {
			return adapters.Started{}, fmt.Errorf("start: %w", unsent(err))
		}
		if f.Found == adapters.FoundPresent {
			return adapters.Started{Run: f.Run, Detail: "started before"}, nil
		}
	case adapters.StartDeduplicated, adapters.StartInDoubt:
	}
	lines, _, err := a.ask(ctx, "start", "start", req.Job, token)
	if err != nil {
		return adapters.Started{}, err
	}
	if len(lines) != 1 {
		return adapters.Started{}, adapters.Errorf(adapters.Malformed, "start", req.Job, "%d lines of answer, want 1", len(lines))
	}
	return adapters.Started{Run: a.key(lines[0])}, nil
}

// unsent marks the error of a search before a start: the start itself was not sent.
func unsent(err error) error {
	if e, ok := errors.AsType[*adapters.Error](err); ok {
		c := *e
		c.Effect = adapters.EffectNone
		return &c
	}
	return err
}

// Find implements adapters.Finder.
func (a *Adapter) Find(ctx context.Context, token string) (adapters.Finding, error) {
	if a.cfg.Start != adapters.StartSearchable && a.cfg.Start != adapters.StartDeduplicated {
		return adapters.Finding{}, adapters.Errorf(adapters.Unsupported, "find", token, "the peer keeps no tokens")
	}
	lines, _, err := a.ask(ctx, "find", "find", token)
	if err != nil {
		return adapters.Finding{}, err
	}
	if len(lines) == 0 {
		return adapters.Finding{Found: adapters.FoundAbsent}, nil
	}
	return adapters.Finding{Found: adapters.FoundPresent, Run: a.key(lines[0])}, nil
}

// Cancel implements adapters.Canceller.
func (a *Adapter) Cancel(ctx context.Context, run job.RunKey) error {
	_, _, err := a.ask(ctx, "cancel", "cancel", run.Native)
	return err
}

// ReadLog implements adapters.LogReader.
func (a *Adapter) ReadLog(ctx context.Context, run job.RunKey, limit int) (adapters.Log, error) {
	lines, _, err := a.ask(ctx, "read log", "log", run.Native)
	if err != nil {
		return adapters.Log{}, err
	}
	var out adapters.Log
	for _, l := range lines {
		out.Text, out.Complete = l.Text, l.Ended != ""
	}
	if len(out.Text) > limit {
		out.Text, out.Truncated = out.Text[len(out.Text)-limit:], true
	}
	return out, nil
}

func (a *Adapter) key(l Answer) job.RunKey {
	return job.RunKey{Source: a.cfg.Source, Job: l.Job, Native: strconv.Itoa(l.ID)}
}

// ask sends a request and reads the whole answer or nothing. now is the peer's clock.
func (a *Adapter) ask(ctx context.Context, op, verb string, args ...string) (lines []Answer, now time.Time, err error) {
	raw, err := a.peer.Serve(ctx, Request{Password: a.cfg.Password, Verb: verb, Args: args})
	a.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "asked", slog.String("verb", verb), slog.Bool("failed", err != nil))
	switch {
	case errors.Is(err, ErrLogin):
		return nil, now, &adapters.Error{
			Kind: adapters.Denied, Op: op, Subject: a.cfg.Source, Effect: adapters.EffectNone, Fix: "check the password", Err: err,
		}
	case errors.Is(err, ErrRefused):
		return nil, now, &adapters.Error{Kind: adapters.Unavailable, Op: op, Subject: a.cfg.Source, Effect: adapters.EffectNone, Err: err}
	case err != nil:
		return nil, now, adapters.Errorf(adapters.Unavailable, op, a.cfg.Source, "%w", err)
	}
	lines, err = parse(raw)
	if err != nil {
		return nil, now, adapters.Errorf(adapters.Malformed, op, a.cfg.Source, "%w", err)
	}
	last := lines[len(lines)-1]
	if now, err = time.Parse(timeFormat, last.At); err != nil {
		return nil, now, adapters.Errorf(adapters.Malformed, op, a.cfg.Source, "%w", err)
	}
	lines = lines[:len(lines)-1]
	if len(lines) > 0 && lines[0].Refused != "" {
		kind := adapters.Rejected
		if strings.HasPrefix(lines[0].Refused, "no such") {
			kind = adapters.NotFound
		}
		return nil, now, &adapters.Error{
			Kind: kind, Op: op, Subject: a.cfg.Source, Effect: adapters.EffectNone, Err: errors.New(lines[0].Refused),
		}
	}
	return lines, now.UTC(), nil
}

// parse reads an answer. It has at least one line, or there is an error.
func parse(raw []byte) ([]Answer, error) {
	var lines []Answer
	for text := range strings.Lines(string(raw)) {
		if n, ok := strings.CutPrefix(text, "end "); ok {
			if want, err := strconv.Atoi(strings.TrimSuffix(n, "\n")); err != nil || want != len(lines) || want == 0 {
				return nil, fmt.Errorf("%d lines, and then %q", len(lines), text)
			}
			return lines, nil
		}
		var l Answer
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return nil, fmt.Errorf("the answer stops after %d lines", len(lines))
}
