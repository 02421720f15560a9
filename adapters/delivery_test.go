package adapters_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// TestCursorAfterTake: the source goes on behind a cursor only when the sink has taken it.
func TestCursorAfterTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ context.Context, n int, c adapters.Cursor) (adapters.Batch, error) {
			return batch(string(c)+"x", ran(fmt.Sprint(len(c)), job.Running)), nil
		}}
		b := &bench{t: t, src: source(t, f, adapters.SourceOptions{}), sink: &sink{refuse: errors.New("disk full")}}
		b.run(adapters.Cursor("a"))
		pass(10 * time.Second)
		if n := f.count(); n < 3 {
			t.Errorf("%d polls while the sink refuses", n)
		}
		for i, c := range f.cursors {
			if c != "a" {
				t.Errorf("poll %d from cursor %q though nothing was taken", i+1, c)
			}
		}
		if h := b.src.Health(); h.Contact.Blind || h.Failures != 0 {
			t.Errorf("that the sink refuses is not the peer's failure: %+v", h)
		}
		b.sink.setRefuse(nil)
		pass(time.Minute)
		got := b.sink.batches()
		if len(got) < 2 || string(got[0].Next) != "ax" || string(got[1].Next) != "axx" || len(got[0].Observations) != 1 {
			t.Fatalf("taken: %+v", got)
		}
		b.end()
		if last := f.cursors[len(f.cursors)-1]; last != string(got[len(got)-2].Next) {
			t.Errorf("the last poll was from %q, and the batch before led to %q", last, got[len(got)-2].Next)
		}
	})
}

// TestUnchangedSnapshot: a source that repeats its state causes no writes, and is seen all the same.
func TestUnchangedSnapshot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		state := holding(job.Running)
		f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
			var all []job.Observation
			for i := range 5_000 { // more than the smallest memory holds
				all = append(all, ran(fmt.Sprint(i), job.Running))
			}
			all[77].State = state.get()
			return batch("", all...), nil
		}}
		b := start(t, f, adapters.SourceOptions{})
		pass(5 * time.Minute)
		if got := b.sink.batches(); len(got) != 1 || len(got[0].Observations) != 5_000 {
			t.Errorf("%d batches of an unchanged snapshot, want 1", len(got))
		}
		h := b.src.Health()
		if time.Since(h.LastSeen) > 31*time.Second || len(b.sink.told()) != 1 {
			t.Errorf("last seen %s, contacts %v", h.LastSeen, b.sink.told())
		}
		for i, next := range []job.State{job.Held, job.Running} {
			state.set(next)
			pass(time.Minute)
			got := b.sink.batches()
			if len(got) != i+2 || len(got[i+1].Observations) != 1 || got[i+1].Observations[0].State != next {
				t.Errorf("after one of 5,000 runs became %s: %d batches", next, len(got))
			}
		}
	})
}

// TestEmptyMove: a cursor that moves without news is kept, and so is a gap.
func TestEmptyMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ context.Context, n int, c adapters.Cursor) (adapters.Batch, error) {
			switch n {
			case 1, 2:
				return batch(fmt.Sprint(n), ran("1", job.Running)), nil
			case 3:
				b := batch("2")
				b.Gaps = []adapters.Gap{{What: "12 records lost"}}
				return b, nil
			}
			return batch("2"), nil
		}}
		b := start(t, f, adapters.SourceOptions{})
		pass(5 * time.Minute)
		got := b.sink.batches()
		if len(got) != 3 || len(got[1].Observations) != 0 || string(got[1].Next) != "2" || len(got[2].Gaps) != 1 {
			t.Errorf("taken: %+v", got)
		}
	})
}

