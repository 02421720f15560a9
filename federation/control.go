package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Errors that faces tell apart. Their texts say what was wrong, for people.
var (
	// ErrNotFound means that the named source, run, instance or job does not exist.
	ErrNotFound = errors.New("not found")
	// ErrRefused means that what was asked for cannot be done now; nothing was changed.
	ErrRefused = errors.New("refused")
	// ErrInput means that the request itself is wrong.
	ErrInput = errors.New("bad request")
	// ErrUnavailable means that the source could not be asked, or that the engine can decide nothing now.
	ErrUnavailable = errors.New("not available now")
)

// logLimit bounds how much of a run's output is read, in bytes.
const logLimit = 64 << 10

// CancelRecord is the record of a person's wish to stop a run.
type CancelRecord struct {
	Actor  string     `json:"actor"`
	At     time.Time  `json:"at"` // UTC
	Reason string     `json:"reason"`
	Run    job.RunKey `json:"run"`
}

// Command records what a person asked for and decides about it. A refusal is an error that wraps
// [ErrRefused]; it is recorded too.
func (e *Engine) Command(ctx context.Context, c chain.Command) (CommandResult, error) {
	if err := checkActor(c.Actor, c.Reason); err != nil {
		return CommandResult{}, err
	}
	result := CommandResult{Instance: c.Instance, Node: c.Node}
	refused := ""
	err := e.do(ctx, func(t *txn) error {
		in, ok := e.state.Instance(c.Instance)
		if !ok {
			return fmt.Errorf("instance %s is not open: %w", c.Instance, ErrNotFound)
		}
		index := nodeIndex(in, c.Node)
		if index < 0 {
			return fmt.Errorf("instance %s has no job %q: %w", c.Instance, c.Node, ErrNotFound)
		}
		c.At = t.now
		h, err := t.record(store.InstanceSubject(c.Instance), chain.KindCommand, &c)
		if err != nil {
			return err
		}
		out := t.decide(chain.Commanded{Command: c, Record: h})
		for _, r := range out.Receipts {
			if r.Verdict == chain.Refused {
				refused = r.Reason
			}
		}
		result.State = in.Nodes[index].State()
		return t.broken
	})
	if err == nil && refused != "" {
		err = fmt.Errorf("%s: %w", refused, ErrRefused)
	}
	return result, err
}

func nodeIndex(in *chain.Instance, name string) int {
	for i := range in.Nodes {
		if in.Nodes[i].Name == name {
			return i
		}
	}
	return -1
}

func checkActor(actor, reason string) error {
	if strings.TrimSpace(actor) == "" {
		return fmt.Errorf("nobody is named who asks: %w", ErrInput)
	}
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("a reason is required: %w", ErrInput)
	}
	return nil
}

// Cancel records a person's wish to stop a run and passes it to the source. What becomes of the run is
// learnt by polling.
func (e *Engine) Cancel(ctx context.Context, run job.RunKey, actor, reason string) error {
	if err := checkActor(actor, reason); err != nil {
		return err
	}
	s, err := e.source(run.Source)
	if err != nil {
		return err
	}
	if _, err := e.opt.Store.Run(ctx, run); err != nil {
		return storeError("run "+run.String(), err)
	}
	err = e.do(ctx, func(t *txn) error {
		rec := CancelRecord{Actor: actor, At: t.now, Reason: reason, Run: run}
		_, err := t.record(store.RunSubject(run), KindCancel, &rec)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.Cancel(ctx, run); err != nil {
		return sourceError(err)
	}
	s.Poke()
	return nil
}

// PollNow asks for a poll now. It also starts a source again that was stopped because it was denied.
func (e *Engine) PollNow(_ context.Context, source string) error {
	s, err := e.source(source)
	if err != nil {
		return err
	}
	s.Poke()
	return nil
}

// ReadLog reads the tail of what a run printed.
func (e *Engine) ReadLog(ctx context.Context, run job.RunKey) (RunLog, error) {
	s, err := e.source(run.Source)
	if err != nil {
		return RunLog{}, err
	}
	l, err := s.ReadLog(ctx, run, logLimit)
	if err != nil {
		return RunLog{}, sourceError(err)
	}
	return RunLog{Text: l.Text, Truncated: l.Truncated, Complete: l.Complete}, nil
}

// Explain says why each node of an open instance stands where it stands. A closed instance gives
// nothing.
func (e *Engine) Explain(ctx context.Context, k chain.Key) ([]chain.Explanation, error) {
	var out []chain.Explanation
	err := e.do(ctx, func(t *txn) error {
		out = chain.Explain(e.state, k, t.now)
		return nil
	})
	return out, err
}

func (e *Engine) source(name string) (*adapters.Source, error) {
	if s := e.sources[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("source %q is not configured: %w", name, ErrNotFound)
}

// sourceError turns an adapter's error into one that faces tell apart; the text stays.
func sourceError(err error) error {
	switch adapters.KindOf(err) {
	case adapters.NotFound:
		return fmt.Errorf("%w: %w", err, ErrNotFound)
	case adapters.Unsupported, adapters.Rejected:
		return fmt.Errorf("%w: %w", err, ErrRefused)
	case adapters.Unavailable, adapters.Denied, adapters.Malformed:
	}
	return fmt.Errorf("%w: %w", err, ErrUnavailable)
}

func storeError(what string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}
