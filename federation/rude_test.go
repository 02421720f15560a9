package federation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// rude is a peer with bad manners: it loses answers before and after the effect, refuses, answers late, has
// its effect only later, cannot be searched for a while, and hands out its log in pieces. It starts a run
// for every start that it is asked for, unless its class says that it knows tokens: who asks twice gets
// two runs.
type rude struct {
	*peer

	dice    *dice
	mu      sync.Mutex
	polite  bool
	later   map[string]bool // tokens of which the effect is still to come
	started []call
}

// call is a start that had its effect.
type call struct {
	at    time.Time
	key   string // of the instance
	job   job.Ref
	token string
}

// dice is a source of chance that goroutines may share.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

func (d *dice) upTo(limit time.Duration) time.Duration {
	return time.Duration(d.below(int(limit/time.Millisecond))) * time.Millisecond
}

var (
	_ adapters.Starter = rudeAdapter{}
	_ adapters.Finder  = rudeAdapter{}
)

// rudeAdapter reads and starts at a rude peer. It lists nothing.
type rudeAdapter struct{ r *rude }

func (a rudeAdapter) Properties() adapters.Properties { return adapter{a.r.peer}.Properties() }
func (a rudeAdapter) Close() error                    { return nil }

// Poll gives at most three observations at once.
func (a rudeAdapter) Poll(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
	b, err := adapter{a.r.peer}.Poll(ctx, c)
	if err != nil || len(b.Observations) <= 3 {
		return b, err
	}
	all := 0
	if _, err := fmt.Sscan(string(b.Next), &all); err != nil {
		return adapters.Batch{}, err
	}
	b.Next = adapters.Cursor(fmt.Sprint(all - len(b.Observations) + 3))
	b.Observations, b.More = b.Observations[:3], true
	return b, nil
}

func (a rudeAdapter) Start(ctx context.Context, r adapters.StartRequest) (adapters.Started, error) {
	lost := &adapters.Error{Kind: adapters.Unavailable, Op: "start", Err: errCut}
	none := func(k adapters.Kind) error {
		return &adapters.Error{Kind: k, Op: "start", Effect: adapters.EffectNone, Err: errors.New("not now")}
	}
	switch fate := a.r.fate(); fate {
	case 0:
		return adapters.Started{}, lost
	case 1:
		a.r.effect(r)
		return adapters.Started{}, lost
	case 2:
		return adapters.Started{}, none(adapters.Unavailable)
	case 3:
		return adapters.Started{}, none(adapters.Rejected)
	case 4:
		a.r.effectLater(r)
		return adapters.Started{}, lost
	case 5: // may take longer than anybody waits
		a.r.effect(r)
		select {
		case <-time.After(a.r.dice.upTo(40 * time.Second)):
		case <-ctx.Done():
			return adapters.Started{}, ctx.Err()
		}
	default:
		a.r.effect(r)
	}
	return adapters.Started{Detail: "accepted"}, nil
}

func (r *rude) fate() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.polite {
		return -1
	}
	return r.dice.below(12)
}

func (r *rude) effectLater(req adapters.StartRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.later[req.Token] {
		return
	}
	r.later[req.Token] = true
	time.AfterFunc(r.dice.upTo(2*time.Minute), func() {
		r.effect(req)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.later, req.Token)
	})
}

func (r *rude) effect(req adapters.StartRequest) {
	p := r.peer
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.class == adapters.StartDeduplicated && p.starts[req.Token] > 0 {
		return
	}
	p.starts[req.Token]++
	p.add(job.Observation{
		Run:   job.RunKey{Source: p.name, Job: req.Job, Native: fmt.Sprintf("%s-%d", req.Token, p.starts[req.Token])},
		State: job.Running, Started: job.At(time.Now()), Token: req.Token, Cause: job.CauseBridge,
	})
	r.started = append(r.started, call{time.Now(), req.Chain, job.Ref{Source: p.name, Job: req.Job}, req.Token})
}

func (a rudeAdapter) Find(ctx context.Context, token string) (adapters.Finding, error) {
	a.r.mu.Lock()
	defer a.r.mu.Unlock()
	if a.r.later[token] {
		return adapters.Finding{Found: adapters.FoundUnclear, Detail: "still under way"}, nil
	}
	if !a.r.polite {
		switch a.r.dice.below(6) {
		case 0:
			return adapters.Finding{}, adapters.Errorf(adapters.Unavailable, "find", a.r.name, "too busy")
		case 1:
			return adapters.Finding{Found: adapters.FoundUnclear}, nil
		}
	}
	return adapter{a.r.peer}.Find(ctx, token)
}

// behave ends all bad manners.
func (r *rude) behave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.polite = true
}

// move lets time do its work at the peer: runs that we started end, some news come twice or late.
func (r *rude) move(polite bool) {
	r.peer.mu.Lock()
	defer r.peer.mu.Unlock()
	p := r.peer
	ended := map[job.RunKey]bool{}
	for i := range p.log {
		ended[p.log[i].Run] = ended[p.log[i].Run] || p.log[i].State.Terminal()
	}
	for _, o := range append([]job.Observation(nil), p.log...) {
		switch {
		case ended[o.Run] && !polite && r.dice.below(40) == 0:
			p.log = append(p.log, o) // old news, word for word
		case ended[o.Run] || (!polite && r.dice.below(8) > 0):
		default:
			ended[o.Run] = true
			o.State = []job.State{job.Succeeded, job.Succeeded, job.Succeeded, job.Failed, job.Cancelled, job.Warned}[r.dice.below(6)]
			p.add(o)
		}
	}
}
