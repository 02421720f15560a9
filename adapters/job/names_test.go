package job_test

import (
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]job.Ref{
		"mvs/GLEXTR":       {Source: "mvs", Job: "GLEXTR"},
		"findb/Load GL":    {Source: "findb", Job: "Load GL"},
		"etl/dags/a/b #1":  {Source: "etl", Job: "dags/a/b #1"},
		"etl//leading":     {Source: "etl", Job: "/leading"},
		"host/with@at%25#": {Source: "host", Job: "with@at%25#"},
	} {
		got, err := job.ParseRef(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "mvs", "mvs/", "/job", "mvs/ "} {
		if got, err := job.ParseRef(text); err == nil {
			t.Errorf("%q: %+v and no error", text, got)
		}
	}
}

func TestParseRunKey(t *testing.T) {
	t.Parallel()
	for _, key := range []job.RunKey{
		{Source: "mvs", Job: "GLEXTR", Native: "JOB00042", Epoch: "2025-03-30T01:00:00Z"},
		{Source: "findb", Job: "Load GL #2 @night 100%", Native: "a@b#c%40"},
		{Source: "etl", Job: "a/b/c", Native: "/x/y"},
		{Source: "etl", Job: "%23", Native: "%2523"},
	} {
		got, err := job.ParseRunKey(key.String())
		if err != nil || got != key {
			t.Errorf("%s: %+v, %v, want %+v", key, got, err, key)
		}
		if got.Ref() != (job.Ref{Source: key.Source, Job: key.Job}) || got.IsZero() {
			t.Errorf("%s: ref %s", key, got.Ref())
		}
	}
	for _, text := range []string{"", "a/b", "a/b#", "#1", "a#1", "a/#1", "a/b#@2025-03-30T01:00:00Z"} {
		if got, err := job.ParseRunKey(text); err == nil {
			t.Errorf("%q: %+v and no error", text, got)
		}
	}
}

// FuzzParseRef: what is read is written as it was.
func FuzzParseRef(f *testing.F) {
	f.Add("mvs/GLEXTR")
	f.Add("a//b")
	f.Add("/")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := job.ParseRef(text); err == nil && r.String() != text {
			t.Errorf("%q became %q", text, r)
		}
	})
}

// FuzzParseRunKey: reading and writing lose nothing.
func FuzzParseRunKey(f *testing.F) {
	f.Add("mvs/GLEXTR#JOB00042@2025-03-30T01:00:00Z")
	f.Add("a/%23%40%25#%2523")
	f.Add("a/b@c#d@e@f#g")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := job.ParseRunKey(text)
		if err != nil {
			return
		}
		if again, err := job.ParseRunKey(key.String()); err != nil || again != key {
			t.Errorf("%q is %+v, written %q, and read again %+v, %v", text, key, key, again, err)
		}
	})
}

// FuzzRunKey: every key that Check allows survives being written, whatever the source's ids look like.
func FuzzRunKey(f *testing.F) {
	f.Add("Load GL", "a@b#c", "")
	f.Add("%", "%25", "2025-03-30T01:00:00Z")
	f.Fuzz(func(t *testing.T, name, native, epoch string) {
		if strings.TrimSpace(name) == "" || native == "" {
			return
		}
		key := job.RunKey{Source: "src", Job: name, Native: native, Epoch: epoch}
		if got, err := job.ParseRunKey(key.String()); err != nil || got != key {
			t.Errorf("%+v, written %q, is read as %+v, %v", key, key, got, err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := func() job.Observation {
		return job.Observation{Run: job.RunKey{Source: "s", Job: "j", Native: "1"}, Attempt: 1, State: job.Running}
	}
	for name, tc := range map[string]struct {
		spoil func(*job.Observation)
		text  string // empty = allowed
	}{
		"as it is":           {func(*job.Observation) {}, ""},
		"no source":          {func(o *job.Observation) { o.Run.Source = "" }, "are required"},
		"no job":             {func(o *job.Observation) { o.Run.Job = "" }, "are required"},
		"no id":              {func(o *job.Observation) { o.Run.Native = "" }, "are required"},
		"bridge's state":     {func(o *job.Observation) { o.State = job.Expected }, `state "expected"`},
		"no state":           {func(o *job.Observation) { o.State = "" }, `state ""`},
		"odd reason":         {func(o *job.Observation) { o.Reason = "bored" }, `reason "bored"`},
		"unknown, no reason": {func(o *job.Observation) { o.State = job.Unknown }, "without a reason"},
		"unknown, reason":    {func(o *job.Observation) { o.State, o.Reason = job.Unknown, job.NotSeen }, ""},
		"over while running": {func(o *job.Observation) { o.Over = true }, "over in state"},
		"over and failed":    {func(o *job.Observation) { o.Over, o.State = true, job.Failed }, ""},
		"attempt 0":          {func(o *job.Observation) { o.Attempt = 0 }, "attempt 0"},
		"end before the end": {func(o *job.Observation) { o.Ended = job.At(base) }, "an end time"},
		"bad date":           {func(o *job.Observation) { o.BusinessDate = "2025-02-29" }, "business date"},
		"good date":          {func(o *job.Observation) { o.BusinessDate = "2024-02-29" }, ""},
		"year 10000":         {func(o *job.Observation) { o.Planned = job.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) }, "cannot be written"},
		"unsorted outputs":   {func(o *job.Observation) { o.Outputs = []job.Output{{Name: "b"}, {Name: "a"}} }, "ascending"},
		"output twice":       {func(o *job.Observation) { o.Outputs = []job.Output{{Name: "a"}, {Name: "a"}} }, "each once"},
		"outputs":            {func(o *job.Observation) { o.Outputs = []job.Output{{Name: "a"}, {Name: "b"}} }, ""},
	} {
		o := good()
		tc.spoil(&o)
		err := o.Check()
		if (err == nil) != (tc.text == "") || err != nil && !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %v, want %q", name, err, tc.text)
		}
	}
	both := good()
	both.Attempt, both.Run.Job = 0, ""
	if err := both.Check(); err == nil || !strings.Contains(err.Error(), "attempt") || !strings.Contains(err.Error(), "required") {
		t.Errorf("two faults, and only this is said: %v", err)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, r := range append(job.Reasons(), job.None) {
		if !r.Valid() {
			t.Errorf("reason %q is not valid", r)
		}
	}
	if job.Reason("bored").Valid() {
		t.Errorf("any reason is valid")
	}
	for c, want := range map[job.Cause]bool{job.CauseManual: true, job.CauseSchedule: false, job.CauseBridge: false, job.CauseUnknown: false} {
		if c.AdHoc() != want {
			t.Errorf("cause %q: ad hoc %t", c, !want)
		}
	}
	if got := (job.End{Kind: job.ExitCode, Code: "3"}).String(); got != "exit_code 3" {
		t.Errorf("end %q", got)
	}
	if got := (job.End{}).String(); got != "" {
		t.Errorf("no end is written %q", got)
	}
}
