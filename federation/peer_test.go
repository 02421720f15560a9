package federation_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// peer is a scheduler in memory: an append-only log of observations, and jobs that can be started. It
// outlives the adapters that read it, as a real one outlives our process.
type peer struct {
	name  string
	class adapters.StartClass

	mu      sync.Mutex
	log     []job.Observation
	starts  map[string]int // by token, how many runs it led to
	calls   int            // of Start
	polls   int
	unclear bool // cannot tell what became of a start
	jobs    []job.Job
	down    error        // every call gives it
	refuse  func() error // instead of starting
	onStart func(token string) error
	answer  func(ctx context.Context) // waits, after the effect and before the answer
	finish  bool                      // started jobs succeed at once
}

func newPeer(name string, class adapters.StartClass) *peer {
	return &peer{name: name, class: class, starts: map[string]int{}, finish: true}
}

// native reports a natively started run.
func (p *peer) native(jobName, id string, state job.State, started time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(job.Observation{
		Run: job.RunKey{Source: p.name, Job: jobName, Native: id}, State: state, Started: job.At(started),
		Cause: job.CauseSchedule,
	})
}

func (p *peer) add(o job.Observation) {
	o.Attempt, o.Seq = 1, int64(len(p.log)+1)
	if o.State.Terminal() {
		o.Ended = job.At(o.Started.At.Add(time.Second))
	}
	p.log = append(p.log, o)
}

// runs counts runs by all tokens, and the most by one.
func (p *peer) runs() (all, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.starts {
		all, most = all+n, max(most, n)
	}
	return all, most
}

// counts tells how often it was polled, and asked to start something.
func (p *peer) counts() (polls, calls int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.polls, p.calls
}

func (p *peer) set(change func(*peer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// adapter reads and starts at a peer.
type adapter struct{ p *peer }

var (
	_ adapters.Starter = adapter{}
	_ adapters.Finder  = adapter{}
	_ adapters.Lister  = adapter{}
)

func (a adapter) Properties() adapters.Properties {
	return adapters.Properties{
		Peer: "test", Kind: adapters.EventSource, Start: a.p.class,
		Budget: adapters.Budget{PollsPerMinute: 60000, Concurrent: 4},
	}
}

func (a adapter) Close() error { return nil }

func (a adapter) Poll(_ context.Context, c adapters.Cursor) (adapters.Batch, error) {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	a.p.polls++
	if a.p.down != nil {
		return adapters.Batch{}, a.p.down
	}
	from := 0
	if c != nil {
		n, err := strconv.Atoi(string(c))
		if err != nil {
			return adapters.Batch{}, adapters.Errorf(adapters.Malformed, "poll", a.p.name, "cursor: %w", err)
		}
		from = n
	}
	return adapters.Batch{
		Observations: append([]job.Observation(nil), a.p.log[from:]...), Next: adapters.Cursor(strconv.Itoa(len(a.p.log))),
		SourceTime: time.Now(),
	}, nil
}

func (a adapter) List(context.Context) (adapters.Listing, error) {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	return adapters.Listing{Jobs: append([]job.Job(nil), a.p.jobs...)}, nil
}

var errCut = errors.New("the line was cut")

func (a adapter) Start(ctx context.Context, r adapters.StartRequest) (adapters.Started, error) {
	started, err := a.p.start(r)
	if wait := a.p.waits(); wait != nil {
		wait(ctx)
	}
	return started, err
}

func (p *peer) waits() func(context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer
}

func (p *peer) start(r adapters.StartRequest) (adapters.Started, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.down != nil {
		return adapters.Started{}, p.down
	}
	if p.refuse != nil {
		if err := p.refuse(); err != nil {
			return adapters.Started{}, err
		}
	}
	if p.starts[r.Token] == 0 || p.class == adapters.StartInDoubt {
		p.starts[r.Token]++
		o := job.Observation{
			Run:   job.RunKey{Source: p.name, Job: r.Job, Native: fmt.Sprintf("%s-%d", r.Token, p.starts[r.Token])},
			State: job.Running, Started: job.At(time.Now()), Token: r.Token, Cause: job.CauseBridge,
		}
		p.add(o)
		if p.finish {
			o.State = job.Succeeded
			p.add(o)
		}
	}
	if p.onStart != nil {
		if err := p.onStart(r.Token); err != nil {
			return adapters.Started{}, err
		}
	}
	return adapters.Started{Detail: "accepted"}, nil
}

func (a adapter) Find(_ context.Context, token string) (adapters.Finding, error) {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	if a.p.down != nil {
		return adapters.Finding{}, a.p.down
	}
	if a.p.unclear {
		return adapters.Finding{Found: adapters.FoundUnclear, Detail: "its log cannot be read"}, nil
	}
	if a.p.starts[token] > 0 {
		return adapters.Finding{Found: adapters.FoundPresent}, nil
	}
	return adapters.Finding{Found: adapters.FoundAbsent}, nil
}
