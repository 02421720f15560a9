package cron

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// Cancel implements [adapters.Canceller]. TERM goes to the runner on the host, which passes it on to
// everything that the job has started.
func (a *Adapter) Cancel(ctx context.Context, run job.RunKey) error {
	const op = "cancel"
	if !runForm.MatchString(run.Native) {
		return a.fail(adapters.NotFound, op, adapters.EffectNone, "", fmt.Errorf("%q is no run of this host", run.Native))
	}
	ans, err := a.host.Script(ctx, op, a.script([]string{"cancel.sh"}, "sb_cancel %s\n", run.Native))
	if err != nil {
		return err
	}
	switch said := strings.TrimSpace(string(ans.Text)); said {
	case "sent", "over":
		return nil
	case "unknown":
		return a.fail(adapters.NotFound, op, adapters.EffectNone, "", fmt.Errorf("the host has no trace of run %s", run.Native))
	default:
		return a.fail(adapters.Malformed, op, adapters.EffectUnknown, "", fmt.Errorf("the host answered %q%s", said, alsoSaid(ans.Errors)))
	}
}

// keptOutput is how much the wrapper keeps of what a run prints, in bytes.
const keptOutput = 65536

// ReadLog implements [adapters.LogReader]. Output is kept only of runs that Signalbox started, and can
// be read once the run is over: until then the text is empty.
func (a *Adapter) ReadLog(ctx context.Context, run job.RunKey, limit int) (adapters.Log, error) {
	const op = "read log"
	if !runForm.MatchString(run.Native) {
		return adapters.Log{}, a.fail(adapters.NotFound, op, adapters.EffectNone, "", fmt.Errorf("%q is no run of this host", run.Native))
	}
	limit = min(max(limit, 0), keptOutput)
	ans, err := a.host.Script(ctx, op, a.script([]string{"readlog.sh"}, "sb_readlog %s %d\n", run.Native, limit))
	if err != nil {
		return adapters.Log{}, reading(err)
	}
	lines, chunks, err := sections(ans)
	if err == nil && len(lines) == 1 && lines[0] == "none" {
		return adapters.Log{}, a.fail(adapters.NotFound, op, adapters.EffectNone,
			"the output of runs that cron started goes where cron sends it, as mail; let Signalbox start the job to keep it",
			fmt.Errorf("no output of run %s is kept", run.Native))
	}
	if err != nil || len(lines) != 1 || len(chunks) != 1 {
		return adapters.Log{}, a.fail(adapters.Malformed, op, adapters.EffectNone, "", fmt.Errorf("the host's answer makes no sense%s", alsoSaid(ans.Errors)))
	}
	state, size, _ := strings.Cut(lines[0], " ")
	kept, err := strconv.Atoi(strings.TrimSpace(size))
	if err != nil {
		return adapters.Log{}, a.fail(adapters.Malformed, op, adapters.EffectNone, "", fmt.Errorf("the size of the output is %q", size))
	}
	return adapters.Log{
		Text:      strings.ToValidUTF8(string(chunks[0].text), "\uFFFD"),
		Truncated: kept > len(chunks[0].text) || kept >= keptOutput,
		Complete:  state == "over",
	}, nil
}
