package federation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Lease is the name of the lease that the engine of an installation holds while it runs.
const Lease = "engine"

// Options say what an engine works with. Store is required.
type Options struct {
	Store       store.Store
	Sources     []*adapters.Source
	Definitions []chain.Definition // exactly the chains in service; others are retired
	Node        string             // name of this node [signalbox]
	LeaseTTL    time.Duration      // [15s]
	Log         *slog.Logger       // [discard]
	// OnStep, if set, is called at each point between a decision and its record, from the goroutine that
	// stands there. It exists so that a test can kill the process exactly there.
	OnStep func(Step)
}

// Step is a point on the way of one start.
type Step string

// The steps, in order.
const (
	StepDecided   Step = "decided"   // the release is decided, nothing is durable
	StepCommitted Step = "committed" // decision and intent are durable
	StepClaimed   Step = "claimed"   // the intent is marked sent, durably; nothing was sent
	StepAnswered  Step = "answered"  // the source answered; the answer is not durable
	StepRecorded  Step = "recorded"  // the answer is durable
)

// Engine runs chains. Make one with [New], then call Run; the other methods may be called from any
// goroutine while Run runs.
type Engine struct {
	opt     Options
	log     *slog.Logger
	sources map[string]*adapters.Source
	workers map[string]*worker
	work    chan *request
	hub     hub
	fence   store.Fence
	ready   chan struct{} // closed once the state is restored
	stopped chan struct{} // closed when Run is about to return

	shown shown
	runs  runCache

	// Owned by the committer.
	state  *chain.State
	timers timers
	rows   map[string]store.Source
	native map[string]map[string]bool // by source and job: native schedules in effect, as last listed

	begun    bool                     // the clock may decide
	listed   map[string]bool          // sources listed since we started
	contacts map[string]chain.Contact // last recorded of each source since we started
	last     time.Time                // the latest time that was given to a decision
	tidied   time.Time                // when what is over was last forgotten
	failed   int                      // commits in a row
}

// New makes an engine. It touches neither store nor sources.
func New(opt Options) (*Engine, error) {
	if opt.Store == nil {
		return nil, errors.New("federation: no store")
	}
	if opt.Node == "" {
		opt.Node = "signalbox"
	}
	if opt.LeaseTTL <= 0 {
		opt.LeaseTTL = 15 * time.Second
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.OnStep == nil {
		opt.OnStep = func(Step) {}
	}
	e := &Engine{
		opt: opt, log: opt.Log, sources: map[string]*adapters.Source{}, workers: map[string]*worker{},
		listed: map[string]bool{}, contacts: map[string]chain.Contact{}, work: make(chan *request), ready: make(chan struct{}), stopped: make(chan struct{}),
	}
	chains := map[string]bool{}
	for i := range opt.Definitions {
		if chains[opt.Definitions[i].Chain] {
			return nil, fmt.Errorf("federation: chain %s is there twice", opt.Definitions[i].Chain)
		}
		chains[opt.Definitions[i].Chain] = true
	}
	for _, s := range opt.Sources {
		if e.sources[s.Name()] != nil {
			return nil, fmt.Errorf("federation: source %s is there twice", s.Name())
		}
		e.sources[s.Name()] = s
		e.workers[s.Name()] = newWorker(e, s)
	}
	return e, nil
}

// Ready is closed once the engine has taken up its state and began to work.
func (e *Engine) Ready() <-chan struct{} { return e.ready }

// Run takes the lease, restores the state, and works until ctx ends; then it returns nil after what was
// under way is recorded. Any other error means that the engine could not begin, or lost the right to
// write. It may be called once.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.stopped)
	defer e.hub.close()
	fence, err := e.opt.Store.Acquire(ctx, Lease, e.opt.Node, e.opt.LeaseTTL)
	if err != nil {
		return fmt.Errorf("take the lease to write: %w", err)
	}
	e.fence = fence
	defer e.release(ctx)
	if err := e.restore(ctx); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return e.operate(ctx)
}

// operate runs committer, workers, poll loops and lease renewal until ctx ends or one of them gives up.
func (e *Engine) operate(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// The committer outlives the others, so that what they have under way can still be recorded.
	committing, stopCommitting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCommitting()
	var committer, others sync.WaitGroup
	committer.Go(func() {
		if err := e.commitLoop(committing); err != nil {
			stop(err)
			e.refuseWork(committing)
		}
	})
	cursors, err := e.begin(ctx)
	if err != nil {
		stopCommitting()
		committer.Wait()
		return err
	}
	close(e.ready)
	others.Go(func() { stop(e.keepLease(ctx)) })
	for name, s := range e.sources {
		others.Go(func() {
			if err := s.Run(ctx, cursors[name], e); err != nil {
				stop(fmt.Errorf("source %s: %w", name, err))
			}
		})
		others.Go(func() { e.workers[name].run(ctx) })
	}
	others.Wait()
	stopCommitting()
	committer.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (e *Engine) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := e.opt.Store.Release(ctx, e.fence); err != nil {
		e.log.Warn("cannot give the lease back", slog.Any("error", err))
	}
}

// keepLease renews the lease until ctx ends. It returns an error when the lease is lost: then another
// node may write, and this one must stop.
func (e *Engine) keepLease(ctx context.Context) error {
	tick := time.NewTicker(e.opt.LeaseTTL / 5) // some may fail before the lease is in danger
	defer tick.Stop()
	good := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		asked := time.Now()
		err := e.renew(ctx, good.Add(e.opt.LeaseTTL*2/3))
		switch {
		case err == nil:
			good = asked
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrFenced):
			return fmt.Errorf("the lease to write was lost: %w", err)
		case time.Since(good) >= e.opt.LeaseTTL*2/3:
			return fmt.Errorf("the lease to write could not be renewed in time: %w", err)
		default:
			e.log.Warn("cannot renew the lease, trying again", slog.Any("error", err))
		}
	}
}

// renew asks for the lease once more. A store that does not answer must not keep the engine from
// noticing that its time is up.
func (e *Engine) renew(ctx context.Context, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return e.opt.Store.Renew(ctx, e.fence, e.opt.LeaseTTL)
}

// newSite makes the random name of an installation.
func newSite() string { return rand.Text() }

// sourceNames gives the names of the configured sources, sorted.
func (e *Engine) sourceNames() []string { return slices.Sorted(maps.Keys(e.sources)) }
