package uitest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Engine answers as it was told to and keeps what it was asked. Its methods may be called from any
// goroutine.
type Engine struct {
	Status   []federation.SourceStatus
	Reasons  map[chain.Key][]chain.Explanation
	Logs     map[job.RunKey]federation.RunLog
	Able     map[string]federation.Ability
	Refusal  error // of every command
	mu       sync.Mutex
	asked    []string
	watchers map[chan federation.Change]bool
	joined   chan struct{}
}

// NewEngine gives one that knows nothing.
func NewEngine() *Engine {
	return &Engine{
		Reasons: map[chain.Key][]chain.Explanation{}, Logs: map[job.RunKey]federation.RunLog{},
		Able: map[string]federation.Ability{}, watchers: map[chan federation.Change]bool{}, joined: make(chan struct{}, 100),
	}
}

// Asked gives what was asked for, in order, one line each.
func (e *Engine) Asked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.asked)
}

func (e *Engine) note(format string, a ...any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, fmt.Sprintf(format, a...))
	return e.Refusal
}

// Sources tells how every source stands.
func (e *Engine) Sources() []federation.SourceStatus { return e.Status }

// Subscribe gives what [Engine.Publish] is given from now on, with room for four.
func (e *Engine) Subscribe(ctx context.Context) <-chan federation.Change {
	ch := make(chan federation.Change, 4)
	e.mu.Lock()
	e.watchers[ch] = true
	e.mu.Unlock()
	context.AfterFunc(ctx, func() { e.drop(ch) })
	e.joined <- struct{}{}
	return ch
}

// Joined gives one value for each subscriber that came.
func (e *Engine) Joined() <-chan struct{} { return e.joined }

// Publish tells every subscriber, and drops those without room, as the real one does.
func (e *Engine) Publish(c federation.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch := range e.watchers {
		select {
		case ch <- c:
		default:
			delete(e.watchers, ch)
			close(ch)
		}
	}
}

// CutOff drops every subscriber, as the real engine does with one that is too slow.
func (e *Engine) CutOff() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch := range e.watchers {
		delete(e.watchers, ch)
		close(ch)
	}
}

// Subscribers tells how many there are.
func (e *Engine) Subscribers() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.watchers)
}

func (e *Engine) drop(ch chan federation.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watchers[ch] {
		delete(e.watchers, ch)
		close(ch)
	}
}

// Explain gives the canned reasons.
func (e *Engine) Explain(_ context.Context, k chain.Key) ([]chain.Explanation, error) {
	return e.Reasons[k], nil
}

// Command notes the command.
func (e *Engine) Command(_ context.Context, c chain.Command) (federation.CommandResult, error) {
	err := e.note("%s %s %s by %s: %s", c.Verb, c.Instance, c.Node, c.Actor, c.Reason)
	return federation.CommandResult{Instance: c.Instance, Node: c.Node, State: job.Held}, err
}

// Cancel notes the wish.
func (e *Engine) Cancel(_ context.Context, run job.RunKey, actor, reason string) error {
	return e.note("cancel %s by %s: %s", run, actor, reason)
}

// PollNow notes the wish. A source that is not in Status is not found.
func (e *Engine) PollNow(_ context.Context, source string) error {
	if !slices.ContainsFunc(e.Status, func(s federation.SourceStatus) bool { return s.Name == source }) {
		return fmt.Errorf("poll %s: %w", source, store.ErrNotFound)
	}
	return e.note("poll %s", source)
}

// ReadLog gives the canned log.
func (e *Engine) ReadLog(_ context.Context, run job.RunKey) (federation.RunLog, error) {
	l, ok := e.Logs[run]
	if !ok {
		return l, fmt.Errorf("read log of %s: no output is kept: %w", run, store.ErrNotFound)
	}
	return l, nil
}

// Abilities gives the canned abilities.
func (e *Engine) Abilities(source string) federation.Ability { return e.Able[source] }

// Site is a store and an engine at one moment.
type Site struct {
	Store  *Store
	Engine *Engine
	Now    time.Time
}

// Empty is a site on its first day: nothing configured, nothing seen.
func Empty() *Site {
	return &Site{Store: NewStore(), Engine: NewEngine(), Now: now}
}
