package cron

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/job"
)

// List implements [adapters.Lister].
func (a *Adapter) List(ctx context.Context) (adapters.Listing, error) {
	f, table, err := a.inspect(ctx, "list")
	if err != nil {
		return adapters.Listing{}, err
	}
	var l adapters.Listing
	for i := range table.Entries {
		l.Jobs = append(l.Jobs, a.describe(&f, table, &table.Entries[i]))
	}
	slices.SortFunc(l.Jobs, func(x, y job.Job) int { return strings.Compare(x.Ref.Job, y.Ref.Job) })
	l.Problems = problems(&f, table)
	return l, nil
}

// inspect reads the table and everything about the host anew, without the spool.
func (a *Adapter) inspect(ctx context.Context, op string) (facts, *crontab.Table, error) {
	f, table, _, err := a.inspectAnd(ctx, op, nil, "")
	return f, table, err
}

// inspectAnd does the same and runs further commands, whose lines it gives.
func (a *Adapter) inspectAnd(ctx context.Context, op string, files []string, commands string) (facts, *crontab.Table, []string, error) {
	script := a.script(append([]string{"poll.sh", "probe.sh"}, files...),
		"sb_probe\n%s\nsb_utc\nsb_table\necho \"v=1 t=$sb_now table=$sb_sum\"\nsb_showtable \"$sb_mark\"\n", commands)
	ans, err := a.host.Script(ctx, op, script)
	if err != nil {
		return facts{}, nil, nil, reading(err)
	}
	r, err := a.learn(op, ans, true)
	if err != nil {
		return facts{}, nil, nil, err
	}
	if r.tableErr != "" {
		return facts{}, nil, nil, a.tableFault(op, r.tableErr)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.facts, a.table, r.others, nil
}

// where names the crontab for people.
func where(f *facts, line int) string {
	if line == 0 {
		return "crontab of " + f.user
	}
	return fmt.Sprintf("crontab of %s, line %d", f.user, line)
}

func (a *Adapter) describe(f *facts, t *crontab.Table, e *crontab.Entry) job.Job {
	j := job.Job{
		Ref: job.Ref{Source: a.o.Source, Job: e.Key}, Command: conceal(e.Text), Owner: f.user,
		Schedule: e.Schedule.Text, Zone: f.zone, Enabled: !e.Held && f.accepted(t),
		Wrapped: e.Wrapped() && f.deployed(), Startable: f.deployed() && f.plain(),
		Place: where(f, e.Line), Problems: slices.Clone(e.Warnings),
	}
	if e.Name != "" && e.Name != e.Key {
		j.Title = e.Name
	}
	if t.Wrapped && !e.Wrapped() {
		j.Problems = append(j.Problems, "a SHELL= line above it replaces the wrapper: its end is unknown until the wrapper is deployed again")
	}
	version := fmt.Sprintf("%s\n%s\n%s\n%v\n%v\n%q", e.Schedule.Text, e.Text, e.Input, e.HasInput, e.Held, e.Shell())
	j.Version = job.Sum([]byte(version)).Short()
	return j
}

// accepted tells whether the daemon takes the table: Debian's takes all of it or nothing.
func (f *facts) accepted(t *crontab.Table) bool {
	return f.dialect != crontab.Debian || len(t.Faults) == 0
}

func problems(f *facts, t *crontab.Table) []adapters.Problem {
	var all []adapters.Problem
	for _, fault := range t.Faults {
		all = append(all, adapters.Problem{Where: where(f, fault.Line), What: fault.What, Fix: fault.Fix})
	}
	if f.daemon == "" {
		all = append(all, adapters.Problem{
			Where: "host", What: "no cron daemon is running: no job starts by its schedule", Fix: "systemctl start cron (or crond)",
		})
	}
	all = append(all, wrapperProblems(f, t)...)
	return all
}

// wrapperProblems looks after the one thing that every job needs once the wrapper is deployed: its file.
func wrapperProblems(f *facts, t *crontab.Table) []adapters.Problem {
	if !t.Wrapped {
		return nil
	}
	byHand := "or take the block of Signalbox out of the crontab: crontab -e"
	said, there := f.tools["sbsh"]
	switch {
	case !there:
		return []adapters.Problem{{
			Where: f.wrapper(), What: "the wrapper is missing: cron cannot start ANY job of this crontab", Fix: "deploy the wrapper again, " + byHand,
		}}
	case !strings.HasSuffix(said, " x"):
		return []adapters.Problem{{
			Where: f.wrapper(), What: "the wrapper cannot be executed: cron cannot start ANY job of this crontab", Fix: "chmod 755 " + f.wrapper() + ", " + byHand,
		}}
	}
	for i := range t.Entries {
		if shell, _ := t.Entries[i].Lookup("SHELL"); t.Entries[i].Wrapped() && shell != f.wrapper() {
			return []adapters.Problem{{
				Where: where(f, t.Entries[i].Line), What: fmt.Sprintf("it runs through %s, not through our wrapper %s", shell, f.wrapper()), Fix: "deploy the wrapper again",
			}}
		}
	}
	if !f.current() {
		return []adapters.Problem{{
			Where: f.wrapper(), What: "the wrapper is not the one of this version of Signalbox, or was changed", Fix: "deploy the wrapper again",
		}}
	}
	return nil
}
