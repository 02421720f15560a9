package job

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Ref names a job: the source as configured and the job as the source's adapter keys it. The job part
// may hold slashes and blanks; a source name may not hold a slash.
type Ref struct {
	Job    string `json:"job"`
	Source string `json:"source"`
}

// String gives "source/job", the form used in chains, in the API and on pages.
func (r Ref) String() string { return r.Source + "/" + r.Job }

// ParseRef reads "source/job". Everything behind the first slash is the job.
func ParseRef(s string) (Ref, error) {
	source, name, ok := strings.Cut(s, "/")
	if !ok || source == "" || strings.TrimSpace(name) == "" {
		return Ref{}, fmt.Errorf("job %q: want SOURCE/JOB", s)
	}
	return Ref{Source: source, Job: name}, nil
}

// RunKey identifies a run for ever. Native ids wrap around and are reused by some sources; those fill
// Epoch with the submit time, so that two runs with one native id stay two. Others leave it empty.
//
// Attempts are not part of the key: a repaired or restarted run is the same run, with a higher attempt.
type RunKey struct {
	Epoch  string `json:"epoch,omitempty"` // RFC 3339 UTC submit time, only where native ids are reused
	Job    string `json:"job"`
	Native string `json:"native"` // the source's own id, verbatim
	Source string `json:"source"`
}

// Ref is the job that the run belongs to.
func (k RunKey) Ref() Ref { return Ref{Source: k.Source, Job: k.Job} }

// IsZero tells whether no run is named.
func (k RunKey) IsZero() bool { return k == RunKey{} }

// String gives a form that [ParseRunKey] reads back: "source/job#native" or "source/job#native@epoch".
// It names the run in addresses and on the command line.
func (k RunKey) String() string {
	s := k.Source + "/" + runEscape.Replace(k.Job) + "#" + runEscape.Replace(k.Native)
	if k.Epoch != "" {
		s += "@" + k.Epoch
	}
	return s
}

var (
	runEscape   = strings.NewReplacer("%", "%25", "#", "%23", "@", "%40")
	runUnescape = strings.NewReplacer("%23", "#", "%40", "@", "%25", "%")
)

var errRunKey = errors.New("want SOURCE/JOB#NATIVE-ID")

// ParseRunKey reads what [RunKey.String] wrote.
func ParseRunKey(s string) (RunKey, error) {
	ref, rest, ok := strings.Cut(s, "#")
	if !ok || rest == "" {
		return RunKey{}, fmt.Errorf("run %q: %w", s, errRunKey)
	}
	r, err := ParseRef(ref)
	if err != nil {
		return RunKey{}, fmt.Errorf("run %q: %w", s, errRunKey)
	}
	native, epoch, _ := strings.Cut(rest, "@")
	if native == "" {
		return RunKey{}, fmt.Errorf("run %q: %w", s, errRunKey)
	}
	return RunKey{Source: r.Source, Job: runUnescape.Replace(r.Job), Native: runUnescape.Replace(native), Epoch: epoch}, nil
}

// Moment is a point in time as a source told it. The zero Moment is absent.
type Moment struct {
	At       time.Time `json:"at,omitzero"`        // UTC
	Inferred bool      `json:"inferred,omitempty"` // computed by us, for example "now minus elapsed"
	Text     string    `json:"text,omitempty"`     // the source's own text, where it is not RFC 3339 UTC
	Zone     string    `json:"zone,omitempty"`     // IANA zone that the text was read in; empty = UTC
}

// At makes a Moment of a time that the source told in UTC or with an offset.
func At(t time.Time) Moment { return Moment{At: t.UTC()} }

// IsZero tells whether the moment is absent.
func (m Moment) IsZero() bool { return m.At.IsZero() }

// Job is the definition of a job as its source lists it.
type Job struct {
	Ref
	Title     string   `json:"title,omitempty"`    // the source's own name, where it differs from the key
	Command   string   `json:"command,omitempty"`  // what it runs, secrets redacted
	Owner     string   `json:"owner,omitempty"`    // account or owner at the source
	Schedule  string   `json:"schedule,omitempty"` // the source's own text
	Zone      string   `json:"zone,omitempty"`     // IANA zone of the schedule
	Enabled   bool     `json:"enabled"`            // the native schedule will start it
	Wrapped   bool     `json:"wrapped"`            // its ends are known, not guessed
	Startable bool     `json:"startable"`          // we can start it
	Place     string   `json:"place,omitempty"`    // where it is defined: "crontab of ops, line 12"
	Problems  []string `json:"problems,omitempty"` // why the source ignores it, warnings
	Version   string   `json:"version,omitempty"`  // changes when the definition changes
	NextRun   Moment   `json:"next_run,omitzero"`  // as the source says; never computed here
}

// Output is a named value that a run produced, such as a record count.
type Output struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // string, int, decimal, bool, time
	Value string `json:"value"`
}
