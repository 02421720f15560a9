package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/adaptertest"
	"signalbox/adapters/adaptertest/memory"
)

// wrongManners lists what an adapter may do wrong when it starts jobs, when the line goes bad, and as a
// guest, under the case that must catch it.
func wrongManners() map[adaptertest.Case]map[string]variant {
	return map[adaptertest.Case]map[string]variant{
		adaptertest.OneToken: {
			"keeps the token to itself": {says: "the peer started 0 runs", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, start: func(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
					req.Token = "t" + strconv.FormatInt(time.Now().UnixNano(), 36)
					return a.Start(ctx, req)
				}}
			})},
			"searches and starts in two steps": {says: "was sent several times and the peer started 4 runs", class: adapters.StartSearchable, make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, start: startTwice(a, h.peer)}
			})},
			"finds what was never sent": {says: "present that was never sent", class: adapters.StartSearchable, make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, find: func(context.Context, string) (adapters.Finding, error) {
					return adapters.Finding{Found: adapters.FoundPresent}, nil
				}}
			})},
			"cannot start but says it can": {says: "no error, want [unsupported]", class: adapters.StartNone, make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, start: func(context.Context, adapters.StartRequest) (adapters.Started, error) {
					return adapters.Started{}, nil
				}}
			})},
		},
		adaptertest.LostAnswer: {
			"sends again with another token": {says: "one call gave 2 runs", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, start: func(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
					st, err := a.Start(ctx, req)
					if err != nil {
						req.Token += "x"
						return a.Start(ctx, req)
					}
					return st, nil
				}}
			})},
			"sends again by itself": {says: "the peer started 2 runs for one call", class: adapters.StartInDoubt, make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, start: func(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
					st, err := a.Start(ctx, req)
					if err != nil {
						return a.Start(ctx, req)
					}
					return st, nil
				}}
			})},
			"says that nothing happened": {says: "surely nothing happened", class: adapters.StartInDoubt, make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, start: func(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
					st, err := a.Start(ctx, req)
					if err != nil {
						err = &adapters.Error{Kind: adapters.Unavailable, Op: "start", Effect: adapters.EffectNone, Err: err}
					}
					return st, err
				}}
			})},
			"says that the token is absent": {says: "it would be started twice", class: adapters.StartSearchable, make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, find: func(context.Context, string) (adapters.Finding, error) {
					return adapters.Finding{Found: adapters.FoundAbsent}, nil
				}}
			})},
		},
		adaptertest.Cancellation: {
			"waits for the peer, not for the context": {says: "did not return within", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					return a.Poll(context.WithoutCancel(ctx), c)
				}}
			})},
			"takes the end of its context for an empty answer": {says: "cancelled gave no error", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					if ctx.Err() != nil {
						return adapters.Batch{Next: c}, nil //nolint:nilerr // that is what is wrong with it
					}
					return b, err
				}}
			})},
		},
		adaptertest.LineRefused:  {"calls it malformed": {says: "want [unavailable]", make: wrap(rekind(adapters.Unavailable, adapters.Malformed))}},
		adaptertest.LineSlow:     {"calls it denied": {says: "want [unavailable]", make: wrap(rekind(adapters.Unavailable, adapters.Denied))}},
		adaptertest.LineGarbage:  {"calls it unavailable": {says: "want [malformed]", make: wrap(rekind(adapters.Malformed, adapters.Unavailable))}},
		adaptertest.LinePassword: {"would try again": {says: "want [denied]", make: wrap(rekind(adapters.Denied, adapters.Unavailable))}},
		adaptertest.LineTruncated: {
			"takes the part for the whole": {says: "no error, want [malformed unavailable]", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					if adapters.KindOf(err) == adapters.Malformed {
						return adapters.Batch{Next: adapters.Cursor("4")}, nil
					}
					return b, err
				}}
			})},
		},
		adaptertest.NoSecrets: {
			"tells the password in an error": {says: "holds secret 1", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					if err != nil {
						err = adapters.Errorf(adapters.KindOf(err), "poll", "mem", "login as ops:%s: %w", h.cfg.Password, err)
					}
					return b, err
				}}
			})},
			"logs the password": {says: "the log holds secret 1", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					fmt.Fprintln(h.logs, "login with", h.cfg.Password)
					return a.Poll(ctx, c)
				}}
			})},
			"hides the password deep in an error": {says: "holds secret 1", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					if err != nil {
						err = adapters.Errorf(adapters.KindOf(err), "poll", "mem", "no login: %w", quiet{errors.New(h.cfg.Password)})
					}
					return b, err
				}}
			})},
		},
		adaptertest.WatchOnly: {
			"touches a job with each poll": {says: "changing commands", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					if _, err := h.peer.Serve(ctx, memory.Request{Password: h.cfg.Password, Verb: "unhold", Args: []string{"extract"}}); err != nil {
						return adapters.Batch{}, err
					}
					return a.Poll(ctx, c)
				}}
			})},
		},
		adaptertest.InBudget: {
			"asks for each run again": {says: "the cost grows with history", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: eachRun(h, a)}
			})},
			"asks three things at once": {says: "at the same time", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				h.peer.SetLatency(10 * time.Millisecond)
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					var wg sync.WaitGroup
					for range 3 {
						wg.Go(func() {
							if _, err := a.List(ctx); err != nil {
								h.t.Error(err)
							}
						})
					}
					wg.Wait()
					return a.Poll(ctx, c)
				}}
			})},
		},
		adaptertest.NoGoroutine: {
			"keeps a goroutine": {says: "are left", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					go func() { <-h.t.Context().Done() }()
					return a.Poll(ctx, c)
				}}
			})},
			"fails when closed twice": {says: "closed already", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				n := 0
				return wrong{Adapter: a, close: func() error {
					if n++; n > 1 {
						return errors.New("closed already")
					}
					return nil
				}}
			})},
		},
	}
}
