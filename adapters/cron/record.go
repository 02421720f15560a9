package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/job"
)

// record is one line of the spool. Every record of a run repeats what was known of it, so that each
// stands alone.
type record struct {
	kind    byte // s start, e end, l lost: the runner was killed
	run     string
	sum     crontab.Sum // of the command
	started time.Time   // UTC
	written time.Time   // UTC
	cause   job.Cause
	token   string
	name    string // SB_JOB as the wrapper saw it
	code    int    // end: exit status
	signal  int    // end: signal that the exit status stands for, 0 = none
	stopped bool   // end: we asked it to stop
	fate    string // lost: gone or reboot
	raw     string
}

// readRecord reads a line. ok is false for a line that is torn or foreign.
func readRecord(line string) (r record, ok bool) {
	body, ok := strings.CutPrefix(line, "sb1 ")
	if !ok {
		return r, false
	}
	if body, ok = strings.CutSuffix(body, " ."); !ok {
		return r, false
	}
	fields, name, ok := strings.Cut(body, " j=")
	if !ok || len(fields) < 2 || fields[1] != ' ' || strings.Contains(line, "\x00") {
		return r, false
	}
	value := map[string]string{}
	for field := range strings.FieldsSeq(fields[2:]) {
		k, v, ok := strings.Cut(field, "=")
		if _, twice := value[k]; !ok || twice {
			return r, false
		}
		value[k] = v
	}
	r = record{kind: fields[0], raw: line, name: strings.TrimSpace(strings.ToValidUTF8(name, "\uFFFD"))}
	return r, r.identity(value) && r.ending(value)
}

// identity reads what all records of a run repeat.
func (r *record) identity(value map[string]string) bool {
	r.run, r.token = value["r"], strings.TrimPrefix(value["k"], "-")
	r.started, r.written = stampOf(value["s"]), stampOf(value["t"])
	switch value["c"] {
	case "schedule":
		r.cause = job.CauseSchedule
	case "bridge":
		r.cause = job.CauseBridge
	default:
		return false
	}
	if r.token != "" && !tokenForm.MatchString(r.token) {
		return false
	}
	var ok bool
	r.sum, ok = crontab.ParseSum(value["ck"])
	return ok && runForm.MatchString(r.run) && !r.started.IsZero() && !r.written.IsZero()
}

func (r *record) ending(value map[string]string) bool {
	var err error
	switch r.kind {
	case 's':
		return true
	case 'l':
		r.fate = value["f"]
		return r.fate == "gone" || r.fate == "reboot"
	case 'e':
		if r.code, err = strconv.Atoi(value["rc"]); err != nil {
			return false
		}
		if r.signal, err = strconv.Atoi(value["sig"]); err != nil {
			return false
		}
		r.stopped = value["stop"] == "1"
		return true
	}
	return false
}

// observe makes an observation of a record. key is the job that the run belongs to, seq the record's
// place in the spool.
func (r *record) observe(source, key string, seq int64) job.Observation {
	o := job.Observation{
		Run: job.RunKey{Source: source, Job: key, Native: r.run}, Attempt: 1, Seq: seq,
		Started: job.At(r.started), Token: r.token, Cause: r.cause, Confidence: job.Confirmed,
		Sighting: job.Sighting{Payload: job.Sum([]byte(r.raw))},
	}
	switch r.kind {
	case 's':
		o.State, o.NativeState, o.At = job.Running, "started", o.Started
	case 'e':
		o.At, o.Ended = job.At(r.written), job.At(r.written)
		r.end(&o)
	case 'l':
		perish(&o, r.fate)
	}
	return o
}

// end fills in how a run ended.
func (r *record) end(o *job.Observation) {
	o.NativeState = "rc=" + strconv.Itoa(r.code)
	o.End = job.End{Kind: job.ExitCode, Code: strconv.Itoa(r.code)}
	if r.signal > 0 {
		o.NativeState += " sig=" + strconv.Itoa(r.signal)
		o.End = job.End{Kind: job.Signal, Code: strconv.Itoa(r.signal)}
		o.Detail = fmt.Sprintf("exit status %d, taken for signal %d: a shell cannot tell the two apart", r.code, r.signal)
	}
	switch {
	case r.code == 0:
		o.State = job.Succeeded
	case r.stopped:
		o.State, o.Reason = job.Cancelled, job.ByOperator
	case r.signal > 0:
		o.State, o.Reason = job.Failed, job.Killed
	default:
		o.State = job.Failed
	}
}

// perish fills in what is known of a run whose runner is no more.
func perish(o *job.Observation, fate string) {
	o.NativeState = fate
	o.At = o.Started
	o.At.Inferred = true // when it went down is not told
	o.Confidence = job.Derived
	switch fate {
	case "reboot":
		o.State, o.Reason = job.Failed, job.LostAtReboot
		o.Detail = "the host was booted while it ran"
	case "orphan":
		o.State, o.Reason = job.Unknown, job.OutcomeUnknown
		o.Detail = "its runner was killed; the job still runs, and how it ends will not be known"
	default:
		o.State, o.Reason, o.Over = job.Unknown, job.OutcomeUnknown, true
		o.Detail = "its runner was killed before it could note the end"
	}
}