// TestStamp: sightings are filled here, and times are brought to UTC.
func TestStamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		zone := time.FixedZone("", 3600)
		f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
			one, two := ran("1", job.Queued), ran("1", job.Running)
			one.Sighting.Payload = job.Sum([]byte("raw"))
			two.Started = job.Moment{At: time.Now().In(zone)}
			two.Detail = "broken \xff byte"
			b := batch("1", one, two)
			b.SourceTime = time.Now().Add(7 * time.Minute)
			return b, nil
		}}
		src := source(t, f, adapters.SourceOptions{Node: "n1"})
		b, err := src.Poll(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		one, two := b.Observations[0], b.Observations[1]
		if one.Sighting.Node != "n1" || one.Sighting.Seen.Location() != time.UTC || one.Sighting.Payload.IsZero() {
			t.Errorf("sighting %+v", one.Sighting)
		}
		if one.Sighting.OffsetMS == nil || *one.Sighting.OffsetMS != 7*60*1000 {
			t.Errorf("offset %v, want 7 min", one.Sighting.OffsetMS)
		}
		if !two.Sighting.Seen.After(one.Sighting.Seen) {
			t.Errorf("the order of the batch is lost: seen %s and %s", one.Sighting.Seen, two.Sighting.Seen)
		}
		if two.Started.At.Location() != time.UTC || two.Detail != "broken \uFFFD byte" {
			t.Errorf("not cleaned: %+v", two)
		}
		var run job.Run
		for _, o := range []job.Observation{two, one} {
			run, _ = job.Merge(run, &o, o.Fingerprint())
		}
		if run.State() != job.Running {
			t.Errorf("queued, then running, in one batch and without times: %s", run.State())
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestBadObservation: one bad observation refuses the whole batch.
func TestBadObservation(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*job.Observation){
		"foreign source": func(o *job.Observation) { o.Run.Source = "other" },
		"bridge's state": func(o *job.Observation) { o.State = job.Waiting },
		"no attempt":     func(o *job.Observation) { o.Attempt = 0 },
		"far future":     func(o *job.Observation) { o.At = job.At(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
					good, bad := ran("1", job.Running), ran("2", job.Running)
					spoil(&bad)
					return batch("1", good, bad), nil
				}}
				b := start(t, f, adapters.SourceOptions{})
				pass(10 * time.Second)
				if got := b.sink.batches(); len(got) != 0 {
					t.Errorf("taken: %+v", got)
				}
				h := b.src.Health()
				if h.Contact.Kind != adapters.Malformed || h.Stopped || h.Polls < 3 || !strings.Contains(h.Contact.Error, "observation 2 of 2") {
					t.Errorf("health: %+v", h)
				}
			})
		})
	}
}

// TestContact: the sink hears of changes, not of each poll.
func TestContact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ context.Context, n int, c adapters.Cursor) (adapters.Batch, error) {
			switch {
			case n <= 2 || n > 8:
				return adapters.Batch{Next: c}, nil
			case n <= 5:
				return adapters.Batch{}, unavailable()
			case n <= 7:
				return adapters.Batch{}, adapters.Errorf(adapters.Malformed, "poll", "mvs", "not JSON")
			}
			return adapters.Batch{}, unavailable()
		}}
		b := start(t, f, adapters.SourceOptions{})
		pass(10 * time.Minute)
		at := f.polls()
		type want struct {
			blind bool
			kind  adapters.Kind
			since time.Time
		}
		wants := []want{
			{false, "", at[0]},
			{true, adapters.Unavailable, at[1]},
			{true, adapters.Malformed, at[1]},
			{true, adapters.Unavailable, at[1]},
			{false, "", at[8]},
		}
		got := b.sink.told()
		if len(got) != len(wants) {
			t.Fatalf("%d contacts, want %d: %+v", len(got), len(wants), got)
		}
		for i, w := range wants {
			if c := got[i]; c.Blind != w.blind || c.Kind != w.kind || !c.Since.Equal(w.since) || (c.Error != "") != w.blind {
				t.Errorf("contact %d is %+v, want %+v", i, c, w)
			}
		}
	})
}

// TestNeverSeen: a source that was never reached does not claim a time since when it is blind.
func TestNeverSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
			return adapters.Batch{}, unavailable()
		}}
		b := start(t, f, adapters.SourceOptions{})
		pass(time.Hour)
		if got := b.sink.told(); len(got) != 1 || !got[0].Blind || !got[0].Since.IsZero() {
			t.Errorf("contacts: %+v", got)
		}
	})
}

