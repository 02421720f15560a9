package access

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func clock() (now func() time.Time, forward func(time.Duration)) {
	t := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	return func() time.Time { return t }, func(d time.Duration) { t = t.Add(d) }
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	now, forward := clock()
	s := newSessions(now)
	first := s.open("first")
	forward(time.Second)
	second := s.open("second")
	for range maxSessions - 1 {
		s.open("more")
	}
	if _, ok := s.find(first); ok {
		t.Error("the oldest session stays although there are too many")
	}
	if got, ok := s.find(second); !ok || got.name != "second" {
		t.Errorf("another one was dropped: %+v", got)
	}
	forward(sessionLife)
	s.open("last")
	if len(s.held) != 1 {
		t.Errorf("%d sessions are held, most of them over", len(s.held))
	}
}

func TestSessionSecretsDiffer(t *testing.T) {
	t.Parallel()
	now, _ := clock()
	s := newSessions(now)
	a, b := s.open("a"), s.open("a")
	x, _ := s.find(a)
	y, _ := s.find(b)
	if a == b || x.csrf == y.csrf || x.csrf == "" || strings.Contains(a, x.csrf) {
		t.Error("two sessions share something, or the cookie tells the CSRF token")
	}
}

// One address that guesses does not lock out another, and is itself let go after a while.
func TestAttempts(t *testing.T) {
	t.Parallel()
	now, forward := clock()
	a := newAttempts(now)
	guesser, other := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRequest(http.MethodGet, "/", nil)
	guesser.RemoteAddr, other.RemoteAddr = "192.0.2.1:1000", "192.0.2.2:1000"
	for i := range maxWrong {
		if wait := a.blocked(guesser); wait != 0 {
			t.Fatalf("blocked after %d attempts", i)
		}
		a.failed(guesser)
	}
	guesser.RemoteAddr = "192.0.2.1:2000" // another port is the same address
	if a.blocked(guesser) == 0 || a.blocked(other) != 0 {
		t.Errorf("guesser waits %s, other %s", a.blocked(guesser), a.blocked(other))
	}
	forward(wrongSpan)
	if a.blocked(guesser) != 0 {
		t.Error("blocked for ever")
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"", " anna ", "Zoë 🚂", "a\nb", "\xff", strings.Repeat("é", 61)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := CheckName(s)
		if err != nil {
			return
		}
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsAny(name, "\n\r\x00") {
			t.Errorf("%q passed as %q", s, name)
		}
	})
}
