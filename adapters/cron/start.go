package cron

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/internal/remote"
	"signalbox/adapters/job"
)

var (
	tokenForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	runForm   = regexp.MustCompile(`^[A-Za-z0-9-]{1,120}$`)
)

const deployFix = "deploy the wrapper on the host first: signalbox wrap install SOURCE"

// view is what is known of the host and its table at one moment.
type view struct {
	facts facts
	table *crontab.Table
	sum   string // of the table
	fresh bool   // read by this call
}

// look gives what is known, and reads it from the host if fresh is asked for or nothing is known.
func (a *Adapter) look(ctx context.Context, op string, fresh bool) (view, error) {
	a.mu.Lock()
	v := view{facts: a.facts, table: a.table, sum: a.sum}
	a.mu.Unlock()
	if !fresh && v.facts.known() && v.table != nil {
		return v, nil
	}
	f, table, err := a.inspect(ctx, op)
	return view{facts: f, table: table, sum: crontab.Checksum(tableText(table)).String(), fresh: true}, err
}

func tableText(t *crontab.Table) string {
	if t == nil {
		return ""
	}
	return t.Text
}

// Start implements [adapters.Starter]. The runner on the host claims the token before it begins, so
// the same token may be sent again whatever became of an earlier call.
func (a *Adapter) Start(ctx context.Context, req adapters.StartRequest) (adapters.Started, error) {
	const op = "start"
	none := func(kind adapters.Kind, fix string, err error) (adapters.Started, error) {
		return adapters.Started{}, a.fail(kind, op, adapters.EffectNone, fix, err)
	}
	if !tokenForm.MatchString(req.Token) {
		return none(adapters.Rejected, "", errors.New("the token is not 1 to 64 letters, digits and dashes"))
	}
	fresh := false
	for range 3 {
		v, err := a.look(ctx, op, fresh)
		if err != nil {
			return adapters.Started{}, err // questions only: nothing was started
		}
		fresh = true // what we know may be old: a refusal needs a second look, and so does "changed"
		entry, ok := v.table.Entry(req.Job)
		if !v.fresh && (!ok || !v.facts.deployed()) {
			continue
		}
		switch {
		case !v.facts.deployed() || !v.facts.plain():
			return none(adapters.Unsupported, deployFix, errors.New("without the wrapper on the host a start could happen twice, so none is sent"))
		case !ok:
			return none(adapters.NotFound, "list the jobs of the source: the key of a job without a name changes with its command",
				fmt.Errorf("the crontab has no job %q", req.Job))
		}
		words, err := a.send(ctx, &v, entry, req)
		if errors.Is(err, remote.ErrNoTool) && !v.fresh {
			continue
		}
		if err != nil {
			return adapters.Started{}, err
		}
		if words != "changed" {
			return a.started(req, words)
		}
	}
	return none(adapters.Unavailable, "", errors.New("the crontab changes while it is read"))
}

// send asks the host to start a job, and gives the line that it answers.
func (a *Adapter) send(ctx context.Context, v *view, e *crontab.Entry, req adapters.StartRequest) (string, error) {
	ans, err := a.host.Tool(ctx, "start", remote.Call{
		Path:  v.facts.dir + "/bin/sbstart",
		Words: []string{req.Token, v.sum, time.Now().UTC().Format("20060102")},
		Input: func(mark string) []byte { return request(v.facts.dialect, v.facts.user, e, req, mark) },
	})
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(ans.Text), "\n")
	return line + alsoSaidBy(line, ans.Errors), nil
}

// alsoSaidBy explains an answer that is no success.
func alsoSaidBy(line, errorText string) string {
	if strings.HasPrefix(line, "unclear") {
		return alsoSaid(errorText)
	}
	return ""
}

// request is the input of sbstart: the command, its input and its environment, as cron would give them.
func request(d crontab.Dialect, user string, e *crontab.Entry, req adapters.StartRequest, mark string) []byte {
	var b strings.Builder
	line := func(letter, text string) {
		b.WriteString(letter)
		b.WriteString(strings.NewReplacer("\n", " ", "\x00", "").Replace(text))
		b.WriteByte('\n')
	}
	line("c", e.Text)
	for _, v := range environment(d, user, e) {
		line("e", v.Name+"="+v.Value)
	}
	line("e", "SB_SHELL="+e.Shell())
	line("e", "SB_JOB="+e.Key)
	if req.BusinessDate != "" {
		line("e", "SB_BUSINESS_DATE="+req.BusinessDate)
	}
	if req.Chain != "" {
		line("e", "SB_CHAIN="+req.Chain)
	}
	for text := range strings.Lines(e.Input) {
		line("i", strings.TrimSuffix(text, "\n"))
	}
	line(".", mark)
	return []byte(b.String())
}