// TestOffset: the median of the last five, without the answers that took too long.
func TestOffset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type sample struct{ off, trip time.Duration }
		samples := []sample{
			{time.Second, 0},
			{3 * time.Second, time.Second},
			{time.Hour, 0},
			{2 * time.Second, 500 * time.Millisecond},
			{9 * time.Minute, 3 * time.Second},
			{2500 * time.Millisecond, 0},
			{0, 0},
		}
		f := &fake{answer: func(_ context.Context, n int, c adapters.Cursor) (adapters.Batch, error) {
			s := samples[n-1]
			<-time.After(s.trip / 2)
			b := adapters.Batch{Next: c, SourceTime: time.Now().Add(s.off)}
			<-time.After(s.trip - s.trip/2)
			return b, nil
		}}
		src := source(t, f, adapters.SourceOptions{})
		want := []int64{1000, 2000, 3000, 2500, 2500, 2500, 2500} // ms
		for i := range samples {
			if _, err := src.Poll(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got := src.Health().Offset; got == nil || got.Milliseconds() != want[i] {
				t.Errorf("offset after %d polls: %v, want %d ms", i+1, got, want[i])
			}
		}
	})
}

// TestRedaction: no form of a secret leaves the source, and what was not a secret stays.
func TestRedaction(t *testing.T) {
	t.Parallel()
	const secret = `p@ss/wörd+"1"`
	forms := map[string]string{
		"plain": secret, "query": "p%40ss%2Fw%C3%B6rd%2B%221%22", "path": "p@ss%2Fw%C3%B6rd+%221%22",
		"json": `p@ss/wörd+\"1\"`, "basic auth": "b3BzOnBAc3Mvd8O2cmQrIjEi", // ops:SECRET
		"base64": "cEBzcy93w7ZyZCsiMSI=",
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logs bytes.Buffer
				text, want := "before "+form+" after", "before [redacted] after"
				if name == "basic auth" {
					want = "before b3BzOn[redacted] after" // the user stays
				}
				f := &fake{answer: func(_ context.Context, n int, _ adapters.Cursor) (adapters.Batch, error) {
					if n == 2 {
						inner := errors.New("dial: " + text)
						return adapters.Batch{}, &adapters.Error{Kind: adapters.Unavailable, Op: "poll", Subject: text, Fix: text, Err: fmt.Errorf("deep: %w", inner)}
					}
					if n == 3 {
						panic(text)
					}
					o := ran("1", job.Running)
					o.Detail, o.NativeState, o.At.Text, o.At.At = text, text, text, time.Now()
					o.Outputs = []job.Output{{Name: "n", Type: "string", Value: text}}
					b := batch("1", o)
					b.Gaps = []adapters.Gap{{What: text}}
					return b, nil
				}}
				a := &able{fake: f, log: adapters.Log{Text: text}, list: func() (adapters.Listing, error) {
					return adapters.Listing{
						Jobs:     []job.Job{{Ref: job.Ref{Source: "mvs", Job: "j"}, Command: text, Problems: []string{text}}},
						Problems: []adapters.Problem{{What: text}},
					}, nil
				}}
				b := start(t, a, adapters.SourceOptions{Redact: []string{secret, ""}, Log: slog.New(slog.NewTextHandler(&logs, nil))})
				pass(time.Minute)
				l, err := b.src.ReadLog(t.Context(), job.RunKey{Source: "mvs", Job: "j", Native: "1"}, 1000)
				if err != nil || l.Text != want {
					t.Errorf("log %q, %v", l.Text, err)
				}
				b.end()
				all := fmt.Sprintf("%+v\n%+v\n%+v\n%s", b.sink.batches(), b.sink.listings, b.sink.told(), logs.String())
				if strings.Contains(all, form) {
					t.Errorf("the secret is out:\n%s", all)
				}
				if n := strings.Count(all, want); n < 12 {
					t.Errorf("%d redacted texts: something was lost:\n%s", n, all)
				}
			})
		})
	}
}

