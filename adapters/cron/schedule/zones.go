package schedule

import (
	"math"
	"time"
)

// period is a time in which the offset of a zone does not change, in seconds of the epoch.
type period struct {
	start, end int64 // the end is the first second of the next one
	offset     int64 // east of UTC
	summer     bool  // the zone calls it summer time
}

// zones finds the periods of one zone, and remembers the latest.
type zones struct {
	zone   *time.Location
	latest period
}

// at finds the period of an instant.
func (z *zones) at(t int64) period {
	if t >= z.latest.start && t < z.latest.end {
		return z.latest
	}
	at := time.Unix(t, 0).In(z.zone)
	_, offset := at.Zone()
	start, end := at.ZoneBounds()
	p := period{start: math.MinInt64, end: math.MaxInt64, offset: int64(offset), summer: at.IsDST()}
	if !start.IsZero() {
		p.start = start.Unix()
	}
	if !end.IsZero() {
		p.end = end.Unix()
	}
	if t < p.start || t >= p.end {
		// Go 1.26 is wrong about the bounds on 31 December of a leap year beyond the zone's table (2040,
		// 2044 ...): that day lies outside of them. Its offset is right.
		p.start, p.end = t, ceilDiv(t+1, day*60)*day*60
	}
	z.latest = p
	return p
}
