package cron

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
)

// Hold implements [adapters.Holder]: the job's line is commented out behind a mark that a person
// understands, and nothing else is touched.
func (a *Adapter) Hold(ctx context.Context, jobKey string) error {
	return a.edit(ctx, "hold", func(t *crontab.Table) (string, error) { return t.Hold(jobKey) }, jobKey)
}

// Unhold implements [adapters.Holder].
func (a *Adapter) Unhold(ctx context.Context, jobKey string) error {
	return a.edit(ctx, "unhold", func(t *crontab.Table) (string, error) { return t.Unhold(jobKey) }, jobKey)
}

// edit reads the table, changes it, and installs it if it is still the same; else it tries once more.
func (a *Adapter) edit(ctx context.Context, op string, change func(*crontab.Table) (string, error), jobKey string) error {
	for range 2 {
		_, table, err := a.inspect(ctx, op)
		if err != nil {
			return err
		}
		text, err := change(table)
		switch {
		case errors.Is(err, crontab.ErrNoEntry):
			return a.fail(adapters.NotFound, op, adapters.EffectNone, "list the jobs of the source", fmt.Errorf("the crontab has no job %q", jobKey))
		case err != nil:
			return a.fail(adapters.Rejected, op, adapters.EffectNone, "", err)
		case text == table.Text:
			return nil
		}
		done, err := a.install(ctx, op, installation{old: table.Text, new: text})
		if err != nil || done {
			return err
		}
	}
	return a.fail(adapters.Unavailable, op, adapters.EffectNone, "", errors.New("somebody edits the crontab right now"))
}

// installation is one change of the table, with what is to be done around it.
type installation struct {
	old, new  string
	absent    bool     // there is no table yet
	remove    bool     // there is to be none any more
	files     []string // further script files
	before    string   // commands that must succeed first
	afterward string   // commands once it is installed
}

// install replaces the table. done is false if it is not the old one any more; then nothing was
// changed.
func (a *Adapter) install(ctx context.Context, op string, in installation) (done bool, err error) {
	oldSum, newSum := crontab.Checksum(in.old).String(), crontab.Checksum(in.new).String()
	if in.absent {
		oldSum = "none"
	}
	if in.remove {
		newSum = "none"
	}
	before := in.before
	if before == "" {
		before = ":"
	}
	script := a.script(append([]string{"install.sh"}, in.files...), `
sb_newtable() {
%s}
sb_before() {
%s
}
sb_afterward() {
:
%s
}
sb_before || exit 0
sb_result=`+"`sb_install %s %s`"+`
echo "$sb_result"
[ "$sb_result" != installed ] || sb_afterward
`, printer(in.new), before, in.afterward, oldSum, newSum)
	ans, err := a.host.Script(ctx, op, script)
	if err != nil {
		return false, err
	}
	a.forget()
	word, rest, _ := strings.Cut(strings.TrimSpace(string(ans.Text)), " ")
	switch word {
	case "installed":
		return true, nil
	case "changed":
		return false, nil
	case "failed", "broken":
		return false, a.fail(adapters.Unavailable, op, adapters.EffectNone, "", errors.New(rest))
	case "refused":
		return false, a.fail(adapters.Rejected, op, adapters.EffectNone, "the crontab is as it was; correct what cron complains about: crontab -e",
			fmt.Errorf("cron does not accept the crontab: %s", rest))
	case "mismatch":
		return false, a.fail(adapters.Malformed, op, adapters.EffectUnknown, "compare the crontab with the newest copy in the backup folder there",
			errors.New("the crontab that was read back is not the one that was installed"))
	}
	return false, a.fail(adapters.Malformed, op, adapters.EffectUnknown, "", fmt.Errorf("the host answered %q%s", word, alsoSaid(ans.Errors)))
}

// forget drops what is known of the host, so that the next call looks anew.
func (a *Adapter) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.facts.login = 0
	a.sum, a.table = "", nil
}
