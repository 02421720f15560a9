package cron

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/job"
)

// seqLive is the place, behind everything in the spool, of what is told by a run's live file.
const seqLive = int64(1) << 52

// digest turns one report into a batch. It does no I/O.
type digest struct {
	source   string
	table    *crontab.Table
	location *time.Location // of the daemon's schedules
	cursor   cursor         // on return, the one to go on from
	report   *report

	out   adapters.Batch
	ended map[string]bool // runs whose end stands in this report's spool
	torn  int
	first time.Time // a good record before the first torn one
	last  time.Time // of the last good record
}

func (d *digest) batch() adapters.Batch {
	r, k := d.report, &d.cursor
	k.Open, k.Doubts = maps.Clone(k.Open), slices.Clone(k.Doubts)
	d.out.SourceTime, d.out.More, d.ended = r.now, r.more, map[string]bool{}
	k.Table = r.sum
	d.place()
	if r.id != "" {
		d.spool()
	}
	for _, l := range r.live {
		d.live(l)
	}
	d.settle()
	if r.id != "" {
		d.losses()
	}
	return d.out
}

// spool reads the pieces of the spool and moves the cursor behind them.
func (d *digest) spool() {
	r, k := d.report, &d.cursor
	upTo := map[int]int64{}
	newest := max(r.newest, k.Gen)
	if r.more {
		newest = max(k.Gen, r.oldest)
	}
	for _, c := range r.spool {
		gen := generation(c.name)
		newest = max(newest, gen)
		upTo[gen] = c.from + d.chunk(gen, c)
	}
	k.advance(newest, upTo)
}

// place notices when the spool is not where the cursor says, and doubts every open run: its end may
// be in what is lost.
func (d *digest) place() {
	r, k := d.report, &d.cursor
	var what string
	switch {
	case k.Spool == "":
	case r.id == "":
		what = "the spool on the host is gone: what it held since the last poll is lost"
	case r.id != k.Spool:
		what = "the spool on the host was made anew: what the old one held since the last poll is lost"
	case r.newest < k.Gen:
		what = "the files of the spool on the host were deleted: what they held since the last poll is lost"
	case r.oldest > k.Gen:
		what = fmt.Sprintf("the spool was overwritten before it was read: generation %d to %d", k.Gen, r.oldest-1)
	case len(r.shrunk) > 0:
		what = fmt.Sprintf("the spool was cut down from outside: generation %d", r.shrunk[0])
	}
	if what != "" {
		d.out.Gaps = append(d.out.Gaps, adapters.Gap{What: what, Until: r.now})
		k.Doubts = slices.Collect(maps.Keys(k.Open))
	}
	if r.id != k.Spool || r.newest < k.Gen {
		k.Spool, k.Gen, k.Old, k.New, k.Lost, k.Blind = r.id, 0, 0, 0, 0, time.Time{}
	}
}

// chunk reads the whole records in a piece of a generation, and tells how many bytes they took. What
// stands behind the last line feed may still be under way, and is left for the next poll.
func (d *digest) chunk(gen int, c chunk) int64 {
	whole := bytes.LastIndexByte(c.text, '\n') + 1
	if whole == 0 && d.report.more {
		d.tear() // no record is this long
		return int64(len(c.text))
	}
	at := c.from
	for line := range bytes.Lines(c.text[:whole]) {
		body := bytes.TrimSuffix(line, []byte("\n"))
		if len(body) > 0 {
			d.line(string(body), int64(gen)<<32+at+1)
		}
		at += int64(len(line))
	}
	return int64(whole)
}

func (d *digest) line(text string, seq int64) {
	rec, ok := readRecord(text)
	if !ok {
		d.tear()
		return
	}
	d.last = rec.written
	d.report1(&rec, rec.observe(d.source, d.keyOf(&rec), seq))
}

func (d *digest) tear() {
	if d.torn == 0 {
		d.first = d.last
	}
	d.torn++
}

