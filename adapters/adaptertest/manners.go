package adaptertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime/pprof"
	"strings"
	"time"

	"signalbox/adapters"
)

// noSecrets: whatever goes wrong, no error, log, property or listing holds a credential.
func noSecrets(t T, h Harness) {
	line := need[Line](t, h)
	if len(h.Secrets()) == 0 {
		t.Fatalf("the harness names no secret: list the case in Gaps if the adapter uses none")
	}
	a := open(t, h)
	h.Finish(h.StartNative(h.Jobs()[0]))
	speak(t, h, "a sound line", a)
	for _, f := range []Fault{Refused, Slow, Truncated, Garbage, WrongPassword} {
		line.BreakLine(f)
		speak(t, h, string(f), a)
		speak(t, h, string(f)+" from the start", open(t, h))
		line.RestoreLine()
	}
	if logs, ok := h.(Logs); ok {
		silent(t, h, "the log", logs.Logged())
	}
}

// speak makes an adapter say what it can, and looks for secrets in that.
func speak(t T, h Harness, when string, a adapters.Adapter) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shortly)
	defer cancel()
	text := func(v any, err error) string {
		if err != nil {
			return chain(err)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T cannot be written as JSON: %v", v, err)
		}
		return string(raw)
	}
	silent(t, h, "a poll, "+when, text(a.Poll(ctx, nil)))
	silent(t, h, "the properties, "+when, text(a.Properties(), nil))
	if l, ok := a.(adapters.Lister); ok {
		silent(t, h, "the listing, "+when, text(l.List(ctx)))
	}
	if f, ok := a.(adapters.Finder); ok {
		silent(t, h, "find, "+when, text(f.Find(ctx, newToken())))
	}
}

// chain gives the text of an error and of all errors in it.
func chain(err error) string {
	text := fmt.Sprintf("%v\n%+v\n", err, err)
	if e, ok := errors.AsType[*adapters.Error](err); ok {
		text += e.Fix + "\n"
	}
	switch e := err.(type) { //nolint:errorlint // this walks the chain itself
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			text += chain(inner)
		}
	case interface{ Unwrap() []error }:
		parts := []string{text}
		for _, inner := range e.Unwrap() {
			parts = append(parts, chain(inner))
		}
		return strings.Join(parts, "\n")
	}
	return text
}

func silent(t T, h Harness, where, text string) {
	t.Helper()
	for i, s := range h.Secrets() {
		raw := []byte(s)
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s),
			base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds secret %d of the harness", where, i+1)
			}
		}
	}
}