// environment is what cron gives the job, but for HOME and LOGNAME, which the host knows best.
func environment(d crontab.Dialect, user string, e *crontab.Entry) []crontab.Var {
	vars := []crontab.Var{{Name: "PATH", Value: "/usr/bin:/bin"}}
	if d == crontab.Cronie {
		vars = []crontab.Var{{Name: "PATH", Value: "/usr/bin:/bin:/usr/sbin:/sbin"}, {Name: "USER", Value: user}}
	}
	for _, v := range e.Env {
		// The wrapper's own names are not the job's; LOGNAME cannot be set in a crontab.
		if v.Name == "SHELL" || v.Name == "LOGNAME" || strings.HasPrefix(v.Name, "SB_") {
			continue
		}
		vars = append(vars, v)
	}
	return append(slices.Clip(vars), crontab.Var{Name: "SHELL", Value: e.Shell()})
}

// started reads the answer of sbstart.
func (a *Adapter) started(req adapters.StartRequest, said string) (adapters.Started, error) {
	const op = "start"
	word, rest, _ := strings.Cut(said, " ")
	switch word {
	case "claimed":
		return adapters.Started{Run: a.runOf(rest), Detail: "claimed on the host"}, nil
	case "known":
		return adapters.Started{Run: a.runOf(rest), Detail: "the token was claimed before: nothing was started again"}, nil
	case "noroom":
		return adapters.Started{}, a.fail(adapters.Unavailable, op, adapters.EffectNone, "make room on the file system of the home folder there",
			fmt.Errorf("the host has no room for the claim of token %s: is its disk full?", req.Token))
	case "refused":
		return adapters.Started{}, a.fail(adapters.Rejected, op, adapters.EffectNone, "", fmt.Errorf("the host refused to start %q: %s", req.Job, rest))
	case "unclear":
		return adapters.Started{}, a.fail(adapters.Unavailable, op, adapters.EffectUnknown, "", fmt.Errorf("it is not clear whether %q was started: %s", req.Job, rest))
	}
	return adapters.Started{}, a.fail(adapters.Malformed, op, adapters.EffectUnknown, "", fmt.Errorf("the host answered %q", said))
}

// runOf gives the run that a record names; zero if it names none.
func (a *Adapter) runOf(line string) job.RunKey {
	rec, ok := readRecord(line)
	if !ok || rec.name == "" {
		return job.RunKey{}
	}
	return job.RunKey{Source: a.o.Source, Job: rec.name, Native: rec.run}
}

// Find implements [adapters.Finder]. Absent means: nobody has claimed the token, and no process on the
// host carries it. A request that arrives later, against all odds, would still be safe beside a second
// one with the same token.
func (a *Adapter) Find(ctx context.Context, token string) (adapters.Finding, error) {
	const op = "find"
	if !tokenForm.MatchString(token) {
		return adapters.Finding{Found: adapters.FoundAbsent, Detail: "no such token can have been sent"}, nil
	}
	ans, err := a.host.Script(ctx, op, a.script([]string{"find.sh"}, "sb_find %s\n", token))
	if err != nil {
		return adapters.Finding{}, reading(err)
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(string(ans.Text)), " ")
	switch word {
	case "present":
		return adapters.Finding{Found: adapters.FoundPresent, Run: a.runOf(rest), Detail: "claimed on the host"}, nil
	case "claimed":
		return adapters.Finding{
			Found:  adapters.FoundUnclear,
			Detail: "the token is claimed on the host, but its run left no trace: look there whether the job ran",
		}, nil
	case "underway":
		return adapters.Finding{Found: adapters.FoundUnclear, Detail: "a process on the host carries the token"}, nil
	case "nowhere":
		return adapters.Finding{
			Found:  adapters.FoundUnclear,
			Detail: "the folder of claims on the host is gone, so nobody can tell; deploy the wrapper again",
		}, nil
	case "absent":
		return adapters.Finding{Found: adapters.FoundAbsent, Detail: "no claim on the host, and no process with the token"}, nil
	}
	return adapters.Finding{}, a.fail(adapters.Malformed, op, adapters.EffectNone, "", fmt.Errorf("the host answered %q%s", word, alsoSaid(ans.Errors)))
}
