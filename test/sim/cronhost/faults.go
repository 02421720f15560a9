package cronhost

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Faults is the temper of a host: what is zero behaves well. It is set as a whole with
// [Host.SetFaults] while the host runs and takes effect at once, for connections that are open too
// where that makes sense.
type Faults struct {
	Refuse         bool          // nobody listens: "connection refused"; open connections stay, see Host.DropConnections
	Silent         bool          // new connections are accepted and never hear a word, until lifted
	Stall          bool          // every connection freezes both ways, as behind a stopped server, until lifted
	Latency        time.Duration // what arrives is acted on so much later: about one round trip
	BytesPerSecond int           // at most so much is sent on a connection; 0 = no limit
	DenyAuth       bool          // no key is good enough
	OtherHostKey   bool          // new connections meet a host with other keys
	MaxSessions    int           // sessions on one connection, more are refused; 0 = 10, as OpenSSH
	MaxStartups    int           // connections not yet logged in, more are reset; 0 = no limit
	NoSFTP         bool          // no sftp subsystem
	NoiseBefore    string        // what a login shell prints on standard output before each command
	NoiseAfter     string        // and after it
	CronDown       bool          // the cron daemon does not run: minutes pass without jobs
	Rules          []Rule        // what happens to single commands; the first that matches is it
}

// Rule makes commands fail. A command matches when its line, or what came on its standard input so far
// (the first 64 KiB), holds Match.
type Rule struct {
	Match string // empty = every command
	Do    Action //
	Bytes int    // for Truncate: bytes of standard output that get through
	Until string // for DropAfter: drop as soon as the command printed this; empty = when it ended
	Times int    // good for so many commands; 0 = until the faults are set anew
}

// Action is what a [Rule] does.
type Action string

// The actions.
const (
	// DropBefore closes the connection and the command is not run. Where the match is on standard input
	// the shell runs already but gets nothing of the packet (at most 32 KiB) that completed the match.
	DropBefore Action = "drop_before"
	// DropAfter runs the command, keeps its answer, and closes the connection once it took effect.
	DropAfter Action = "drop_after"
	// Mute runs the command and keeps its answer for ever; the connection stays.
	Mute Action = "mute"
	// Truncate closes the session after so many bytes of standard output, without an exit status.
	Truncate Action = "truncate"
)

func (f *Faults) check() error {
	for i, r := range f.Rules {
		switch r.Do {
		case DropBefore, DropAfter, Mute, Truncate:
		default:
			return fmt.Errorf("cronhost: fault rule %d: unknown action %q", i, r.Do)
		}
	}
	return nil
}

// temper keeps the faults in force. It is safe for use by many goroutines.
type temper struct {
	mu     sync.Mutex
	now    Faults
	left   []int         // uses left of each rule, -1 = no end
	stall  chan struct{} // closed when nothing stalls
	silent chan struct{} // closed when nothing is silent
}

func newTemper() *temper {
	t := &temper{stall: make(chan struct{}), silent: make(chan struct{})}
	close(t.stall)
	close(t.silent)
	return t
}

func (t *temper) set(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.Rules = append([]Rule(nil), f.Rules...)
	t.stall = gate(t.stall, t.now.Stall, f.Stall)
	t.silent = gate(t.silent, t.now.Silent, f.Silent)
	t.now = f
	t.left = make([]int, len(f.Rules))
	for i, r := range f.Rules {
		t.left[i] = r.Times
		if r.Times <= 0 {
			t.left[i] = -1
		}
	}
}

// gate gives a channel that is open while shut is set.
func gate(c chan struct{}, was, shut bool) chan struct{} {
	switch {
	case shut && !was:
		return make(chan struct{})
	case was && !shut:
		close(c)
	}
	return c
}

func (t *temper) faults() Faults {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.now
	f.Rules = append([]Rule(nil), f.Rules...)
	return f
}

// pace gives latency and bytes a second.
func (t *temper) pace() (time.Duration, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now.Latency, t.now.BytesPerSecond
}

// wait blocks while the gate that pick chooses is shut, or until done. It says whether to go on.
func (t *temper) wait(pick func(*temper) chan struct{}, done <-chan struct{}) bool {
	t.mu.Lock()
	c := pick(t)
	t.mu.Unlock()
	select {
	case <-c:
		return true
	case <-done:
		return false
	}
}

// hasRules says whether standard input is worth watching.
func (t *temper) hasRules() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.now.Rules) > 0
}

// take finds the first usable rule that any of the texts matches, and uses it up by one.
func (t *temper) take(text string) (Rule, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range t.now.Rules {
		if t.left[i] == 0 || !strings.Contains(text, r.Match) {
			continue
		}
		if t.left[i] > 0 {
			t.left[i]--
		}
		return r, true
	}
	return Rule{}, false
}
