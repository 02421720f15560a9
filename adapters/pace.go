package adapters

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	day           = 24 * time.Hour
	longestWait   = time.Hour        // however long a peer's hint is
	firstBackoff  = time.Second      // doubled with each failure
	longestDelay  = time.Minute      // between two tries
	longestFast   = 15 * time.Second // the same while a chain waits
	breakerOpens  = 5                // failures in a row
	mostBurst     = 10               // polls at once, if the budget allows
	quietAttempts = 8                // windows that may follow one another
)

// pace says when to poll.
type pace struct {
	fast, slow time.Duration
	phase      float64 // from the name: where in the interval this source polls, in [0, 1)
	quiet      []QuietWindow
}

// check refuses quiet windows that make no sense.
func (p pace) check() error {
	for _, w := range p.quiet {
		if w.From < 0 || w.From > day || w.Until < 0 || w.Until > day || w.Location == nil {
			return fmt.Errorf("quiet window %s-%s: want times of day and a zone", w.From, w.Until)
		}
	}
	for m := range 24 * 60 {
		if _, quiet := p.quietUntil(time.Date(2024, 1, 17, 0, m, 0, 0, time.UTC)); !quiet {
			return nil
		}
	}
	return errors.New("the quiet windows leave no minute of the day: the source would never be polled")
}

// next is when to poll after a poll that was done at done: on this source's own grid, so that many
// sources spread evenly and none drifts, not before what the peer asked for, and outside quiet windows
// unless fast.
func (p pace) next(done time.Time, fast bool, hint time.Duration) time.Time {
	if fast {
		return p.grid(done, p.fast)
	}
	t := p.grid(done, p.slow)
	if earliest := done.Add(min(hint, longestWait)); t.Before(earliest) {
		t = earliest
	}
	return p.afterQuiet(t)
}

// grid is the first point of the grid behind t.
func (p pace) grid(t time.Time, interval time.Duration) time.Time {
	step := int64(interval)
	phase := int64(p.phase * float64(step))
	into := ((t.UnixNano()-phase)%step + step) % step
	return t.Add(time.Duration(step - into))
}

// afterQuiet is t, or if t is quiet the first grid point behind the quiet time.
func (p pace) afterQuiet(t time.Time) time.Time {
	moved := false
	for range quietAttempts {
		end, quiet := p.quietUntil(t)
		if !quiet {
			break
		}
		t, moved = end, true
	}
	if moved {
		return p.grid(t, p.slow) // not all sources at the same moment
	}
	return t
}

// quietUntil tells whether t lies in a quiet window and when that ends.
func (p pace) quietUntil(t time.Time) (time.Time, bool) {
	for _, w := range p.quiet {
		local := t.In(w.Location)
		y, m, d := local.Date()
		clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
			time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
		inside, days := w.From <= clock && clock < w.Until, 0
		if w.Until < w.From {
			inside = clock >= w.From || clock < w.Until
			if clock >= w.From {
				days = 1
			}
		}
		if !inside {
			continue
		}
		end := time.Date(y, m, d+days, 0, 0, 0, int(w.Until), w.Location)
		if end.After(t) {
			return t.Add(end.Sub(t)), true // keeps the monotonic clock
		}
	}
	return time.Time{}, false
}

// backoff is the delay before try number attempt, from 1, after failures in a row. Its jitter comes
// from the name and the attempt, so that it is the same in every run of a test and differs by source.
func backoff(name string, attempt int, fast bool) time.Duration {
	limit := longestDelay
	if fast {
		limit = longestFast
	}
	d := limit
	if attempt <= 6 { // 1 s << 6 is above the limit
		d = min(limit, firstBackoff<<(attempt-1))
	}
	return d/2 + time.Duration(shareOf(name, strconv.Itoa(attempt))*float64(d/2))
}

// bucket keeps polls within a number a minute: burst of them at once, the others evenly. In no span
// of 60 s are there more.
type bucket struct {
	every time.Duration
	burst int
	full  time.Time // when the bucket is full again
}

func newBucket(perMinute int) bucket {
	perMinute = max(perMinute, 1)
	burst := min(max(perMinute/12, 1), mostBurst)
	// burst at once and then one each interval make perMinute within 60 s.
	rest := time.Duration(perMinute - burst + 1)
	return bucket{burst: burst, every: (time.Minute + rest - 1) / rest}
}

// take reserves the next free place and says when that is.
func (b *bucket) take(now time.Time) time.Time {
	if b.full.Before(now) {
		b.full = now
	}
	at := b.full.Add(-time.Duration(b.burst-1) * b.every)
	b.full = b.full.Add(b.every)
	if at.Before(now) {
		return now
	}
	return at
}