// TestListing: definitions are listed first, when told, and every ten minutes, and delivered when they
// differ.
func TestListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lists, version, changed, fail := holding(0), holding("1"), holding(false), holding[error](nil)
		f := &fake{answer: func(_ context.Context, _ int, c adapters.Cursor) (adapters.Batch, error) {
			b := adapters.Batch{Next: c, JobsChanged: changed.get()}
			changed.set(false)
			return b, nil
		}}
		a := &able{fake: f, list: func() (adapters.Listing, error) {
			lists.set(lists.get() + 1)
			return adapters.Listing{Jobs: []job.Job{{Ref: job.Ref{Source: "mvs", Job: "j"}, Version: version.get()}}}, fail.get()
		}}
		b := start(t, a, adapters.SourceOptions{})
		pass(9 * time.Minute)
		if lists.get() != 1 || len(b.sink.listings) != 1 {
			t.Errorf("%d listings read, %d delivered at first", lists.get(), len(b.sink.listings))
		}
		pass(61 * time.Minute)
		if lists.get() != 7 || len(b.sink.listings) != 1 {
			t.Errorf("%d listings read, %d delivered in 70 min without change, want 7 and 1", lists.get(), len(b.sink.listings))
		}
		changed.set(true)
		version.set("2")
		pass(time.Minute)
		if lists.get() != 8 || len(b.sink.listings) != 2 {
			t.Errorf("%d listings read, %d delivered after a change, want 8 and 2", lists.get(), len(b.sink.listings))
		}
		fail.set(adapters.Errorf(adapters.Denied, "list", "mvs", "no right to list"))
		changed.set(true)
		pass(9 * time.Minute)
		h := b.src.Health()
		if lists.get() != 9 || h.Contact.Blind || h.Stopped || !strings.Contains(h.ListError, "no right to list") {
			t.Errorf("%d listings read; health when they are denied: %+v", lists.get(), h)
		}
		fail.set(nil)
		pass(11 * time.Minute)
		if h := b.src.Health(); h.ListError != "" {
			t.Errorf("health when they are allowed again: %+v", h)
		}
	})
}

func TestBadListing(t *testing.T) {
	t.Parallel()
	named := func(source string, keys ...string) []job.Job {
		var all []job.Job
		for _, k := range keys {
			all = append(all, job.Job{Ref: job.Ref{Source: source, Job: k}})
		}
		return all
	}
	for name, jobs := range map[string][]job.Job{
		"not sorted": named("mvs", "b", "a"), "twice": named("mvs", "a", "a"),
		"foreign": named("other", "a"), "no key": named("mvs", " "),
	} {
		a := &able{fake: &fake{}, list: func() (adapters.Listing, error) { return adapters.Listing{Jobs: jobs}, nil }}
		_, err := source(t, a, adapters.SourceOptions{}).List(t.Context())
		if adapters.KindOf(err) != adapters.Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestContactIsToldAgain: a sink that could not take a contact hears of it later.
func TestContactIsToldAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := &deafSink{deaf: holding(true)}
		src := source(t, &fake{}, adapters.SourceOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- src.Run(ctx, nil, deaf) }()
		pass(time.Minute)
		deaf.deaf.set(false)
		pass(time.Minute)
		cancel()
		if err := <-done; err != nil || len(deaf.told()) != 1 {
			t.Errorf("run: %v; contacts taken: %+v", err, deaf.told())
		}
	})
}

type deafSink struct {
	sink
	deaf *cell[bool]
}

func (s *deafSink) TakeContact(ctx context.Context, source string, c adapters.Contact) error {
	if s.deaf.get() {
		return errors.New("busy")
	}
	return s.sink.TakeContact(ctx, source, c)
}

// TestCopies: what an adapter keeps for itself is not changed by the source.
func TestCopies(t *testing.T) {
	t.Parallel()
	own := []job.Observation{ran("1", job.Running)}
	own[0].Outputs = []job.Output{{Name: "n", Value: "hunter2"}}
	before := slices.Clone(own)
	f := &fake{answer: func(context.Context, int, adapters.Cursor) (adapters.Batch, error) {
		return adapters.Batch{Observations: own}, nil
	}}
	b, err := source(t, f, adapters.SourceOptions{Redact: []string{"hunter2"}}).Poll(t.Context(), nil)
	if err != nil || b.Observations[0].Outputs[0].Value != "[redacted]" {
		t.Fatalf("%+v, %v", b, err)
	}
	if own[0].Outputs[0].Value != "hunter2" || own[0].Sighting != before[0].Sighting {
		t.Errorf("the adapter's own observation was changed: %+v", own[0])
	}
}