// watchOnly: watching changes nothing at the peer, and a read-only source refuses to.
func watchOnly(t T, h Harness) {
	before := h.ChangingCommands()
	r := newReader(t, h)
	jobs := h.Jobs()
	h.Finish(h.StartNative(jobs[0]))
	run := r.newRun(jobs[0], nil, "an end", terminal)
	r.drain()
	src, err := adapters.NewSource(open(t, h), adapters.SourceOptions{Name: h.Source(), ReadOnly: true})
	if err != nil {
		t.Fatalf("source: %v", err)
	}
	ctx, can := t.Context(), src.Abilities()
	read := func(what string, able bool, err error) {
		t.Helper()
		if able && err != nil && adapters.KindOf(err) != adapters.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = src.Poll(ctx, nil)
	read("poll", true, err)
	_, err = src.List(ctx)
	read("list", can.List, err)
	_, err = src.Find(ctx, newToken())
	read("find", can.Find && r.a.Properties().Start == adapters.StartSearchable, err)
	_, err = src.ReadLog(ctx, run.Key, 1<<10)
	read("read log", can.ReadLog, err)
	_, err = src.Deploy(ctx, true)
	read("dry run of deploy", can.Deploy, err)

	refused := func(what string, able bool, err error) {
		t.Helper()
		if !able {
			wantKind(t, what, err, adapters.Unsupported)
			return
		}
		wantKind(t, what+" at a read-only source", err, adapters.Rejected)
	}
	_, err = src.Start(ctx, adapters.StartRequest{Token: newToken(), Job: jobs[0]})
	refused("start", can.Start, err)
	refused("cancel", can.Cancel, src.Cancel(ctx, run.Key))
	refused("hold", can.Hold, src.Hold(ctx, jobs[0]))
	refused("unhold", can.Hold, src.Unhold(ctx, jobs[0]))
	_, err = src.Deploy(ctx, false)
	refused("deploy", can.Deploy, err)
	_, err = src.Undeploy(ctx, false)
	refused("undeploy", can.Deploy, err)

	if n := h.ChangingCommands() - before; n != 0 {
		t.Errorf("the peer's own log shows %d changing commands, and we only watched", n)
	}
}

// inBudget: a poll that finds nothing costs the peer the same however long the history is, and no more
// calls run at a time than declared.
func inBudget(t T, h Harness) {
	meter := need[Meter](t, h)
	r := newReader(t, h)
	jobs := h.Jobs()
	history := func(n int) {
		for i := range n {
			jobKey := jobs[i%2]
			known := r.runs(jobKey)
			h.Finish(h.StartNative(jobKey))
			if r.a.Properties().Kind == adapters.EventSource {
				r.newRun(jobKey, known, "an end", terminal)
			}
		}
		r.drain()
	}
	idle := func() int {
		const polls = 5
		before := meter.Calls().Total
		for range polls {
			if _, err := r.poll(); err != nil {
				t.Fatalf("poll: %v", err)
			}
		}
		return meter.Calls().Total - before
	}
	history(2)
	short := idle()
	history(18)
	long := idle()
	if short == 0 {
		t.Errorf("five polls cost the peer no call at all: the meter of the harness does not count")
	}
	if long > short {
		t.Errorf("five polls that find nothing cost %d calls after 2 runs and %d after 20: the cost grows with history", short, long)
	}
	if l, ok := r.a.(adapters.Lister); ok {
		if _, err := l.List(t.Context()); err != nil {
			t.Errorf("list: %v", err)
		}
	}
	budget := max(r.a.Properties().Budget.Concurrent, 1)
	if peak := meter.Calls().Peak; peak > budget {
		t.Errorf("the peer served %d calls at the same time, and the adapter declares %d", peak, budget)
	}
}

// noGoroutine: Close leaves nothing behind, after trouble as well, and may be called at any time.
func noGoroutine(t T, h Harness) {
	line, broken := h.(Line)
	unused := h.Adapter()
	for range 2 {
		if err := unused.Close(); err != nil {
			t.Errorf("close of an adapter that was never used, or closed before: %v", err)
		}
	}
	label := newToken()
	pprof.Do(t.Context(), pprof.Labels("adaptertest", label), func(ctx context.Context) {
		a := h.Adapter()
		use(ctx, t, a)
		if broken {
			line.BreakLine(Slow)
			short, cancel := context.WithTimeout(ctx, shortly)
			if _, err := a.Poll(short, nil); err == nil {
				t.Errorf("a poll of a silent peer gave no error")
			}
			cancel()
			line.RestoreLine()
		}
		for range 2 {
			if err := a.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
	noneLeft(t, label)
}

// use makes the calls that any adapter allows.
func use(ctx context.Context, t T, a adapters.Adapter) {
	t.Helper()
	if _, err := a.Poll(ctx, nil); err != nil {
		t.Errorf("poll: %v", err)
	}
	if l, ok := a.(adapters.Lister); ok {
		if _, err := l.List(ctx); err != nil {
			t.Errorf("list: %v", err)
		}
	}
}

// noneLeft waits until no goroutine carries the label.
func noneLeft(t T, label string) {
	t.Helper()
	deadline := time.NewTimer(promptly)
	defer deadline.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		left := labelled(label)
		if left == "" {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("goroutines of the adapter are left %s after Close:\n%s", promptly, left)
		}
	}
}

// labelled gives the stacks of goroutines that carry the label: those that the adapter started, and
// those that these started.
func labelled(label string) string {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return "cannot list goroutines: " + err.Error()
	}
	var left []string
	for part := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(part, label) {
			left = append(left, part)
		}
	}
	return strings.Join(left, "\n\n")
}
