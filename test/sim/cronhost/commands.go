package cronhost

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
	"time"
)

// stdinHead is how much of a command's standard input the log keeps.
const stdinHead = 2048

// Kind says how a client asked for a command.
type Kind string

// The kinds of commands.
const (
	Exec      Kind = "exec"      // a command line
	Shell     Kind = "shell"     // a login shell without one
	Subsystem Kind = "subsystem" // sftp
)

// Command is what a client asked the host to do, and what it got.
type Command struct {
	Number      int       // 1, 2, 3 … in the order of arrival at this host
	Connection  int       // 1, 2, 3 … in the order of arrival at this host
	Session     int       // 1, 2, 3 … on its connection
	Kind        Kind      //
	Line        string    // command line, or the subsystem's name
	Stdin       int64     // bytes that came on standard input
	Stdout      int64     // bytes of standard output that got through, noise included
	Stderr      int64     // bytes of standard error that got through
	StdinHead   string    // the first 2 KiB of standard input
	StdinDigest string    // SHA-256 of standard input so far, hex
	Started     time.Time // real clock, UTC
	Ended       time.Time // real clock, UTC; zero while it runs
	Exit        string    // "exit 3", "signal KILL"; empty while it runs
	Fault       Action    // the rule that hit it; empty = none
}

// record is a command in the making.
type record struct {
	mu     sync.Mutex
	c      Command
	digest hash.Hash
}

// commandLog keeps the last commands of a host.
type commandLog struct {
	mu      sync.Mutex
	size    int
	total   int
	records []*record
}

func (l *commandLog) begin(c Command) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	c.Number = l.total
	c.Started = time.Now().UTC()
	r := &record{c: c, digest: sha256.New()}
	if len(l.records) >= l.size {
		l.records = append(l.records[:0], l.records[len(l.records)-l.size+1:]...)
	}
	l.records = append(l.records, r)
	return r
}

func (l *commandLog) list() []Command {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Command, len(l.records))
	for i, r := range l.records {
		out[i] = r.copy()
	}
	return out
}

func (r *record) copy() Command {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.c
	c.StdinDigest = hex.EncodeToString(r.digest.Sum(nil))
	return c
}

func (r *record) gotStdin(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.c.Stdin += int64(len(p))
	r.digest.Write(p)
	if room := stdinHead - len(r.c.StdinHead); room > 0 {
		r.c.StdinHead += string(p[:min(room, len(p))])
	}
}

func (r *record) sent(stdout bool, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stdout {
		r.c.Stdout += int64(n)
	} else {
		r.c.Stderr += int64(n)
	}
}

func (r *record) hit(a Action) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.c.Fault = a
}

func (r *record) end(exit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.c.Ended = time.Now().UTC()
	r.c.Exit = exit
}
