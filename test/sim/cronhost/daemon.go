package cronhost

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Run is one start of a job line by cron.
type Run struct {
	Line    int       // of the crontab, from 1
	Command string    // what the shell got, without the part after %
	Minute  time.Time // cron's minute it was due in; for RunNow and @reboot the minute it was asked in
	PID     int       // of the job's shell; 0 if it could not be started
	Started time.Time // real clock, UTC
	Ended   time.Time // real clock, UTC; zero while it runs
	Exit    string    // "exit 3", "signal KILL"; empty while it runs; else why it could not be started
}

// daemon is the cron daemon: one timer while it waits, one goroutine for each job that runs.
type daemon struct {
	mu       sync.Mutex
	timer    *time.Timer
	stopped  bool
	last     time.Time // the last minute that was looked at
	size     int
	runs     []*Run
	log      sync.Mutex
	table    *table // as of stamp
	fault    error
	stamp    time.Time
	bytes    int64
	complain bool // the fault was not logged yet
}

// stop ends the clock. Jobs that run are not its business.
func (d *daemon) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

// rearm makes cron look again when its next minute begins.
func (h *Host) rearm() {
	d := &h.daemon
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || h.cfg.Minute < 0 {
		return
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	now := time.Now()
	d.last = h.clock.cron(now).Truncate(time.Minute)
	d.timer = time.AfterFunc(h.clock.untilNext(now), h.tick)
}

// tick runs what is due in the minutes since the last look: mostly one, a few more if this machine was
// too busy to be in time.
func (h *Host) tick() {
	const most = 5
	d := &h.daemon
	d.mu.Lock()
	at := h.clock.cron(time.Now()).Truncate(time.Minute)
	from := d.last.Add(time.Minute)
	if at.Sub(from) >= most*time.Minute {
		from = at
	}
	if at.After(d.last) {
		d.last = at
	}
	d.mu.Unlock()
	h.spawn(func() {
		for ; !from.After(at); from = from.Add(time.Minute) {
			if !h.temper.faults().CronDown {
				h.Fire(from)
			}
		}
	})
	h.next()
}

// next sets the timer for the minute after the last one looked at.
func (h *Host) next() {
	d := &h.daemon
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopped {
		d.timer = time.AfterFunc(h.clock.untilNext(time.Now()), h.tick)
	}
}

// read gives the table as it is on disk now.
func (d *daemon) read(name string) (*table, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stamp.Equal(info.ModTime()) && d.bytes == info.Size() {
		return d.table, d.fault
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d.stamp, d.bytes, d.complain = info.ModTime(), info.Size(), true
	d.table, d.fault = parseTable(string(text))
	return d.table, d.fault
}

// entries gives the job lines in force; a table that is ignored is logged once.
func (h *Host) entries() []entry {
	t, err := h.daemon.read(h.tabFile())
	if err == nil {
		return t.entries
	}
	h.daemon.mu.Lock()
	complain := h.daemon.complain && !errors.Is(err, fs.ErrNotExist)
	h.daemon.complain = false
	h.daemon.mu.Unlock()
	if complain {
		h.cronLog(os.Getpid(), fmt.Sprintf("ERROR (%s; this crontab file will be ignored)", err))
	}
	return nil
}

// Fire starts what is due in the minute of t by the host's zone, as the daemon does when that minute
// begins, and returns how many jobs that were. With a negative Config.Minute it is the only clock.
func (h *Host) Fire(t time.Time) int {
	n := 0
	t = t.In(h.clock.zone)
	for _, e := range h.entries() {
		if !e.reboot && e.when.matches(t) {
			h.run(e, t)
			n++
		}
	}
	return n
}

// RunNow starts the first job line whose command, or the comments above it, hold part, exactly as cron
// would do at its time.
func (h *Host) RunNow(part string) error {
	text, err := h.Crontab()
	if err != nil {
		return err
	}
	lines := strings.Split(text, "\n")
	for _, e := range h.entries() {
		if strings.Contains(e.command, part) || strings.Contains(commentAbove(lines[:e.line-1]), part) {
			h.run(e, h.CronNow())
			return nil
		}
	}
	return fmt.Errorf("cronhost: run now: no job line with %q in force", part)
}

// commentAbove gives the comments at the end of lines, looking past environment lines.
func commentAbove(lines []string) string {
	text := ""
	for _, line := range slices.Backward(lines) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			text = line + "\n" + text
			continue
		}
		if line == "" {
			break
		}
		if _, _, ok := parseEnv(line); !ok {
			break
		}
	}
	return text
}

