package adapters

import (
	"slices"
	"time"
)

const (
	offsetSamples = 5
	longestTrip   = 2 * time.Second // of a round trip that still measures something
)

// offsets measures how far the source's clock is off ours: the median of the last samples, so that one
// odd answer moves nothing.
type offsets struct {
	samples []time.Duration // newest last
}

// add takes a sample: the source's clock against the middle of the call on ours.
func (o *offsets) add(source, began, ended time.Time) {
	trip := ended.Sub(began)
	if source.IsZero() || trip < 0 || trip > longestTrip {
		return
	}
	o.samples = append(o.samples, source.Sub(began.Add(trip/2)))
	if len(o.samples) > offsetSamples {
		o.samples = slices.Delete(o.samples, 0, 1)
	}
}

// median gives the offset in whole milliseconds, or nil if none was measured.
func (o *offsets) median() *time.Duration {
	if len(o.samples) == 0 {
		return nil
	}
	sorted := slices.Clone(o.samples)
	slices.Sort(sorted)
	n := len(sorted)
	m := ((sorted[(n-1)/2] + sorted[n/2]) / 2).Round(time.Millisecond)
	return &m
}
