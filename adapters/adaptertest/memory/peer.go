package memory

import (
	"sync"
	"time"
)

// Fault is one way in which the line to the peer goes bad. The values are those of the suite.
type Fault string

// The faults. The zero value is a sound line.
const (
	Sound              Fault = ""
	Refused            Fault = "refused"
	Slow               Fault = "slow"
	Truncated          Fault = "truncated"
	Garbage            Fault = "garbage"
	WrongPassword      Fault = "wrong_password"
	DroppedAfterEffect Fault = "dropped_after_effect"
)

// The words in which the peer reports the state of a run.
const (
	WordReady  = "READY"
	WordActive = "ACTIVE"
	WordHeld   = "HELD"
	WordDone   = "DONE"
	WordError  = "ERROR"
	WordKilled = "KILLED"
)

// Options say what kind of peer it is.
type Options struct {
	Zone     *time.Location // in which it writes times
	Password string         // that it accepts
	Jobs     []string       // that it can run
	Dedupes  bool           // it starts one run for one token
	Forgets  bool           // it tells no token of a run: neither search nor history shows it
	Snapshot bool           // it tells only the last state of the last run of each job
}

// Peer is a scheduler in memory. All methods may be called from any goroutine.
type Peer struct {
	opt Options

	mu       sync.Mutex
	runs     []*run
	events   []event
	fixed    time.Time // the clock, while it is set; zero = it runs
	skew     time.Duration
	latency  time.Duration
	fault    Fault
	restored chan struct{} // closed when the line is restored
	starts   map[string]int
	total    int
	active   int
	peak     int
	changing int
}

type run struct {
	id      int
	job     string
	token   string
	attempt int
	word    string
	started time.Time
	ended   time.Time
	code    string
}

// event is a run as it was when something happened to it.
type event struct {
	run
	at time.Time
}

// NewPeer makes a peer.
func NewPeer(opt Options) *Peer {
	return &Peer{opt: opt, restored: make(chan struct{}), starts: make(map[string]int)}
}

// now is the peer's clock. The caller holds the lock.
func (p *Peer) now() time.Time {
	if !p.fixed.IsZero() {
		return p.fixed
	}
	return time.Now().Add(p.skew)
}

// record writes an event. The caller holds the lock.
func (p *Peer) record(r *run, word string) {
	r.word = word
	p.events = append(p.events, event{run: *r, at: p.now()})
}

// begin starts a run in a state. The caller holds the lock.
func (p *Peer) begin(job, token, word string) *run {
	r := &run{id: len(p.runs) + 1, job: job, token: token, attempt: 1, started: p.now()}
	p.runs = append(p.runs, r)
	if token != "" {
		p.starts[token]++
	}
	p.record(r, WordReady)
	p.record(r, word)
	return r
}

// StartNative starts a run as the peer's own clock would, in a state given in the peer's words, and
// gives its id.
func (p *Peer) StartNative(job, word string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begin(job, "", word).id
}

// Set moves a run into a state. Ends carry a code.
func (p *Peer) Set(id int, word, code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.runs[id-1]
	if code != "" {
		r.ended, r.code = p.now(), code
	}
	p.record(r, word)
}

// Revive lets a run that ended run again under its id, as its next attempt.
func (p *Peer) Revive(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.runs[id-1]
	r.attempt++
	r.started, r.ended, r.code = p.now(), time.Time{}, ""
	p.record(r, WordActive)
}

// SetClock stops the clock at a moment; the zero time lets it run again.
func (p *Peer) SetClock(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fixed = at
}

// Skew puts the running clock off the real one.
func (p *Peer) Skew(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skew = d
}

// Break makes the line bad; Sound restores it.
func (p *Peer) Break(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	if f == Sound {
		close(p.restored)
		p.restored = make(chan struct{})
	}
}

// SetLatency lets every request take some time.
func (p *Peer) SetLatency(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency = d
}

// StartsOf counts the runs that were started with a token.
func (p *Peer) StartsOf(token string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts[token]
}

// Calls counts the requests served, and most at the same time.
func (p *Peer) Calls() (total, peak int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total, p.peak
}

// Changing counts the requests that may change something.
func (p *Peer) Changing() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changing
}
