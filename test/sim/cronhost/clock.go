package cronhost

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// clock is a host's clock: the real one (wall) plus an offset, and for the cron daemon a minute that may be
// shorter than a real one. It is safe for use by many goroutines.
type clock struct {
	zone   *time.Location
	minute time.Duration // length of one of cron's minutes
	began  time.Time     // real
	mu     sync.Mutex
	offset time.Duration
}

// now is what date says on the host.
func (c *clock) now(wall time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wall.Add(c.offset).In(c.zone)
}

// cron is what the cron daemon takes the time to be: it began together with the host's clock and runs
// faster by the ratio of the minutes.
func (c *clock) cron(wall time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := wall.Sub(c.began)
	fast := time.Duration(float64(passed) * float64(time.Minute) / float64(c.minute))
	if c.minute == time.Minute {
		fast = passed
	}
	return c.began.Add(fast + c.offset).In(c.zone)
}

// untilNext is the real time until cron's next minute begins.
func (c *clock) untilNext(wall time.Time) time.Duration {
	at := c.cron(wall)
	left := at.Truncate(time.Minute).Add(time.Minute).Sub(at)
	return time.Duration(float64(left) * float64(c.minute) / float64(time.Minute))
}

func (c *clock) set(offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = offset
}

// Now is the host's clock, in its zone: what date prints there.
func (h *Host) Now() time.Time { return h.clock.now(time.Now()) }

// CronNow is the time by which the cron daemon starts jobs: [Host.Now], unless Config.Minute makes its
// minutes shorter; then it runs ahead more and more.
func (h *Host) CronNow() time.Time { return h.clock.cron(time.Now()) }

// SetOffset moves the host's clock to so much after the real one. Minutes that are jumped over are not
// made up for, and minutes that come again run again: here the simulator differs from a real cron.
func (h *Host) SetOffset(offset time.Duration) error {
	if err := h.writeOffset(offset); err != nil {
		return err
	}
	h.clock.set(offset)
	h.rearm()
	return nil
}

// writeOffset makes the host's date command agree. The command stays the machine's own as long as the
// clock was never off.
func (h *Host) writeOffset(offset time.Duration) error {
	name := h.path("bin", "date")
	if _, err := os.Stat(name); offset == 0 && os.IsNotExist(err) {
		return nil
	}
	if err := replaceFile(h.path("etc", "offset"), fmt.Appendf(nil, "%.9f\n", offset.Seconds()), 0o644); err != nil {
		return fmt.Errorf("cronhost: set the clock: %w", err)
	}
	script := strings.NewReplacer("@DATE@", h.dateProgram, "@OFFSET@", h.path("etc", "offset")).Replace(dateScript)
	if err := replaceFile(name, []byte(script), 0o755); err != nil {
		return fmt.Errorf("cronhost: set the clock: %w", err)
	}
	return nil
}
