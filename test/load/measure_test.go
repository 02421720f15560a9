package load

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// size reads a size from the environment, so that the same code is a quick test and a long benchmark.
func size(t *testing.T, name string, normal int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return normal
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q: want a positive number", name, s)
	}
	return n
}

// cost is what a piece of work took.
type cost struct {
	wall, cpu time.Duration
}

// spent runs f and gives its cost: time on the wall, and processor time of the whole process.
func spent(f func()) cost {
	cpu, start := processor(), time.Now()
	f()
	return cost{wall: time.Since(start), cpu: processor() - cpu}
}

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ratios are the results of interleaved rounds, subject divided by floor.
type ratios []float64

func (r *ratios) add(subject, floor time.Duration) {
	*r = append(*r, float64(subject)/float64(floor))
}

// String gives median and range.
func (r ratios) String() string {
	s := slices.Sorted(slices.Values(r))
	if len(s) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", s[len(s)/2], s[0], s[len(s)-1])
}

// percentile of durations, which it sorts.
func percentile(d []time.Duration, p float64) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, int(p*float64(len(d))))]
}

// loadAverage says how busy the machine is, for the reader of a figure.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(b))[0]
}
