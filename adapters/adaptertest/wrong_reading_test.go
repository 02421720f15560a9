package adaptertest_test

import (
	"context"
	"slices"
	"strconv"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/adaptertest"
	"signalbox/adapters/adaptertest/memory"
	"signalbox/adapters/job"
)

// wrongReadings lists what an adapter may do wrong when it reads, under the case that must catch it.
func wrongReadings() map[adaptertest.Case]map[string]variant {
	return map[adaptertest.Case]map[string]variant{
		adaptertest.SameCursor: {
			"keeps its position to itself": {says: "though two runs are there", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: ownPosition(a)}
			})},
			"marks each reading": {says: "with nothing changed at the source", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				n := 0
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) { n++; o.Detail = strconv.Itoa(n) })}
			})},
		},
		adaptertest.Outage: {
			"takes an outage for silence": {says: "over a line that is down gave no error", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					if err != nil {
						return adapters.Batch{Next: c}, nil //nolint:nilerr // that is what is wrong with it
					}
					return b, nil
				}}
			})},
			"goes on from now after an outage": {says: "the end of run", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: lostInOutage(a)}
			})},
			"names runs anew after an outage": {says: "the end of run", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: renamed(a)}
			})},
		},
		adaptertest.Restart: {
			"begins at the end": {says: "the end of run", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: fromTheEnd(a)}
			})},
			"names runs by process": {says: "the end of run", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				h.made++
				mark := strconv.Itoa(h.made)
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) { o.Run.Native += "." + mark })}
			})},
		},
		adaptertest.MovesInTable: {
			"lets a finished run wait": {says: "the table does not allow it", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: append1(a, func(o job.Observation) (job.Observation, bool) {
					ended := o.State == job.Succeeded
					o.State, o.Ended = job.Queued, job.Moment{}
					return o, ended
				})}
			})},
			"calls a failure good": {says: "ended badly and is succeeded", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) {
					if o.State == job.Failed {
						o.State = job.Succeeded
					}
				})}
			})},
			"reports an end time of a running run": {says: "an end time in state", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) { o.Ended = o.At })}
			})},
			"counts no attempts": {says: "the second attempt", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) { o.Attempt = 1 })}
			})},
		},
		adaptertest.UnknownStatus: {
			"takes what it does not know for failed": {says: "is reported as failed", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) {
					if o.State == job.Unknown {
						o.State, o.Reason = job.Failed, job.None
					}
				})}
			})},
			"drops what it does not know": {says: "the run in an odd state", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					b.Observations = slices.DeleteFunc(b.Observations, func(o job.Observation) bool { return o.State == job.Unknown })
					return b, err
				}}
			})},
		},
		adaptertest.ZoneEdges: {
			"reads local times without the offset": {says: "want 2025-10-26 00:30:00", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) {
					o.Started, o.Ended = guess(h.t, o.Started), guess(h.t, o.Ended)
				})}
			})},
			"takes local times for UTC": {says: "want 2025-01-10 12:00:00", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) {
					o.Started.At = o.Started.At.Add(time.Hour)
				})}
			})},
		},
		adaptertest.ClockSkew: {
			"tells its own time": {says: "source time is", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: func(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
					b, err := a.Poll(ctx, c)
					b.SourceTime = time.Now().UTC()
					return b, err
				}}
			})},
			"corrects the source's times": {says: "time of the start is", make: wrap(func(h *harness, a *memory.Adapter) wrong {
				return wrong{Adapter: a, poll: amend(a, func(o *job.Observation) { o.Started = job.At(time.Now()) })}
			})},
		},
	}
}
