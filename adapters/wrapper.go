package adapters

import (
	"cmp"
	"context"
	"hash/fnv"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Defaults of [SourceOptions] and of [Budget].
const (
	DefaultFast    = time.Second
	DefaultSlow    = 30 * time.Second
	DefaultTimeout = 30 * time.Second
	DefaultPolls   = 60 // a minute
)

// Source wraps one [Adapter] and owns what would otherwise be repeated in each: pacing within the
// budget, quiet windows, backoff and circuit breaking, cursor and duplicates, the measurement of the
// source's clock, redaction, checking, and the containment of panics and of calls that hang.
//
// All methods may be called from any goroutine at any time; only [Source.Run] may not run twice at
// once. Every error that a method returns is an [*Error] without secrets.
//
// While a source is stopped because the peer denied it (see [Health]), abilities are refused without
// asking the peer: each of them would be one more failed login.
type Source struct {
	adapter Adapter
	opt     SourceOptions
	secrets *redactor
	pace    pace
	slots   chan struct{} // one per call at the same time
	polling chan struct{} // held while a Poll runs
	poke    chan struct{} // one pending request to poll now
	wake    chan struct{} // one pending request to plan again
	closing chan struct{} // closed by Close

	mu      sync.Mutex
	closed  bool
	stopRun context.CancelFunc // nil = Run does not run
	calls   sync.WaitGroup     // of callers inside a method that may reach the adapter
	bucket  bucket
	offsets offsets
	health  Health
	refusal *Error // of the peer, while stopped by it
}

// NewSource makes a Source and fills the defaults. It makes no call. The Source owns the adapter from
// then on: [Source.Close] closes it.
func NewSource(a Adapter, opt SourceOptions) (*Source, error) {
	if a == nil {
		return nil, Errorf(Rejected, "new source", opt.Name, "no adapter")
	}
	if opt.Name == "" || strings.Contains(opt.Name, "/") {
		return nil, Errorf(Rejected, "new source", opt.Name, "a source needs a name without a slash")
	}
	if opt.Fast < 0 || opt.Slow < 0 || opt.Timeout < 0 || opt.PollsPerMinute < 0 {
		return nil, Errorf(Rejected, "new source", opt.Name, "intervals, timeout and budget cannot be negative")
	}
	s := &Source{
		adapter: a,
		opt:     opt,
		secrets: newRedactor(opt.Redact),
		polling: make(chan struct{}, 1),
		poke:    make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	if s.opt.Log == nil {
		s.opt.Log = slog.New(slog.DiscardHandler)
	}
	s.opt.Log = s.opt.Log.With(slog.String("source", opt.Name))
	budget := s.Properties().Budget
	s.opt.Fast = cmp.Or(opt.Fast, DefaultFast)
	s.opt.Slow = max(cmp.Or(opt.Slow, DefaultSlow), s.opt.Fast)
	s.opt.Timeout = cmp.Or(opt.Timeout, budget.CallTimeout, DefaultTimeout)
	s.slots = make(chan struct{}, max(budget.Concurrent, 1))
	s.bucket = newBucket(cmp.Or(opt.PollsPerMinute, budget.PollsPerMinute, DefaultPolls))
	s.pace = pace{
		fast: max(s.opt.Fast, s.bucket.every), slow: max(s.opt.Slow, s.bucket.every),
		phase: shareOf(opt.Name), quiet: opt.Quiet,
	}
	if err := s.pace.check(); err != nil {
		return nil, Errorf(Rejected, "new source", opt.Name, "%w", err)
	}
	return s, nil
}

// Name is the source's name as configured.
func (s *Source) Name() string { return s.opt.Name }

// Properties are the adapter's, without secrets.
func (s *Source) Properties() (p Properties) {
	defer func() {
		if r := recover(); r != nil {
			s.logPanic("properties", r)
			p = Properties{Peer: "unknown", Start: StartNone}
		}
	}()
	p = s.adapter.Properties()
	p.Address = s.secrets.text(p.Address)
	p.Version = s.secrets.text(p.Version)
	p.KnownGaps = s.secrets.texts(p.KnownGaps)
	p.Weaknesses = s.secrets.texts(p.Weaknesses)
	return p
}

// Health is how contact with the source stands now.
func (s *Source) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	if h.Offset != nil {
		offset := *h.Offset
		h.Offset = &offset
	}
	return h
}

// Poke asks for a poll now, within the budget, and starts a stopped source again. It returns at once
// and is never swallowed: a Poke during a poll leads to one more poll after it. While a push stream is
// live the poll is made beside it.
func (s *Source) Poke() { signal(s.poke) }

// SetFast tells whether a chain waits on a run at this source. It changes the pace, also of retries
// and in quiet windows, and returns at once.
func (s *Source) SetFast(fast bool) {
	s.mu.Lock()
	changed := s.health.Fast != fast
	s.health.Fast = fast
	s.mu.Unlock()
	if changed {
		signal(s.wake)
	}
}

// Close ends Run, lets a changing call in flight come to its end within its timeout, cancels other
// calls, and closes the adapter. Every later call is refused. It may be called twice.
func (s *Source) Close() (err error) {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	if !again {
		if s.stopRun != nil {
			s.stopRun()
		}
		close(s.closing)
	}
	s.mu.Unlock()
	s.calls.Wait()
	if again {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = s.panicked("close", r)
		}
	}()
	if err := s.adapter.Close(); err != nil {
		return s.convert("close", s.opt.Name, err)
	}
	return nil
}

// enter counts a caller in, unless the source is closed. The caller must call s.calls.Done.
func (s *Source) enter(op string) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &Error{Kind: Unavailable, Op: op, Subject: s.opt.Name, Effect: EffectNone, Err: errClosed}
	}
	s.calls.Add(1)
	return nil
}

// update changes the health under the lock.
func (s *Source) update(change func(h *Health)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.health)
}

func (s *Source) logPanic(op string, recovered any) {
	s.opt.Log.Error("adapter panicked",
		slog.String("op", op),
		slog.String("panic", s.secrets.text(sprint(recovered))),
		slog.String("stack", s.secrets.text(string(debug.Stack()))))
}

// signal leaves one pending signal, if none is pending yet.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// shareOf spreads names evenly over [0, 1), the same in every process.
func shareOf(parts ...string) float64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	x := h.Sum64() // FNV mixes its last bytes badly: finish as splitmix64 does
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}
