package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// CookieName is the name of the session cookie.
const CookieName = "signalbox_session"

const (
	sessionLife = 12 * time.Hour // one shift
	maxSessions = 1000
)

// sessions holds who signed in, by the hash of what their cookie says. They end with the process.
type sessions struct {
	now  func() time.Time
	mu   sync.Mutex
	held map[[sha256.Size]byte]session
}

type session struct {
	name string
	csrf string
	ends time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, held: map[[sha256.Size]byte]session{}}
}

// open begins a session and gives the cookie's value.
func (s *sessions) open(name string) string {
	secret := rand.Text() + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for k, old := range s.held {
		if !now.Before(old.ends) {
			delete(s.held, k)
		}
	}
	if len(s.held) >= maxSessions {
		s.dropOldest()
	}
	s.held[sha256.Sum256([]byte(secret))] = session{name: name, csrf: rand.Text(), ends: now.Add(sessionLife)}
	return secret
}

func (s *sessions) dropOldest() {
	var oldest [sha256.Size]byte
	var ends time.Time
	for k, v := range s.held {
		if ends.IsZero() || v.ends.Before(ends) {
			oldest, ends = k, v.ends
		}
	}
	delete(s.held, oldest)
}

// find gives the session of a cookie's value, if it is still good.
func (s *sessions) find(secret string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.held[sha256.Sum256([]byte(secret))]
	return found, ok && s.now().Before(found.ends)
}

func (s *sessions) close(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, sha256.Sum256([]byte(secret)))
}

// cookie makes the cookie of a session; an empty value takes it back. It is Secure only when the
// request came over TLS, since a browser would not send it over plain loopback otherwise.
func cookie(r *http.Request, value string) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // Secure follows the line: over plain loopback the cookie would never come back
		Name: CookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil, MaxAge: int(sessionLife / time.Second),
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func sameText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
