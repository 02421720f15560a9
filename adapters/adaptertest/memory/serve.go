package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Request is one request over the line.
type Request struct {
	Password string
	Verb     string // events FROM LIMIT, states, jobs, find TOKEN, log ID, start JOB TOKEN, cancel ID, hold JOB, unhold JOB
	Args     []string
}

// changes tells whether the request may change something at the peer.
func (r Request) changes() bool {
	return slices.Contains([]string{"start", "cancel", "hold", "unhold"}, r.Verb)
}

// What goes wrong with the line.
var (
	ErrRefused = errors.New("connection refused")
	ErrCut     = errors.New("connection cut")
	ErrLogin   = errors.New("login refused")
)

// Answer is one line of an answer. An answer ends with the line "end N", N being the lines before it;
// a peer that refuses a request answers with one line that has Refused set.
type Answer struct {
	Refused string `json:"refused,omitempty"`
	N       int    `json:"n,omitempty"` // number of the event
	ID      int    `json:"id,omitempty"`
	Job     string `json:"job,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
	Word    string `json:"word,omitempty"`
	At      string `json:"at,omitempty"` // as are all times: local, with the offset
	Started string `json:"started,omitempty"`
	Ended   string `json:"ended,omitempty"`
	Code    string `json:"code,omitempty"`
	Token   string `json:"token,omitempty"`
	Text    string `json:"text,omitempty"`
}

// timeFormat is how the peer writes times.
const timeFormat = "2006-01-02 15:04:05.000 -0700"

// Serve carries out a request and gives the bytes of the answer, spoiled as the line demands.
func (p *Peer) Serve(ctx context.Context, req Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	latency := p.enter()
	defer p.leave()
	if latency > 0 {
		t := time.NewTimer(latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	fault, err := p.connect(ctx, req.Password)
	if err != nil {
		return nil, err
	}
	text := p.carryOut(req)
	switch {
	case fault == Truncated:
		text = text[:len(text)*2/3]
	case fault == Garbage:
		text = "<html><h1>Wartungsarbeiten</h1></html>\nend 1\n"
	case fault == DroppedAfterEffect && req.changes():
		return nil, ErrCut
	}
	return []byte(text), nil
}

// connect lets a caller in, and tells how the line is.
func (p *Peer) connect(ctx context.Context, password string) (Fault, error) {
	fault, restored := p.line()
	switch {
	case fault == Refused:
		return fault, ErrRefused
	case fault == Slow:
		select {
		case <-ctx.Done():
			return fault, ctx.Err()
		case <-restored:
			return fault, ErrCut
		}
	case fault == WrongPassword || password != p.opt.Password:
		return fault, ErrLogin
	}
	return fault, nil
}

func (p *Peer) line() (Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.restored
}

func (p *Peer) enter() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total++
	p.active++
	p.peak = max(p.peak, p.active)
	return p.latency
}

func (p *Peer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
}

func (p *Peer) carryOut(req Request) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if req.changes() {
		p.changing++
	}
	var out []Answer
	switch req.Verb {
	case "events":
		out = p.eventsFrom(number(req, 0), number(req, 1))
	case "states":
		out = p.states()
	case "jobs":
		for _, j := range p.opt.Jobs {
			out = append(out, Answer{Job: j})
		}
	case "find":
		out = p.find(req.Args[0])
	case "log":
		out = p.log(number(req, 0))
	case "start":
		out = p.start(req.Args[0], req.Args[1])
	case "cancel":
		out = p.cancel(number(req, 0))
	case "hold", "unhold":
		out = p.known(req.Args[0])
	default:
		out = []Answer{{Refused: "no such request"}}
	}
	out = append(out, Answer{At: p.stamp(p.now())})
	var text strings.Builder
	for _, a := range out {
		raw, err := json.Marshal(a)
		if err != nil {
			continue // an Answer can always be encoded
		}
		text.Write(raw)
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, "end %d\n", len(out))
	return text.String()
}

func number(req Request, i int) int {
	n, err := strconv.Atoi(req.Args[i])
	if err != nil {
		return 0
	}
	return n
}

func (p *Peer) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.opt.Zone).Format(timeFormat)
}

func (p *Peer) answer(n int, e event) Answer {
	a := Answer{
		N: n, ID: e.id, Job: e.job, Attempt: e.attempt, Word: e.word, Code: e.code, Token: e.token,
		At: p.stamp(e.at), Started: p.stamp(e.started), Ended: p.stamp(e.ended),
	}
	if p.opt.Forgets {
		a.Token = ""
	}
	return a
}

func (p *Peer) eventsFrom(from, limit int) []Answer {
	var out []Answer
	for n := max(from, 0); n < len(p.events) && len(out) < limit; n++ {
		out = append(out, p.answer(n+1, p.events[n]))
	}
	return out
}

// states tells the last event of the last run of each job.
func (p *Peer) states() []Answer {
	last := make(map[string]Answer)
	for n, e := range p.events {
		if a, ok := last[e.job]; !ok || e.id >= a.ID {
			last[e.job] = p.answer(n+1, e)
		}
	}
	var out []Answer
	for _, j := range p.opt.Jobs {
		if a, ok := last[j]; ok {
			out = append(out, a)
		}
	}
	return out
}

func (p *Peer) find(token string) []Answer {
	for _, r := range p.runs {
		if r.token == token && !p.opt.Forgets {
			return []Answer{{ID: r.id, Job: r.job}}
		}
	}
	return nil
}

func (p *Peer) log(id int) []Answer {
	if id < 1 || id > len(p.runs) {
		return []Answer{{Refused: "no such run"}}
	}
	r := p.runs[id-1]
	return []Answer{{ID: id, Text: "job " + r.job + " says hello\n", Ended: p.stamp(r.ended)}}
}

func (p *Peer) start(job, token string) []Answer {
	if out := p.known(job); len(out) > 0 {
		return out
	}
	if p.opt.Dedupes && token != "" && p.starts[token] > 0 {
		return p.find(token)
	}
	return []Answer{{ID: p.begin(job, token, WordActive).id, Job: job}}
}

func (p *Peer) cancel(id int) []Answer {
	if id < 1 || id > len(p.runs) {
		return []Answer{{Refused: "no such run"}}
	}
	if r := p.runs[id-1]; r.ended.IsZero() {
		r.ended, r.code = p.now(), "143"
		p.record(r, WordKilled)
	}
	return nil
}

// known refuses a job that the peer does not have.
func (p *Peer) known(job string) []Answer {
	if !slices.Contains(p.opt.Jobs, job) {
		return []Answer{{Refused: "no such job"}}
	}
	return nil
}
