package access

import (
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxWrong   = 20          // wrong tokens from one address
	wrongSpan  = time.Minute // within this span; then a pause until it is over
	maxAddress = 10_000      // addresses remembered
)

// attempts counts wrong tokens by address, so that guessing is slow and shows in the log.
type attempts struct {
	now   func() time.Time
	mu    sync.Mutex
	wrong map[string]spell
}

type spell struct {
	began time.Time
	count int
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, wrong: map[string]spell{}}
}

// blocked tells how long an address has to wait; zero = not at all.
func (a *attempts) blocked(r *http.Request) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.wrong[address(r)]
	left := wrongSpan - a.now().Sub(s.began)
	if !ok || s.count < maxWrong || left <= 0 {
		return 0
	}
	return left
}

// failed counts one wrong token.
func (a *attempts) failed(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if len(a.wrong) >= maxAddress {
		clear(a.wrong)
	}
	s := a.wrong[address(r)]
	if now.Sub(s.began) >= wrongSpan {
		s = spell{began: now}
	}
	s.count++
	a.wrong[address(r)] = s
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