// report1 adds an observation and keeps the list of open runs.
func (d *digest) report1(rec *record, o job.Observation) {
	d.out.Observations = append(d.out.Observations, o)
	if o.Terminal() {
		delete(d.cursor.Open, rec.run)
		d.ended[rec.run] = true
	} else {
		d.cursor.Open[rec.run] = open{Job: o.Run.Job, Started: rec.started, Token: rec.token, Cause: rec.cause}
	}
	d.trust(rec.run)
}

// trust takes a run out of the doubtful ones.
func (d *digest) trust(run string) {
	d.cursor.Doubts = slices.DeleteFunc(d.cursor.Doubts, func(s string) bool { return s == run })
}

// keyOf tells the job of a run: the one it was first reported under; the one that we started; or the
// line of the crontab that it came from.
func (d *digest) keyOf(rec *record) string {
	if o, ok := d.cursor.Open[rec.run]; ok {
		return o.Job
	}
	if rec.cause == job.CauseBridge && rec.name != "" {
		return rec.name
	}
	return d.table.KeyOf(rec.name, rec.sum, rec.started.In(d.location))
}

// live adds what the live file of a run tells. It is told again with every poll until the host has
// written it into the spool.
func (d *digest) live(l live) {
	rec, ok := readRecord(l.line)
	if !ok || d.ended[rec.run] {
		return // it is being written in this moment; or it ended while the host was answering
	}
	o := rec.observe(d.source, d.keyOf(&rec), seqLive)
	switch l.fate {
	case "alive":
		d.trust(rec.run)
		if _, known := d.cursor.Open[rec.run]; !known {
			o.Seq = 0
			d.report1(&rec, o)
		}
		return
	case "ended":
	default:
		perish(&o, l.fate)
	}
	d.out.Observations = append(d.out.Observations, o)
	d.trust(rec.run)
	// It stays open until the spool has it, so that it keeps its job.
	if _, known := d.cursor.Open[rec.run]; !known {
		d.cursor.Open[rec.run] = open{Job: o.Run.Job, Started: rec.started, Token: rec.token, Cause: rec.cause}
	}
}

// settle reports the runs that are still doubtful once everything is read.
func (d *digest) settle() {
	if d.report.more {
		return
	}
	slices.Sort(d.cursor.Doubts)
	for _, run := range d.cursor.Doubts {
		open, ok := d.cursor.Open[run]
		if !ok {
			continue
		}
		delete(d.cursor.Open, run)
		o := job.Observation{
			Run: job.RunKey{Source: d.source, Job: open.Job, Native: run}, Attempt: 1, Seq: seqLive,
			Started: job.At(open.Started), Token: open.Token, Cause: open.Cause,
		}
		perish(&o, "record lost")
		o.Detail = "its end was among records that are lost"
		d.out.Observations = append(d.out.Observations, o)
	}
	d.cursor.Doubts = nil
}

// losses tells what the host could not write down.
func (d *digest) losses() {
	r, k := d.report, &d.cursor
	if d.torn > 0 {
		d.out.Gaps = append(d.out.Gaps, adapters.Gap{
			What:  fmt.Sprintf("%d torn records in the spool: the disk was full, or the host went down", d.torn),
			Since: d.first, Until: r.now,
		})
	}
	if r.lost > k.Lost {
		g := adapters.Gap{What: fmt.Sprintf("the host had no room for %d records of the spool: is its disk full?", r.lost-k.Lost), Until: r.lostTo}
		if k.Lost == 0 {
			g.Since = r.lostFrom
		}
		d.out.Gaps = append(d.out.Gaps, g)
	}
	k.Lost = r.lost
	switch {
	case !r.writable && k.Blind.IsZero():
		k.Blind = r.now
		d.out.Gaps = append(d.out.Gaps, adapters.Gap{What: "the spool on the host cannot be written: runs leave no trace until it can", Since: r.now})
	case r.writable && !k.Blind.IsZero():
		d.out.Gaps = append(d.out.Gaps, adapters.Gap{What: "the spool on the host could not be written: runs left no trace", Since: k.Blind, Until: r.now})
		k.Blind = time.Time{}
	}
}
