package cron

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/internal/remote"
)

// Poll implements [adapters.Adapter]. It is one command on the host, and changes nothing there.
func (a *Adapter) Poll(ctx context.Context, c adapters.Cursor) (adapters.Batch, error) {
	const op = "poll"
	k, err := readCursor(c)
	if err != nil {
		return adapters.Batch{}, a.fail(adapters.Malformed, op, adapters.EffectNone, "", err)
	}
	r, err := a.ask(ctx, op, &k)
	if err != nil {
		return adapters.Batch{}, reading(err)
	}
	if r.tableErr != "" {
		return adapters.Batch{}, a.tableFault(op, r.tableErr)
	}
	a.mu.Lock()
	d := digest{source: a.o.Source, table: a.table, location: a.facts.location, cursor: k, report: r}
	a.mu.Unlock()
	b := d.batch()
	b.JobsChanged = c == nil || k.Table != r.sum
	if b.Next, err = d.cursor.bytes(); err != nil {
		return adapters.Batch{}, a.fail(adapters.Malformed, op, adapters.EffectNone, "", err)
	}
	return b, nil
}

// ask sends the one command of a poll: the host's own program where it is known to be, else a script
// that probes the host as well.
func (a *Adapter) ask(ctx context.Context, op string, k *cursor) (*report, error) {
	a.mu.Lock()
	f, sum := a.facts, a.sum
	a.mu.Unlock()
	if f.known() && f.deployed() && f.plain() && f.login == a.host.Logins() {
		ans, err := a.host.Tool(ctx, op, remote.Call{Path: f.dir + "/bin/sbpoll", Words: k.words(sum)})
		if err == nil {
			return a.learn(op, ans, false)
		}
		if !errors.Is(err, remote.ErrNoTool) {
			return nil, err
		}
	}
	// The table is always asked for: the daemon's dialect, which says how to read it, may be news.
	ans, err := a.host.Script(ctx, op, a.script([]string{"poll.sh", "probe.sh"},
		"sb_probe\nsb_poll \"$sb_mark\" %s\n", strings.Join(k.words(""), " ")))
	if err != nil {
		return nil, err
	}
	return a.learn(op, ans, true)
}

// learn reads a report and keeps what it says about the host and the table.
func (a *Adapter) learn(op string, ans remote.Answer, probed bool) (*report, error) {
	r, err := readReport(ans)
	if err != nil {
		return nil, a.fail(adapters.Malformed, op, adapters.EffectNone, "", fmt.Errorf("%w%s", err, alsoSaid(ans.Errors)))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if probed {
		a.facts = readFacts(r.others, a.o.Dir)
		a.facts.login = a.host.Logins()
	}
	a.facts.tableErr = r.tableErr
	if r.table != nil && r.tableErr == "" {
		a.table = crontab.Parse(*r.table, a.facts.dialect)
		a.sum = crontab.Checksum(*r.table).String()
	}
	return r, nil
}

// alsoSaid puts what a command wrote to its standard error behind an error.
func alsoSaid(text string) string {
	if text == "" {
		return ""
	}
	line, _, _ := strings.Cut(text, "\n")
	return fmt.Sprintf(" (the host said: %q)", line[:min(len(line), 200)])
}

// tableFault is the error for a crontab that cannot be read.
func (a *Adapter) tableFault(op, said string) *adapters.Error {
	err := fmt.Errorf("cannot read the crontab: %s", said)
	if strings.Contains(said, "not allowed") || strings.Contains(said, "ermission denied") {
		fix := fmt.Sprintf("allow the crontab command on the host: add %s to /etc/cron.allow, or take it out of /etc/cron.deny", a.o.User)
		return a.fail(adapters.Denied, op, adapters.EffectNone, fix, err)
	}
	return a.fail(adapters.Unavailable, op, adapters.EffectNone, "run \"crontab -l\" on the host and look at what it says", err)
}