// forget makes the daemon read the table again even if it looks the same.
func (d *daemon) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stamp, d.bytes = time.Time{}, 0
}

// runReboot starts the @reboot lines.
func (h *Host) runReboot() {
	for _, e := range h.entries() {
		if e.reboot {
			h.run(e, h.CronNow())
		}
	}
}

// Runs lists what cron started, oldest first, with what is known of it now.
func (h *Host) Runs() []Run {
	h.daemon.mu.Lock()
	defer h.daemon.mu.Unlock()
	out := make([]Run, len(h.daemon.runs))
	for i, r := range h.daemon.runs {
		out[i] = *r
	}
	return out
}

// run starts one job: SHELL -c command, in the home folder, with cron's environment.
func (h *Host) run(e entry, at time.Time) {
	env, shell, home := h.jobEnvironment(e)
	cmd := &exec.Cmd{Path: shell, Args: []string{shell, "-c", e.command}, Env: env, Dir: home}
	r := &Run{Line: e.line, Command: e.command, Minute: at.Truncate(time.Minute), Started: time.Now().UTC()}
	h.daemon.keep(r)
	out, err := h.jobFiles(cmd, e.stdin)
	if err == nil {
		err = h.start(cmd)
		_ = cmd.Stdin.(io.Closer).Close()
	}
	h.daemon.mu.Lock()
	if err != nil {
		r.Ended, r.Exit = time.Now().UTC(), "not started: "+err.Error()
		h.daemon.mu.Unlock()
		h.cronLog(os.Getpid(), fmt.Sprintf("ERROR (%s) for (%s)", err, e.command))
		return
	}
	r.PID = cmd.Process.Pid
	h.daemon.mu.Unlock()
	h.cronLog(r.PID, "CMD ("+e.command+")")
	finish := func() {
		h.wait(cmd)
		h.daemon.mu.Lock()
		r.Ended, r.Exit = time.Now().UTC(), exitText(cmd.ProcessState)
		h.daemon.mu.Unlock()
		h.mail(e, env, out)
	}
	if !h.spawn(finish) {
		finish() // The host is stopping and kills it: the wait is short.
	}
}

func (d *daemon) keep(r *Run) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.runs) >= d.size {
		d.runs = append(d.runs[:0], d.runs[len(d.runs)-d.size+1:]...)
	}
	d.runs = append(d.runs, r)
}

// jobFiles connects a job's standard input to what follows the % and its output to a mail in the
// making, if mail is kept.
func (h *Host) jobFiles(cmd *exec.Cmd, stdin string) (out *os.File, err error) {
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	_, err = feed.WriteString(stdin) // At most 1,000 bytes: a pipe takes them at once.
	if err = errors.Join(err, feed.Close()); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	cmd.Stdin = in
	if !h.cfg.Mail {
		return nil, nil
	}
	out, err = os.CreateTemp(h.path("var", "mail"), "job.*")
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	cmd.Stdout, cmd.Stderr = out, out
	return out, nil
}

// cronLog appends to the daemon's log: the form of syslog lines, with what Debian's cron says by
// default of a start. It is for people.
func (h *Host) cronLog(pid int, text string) {
	h.daemon.log.Lock()
	defer h.daemon.log.Unlock()
	f, err := os.OpenFile(h.path("var", "cron", "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return // A log that cannot be written stops no job.
	}
	stamp := h.Now().Format(time.Stamp)
	_, _ = fmt.Fprintf(f, "%s %s CRON[%d]: (%s) %s\n", stamp, h.cfg.Name, pid, h.cfg.User, text)
	_ = f.Close()
}
