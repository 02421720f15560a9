package cron

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
)

// deployment is what is known before the wrapper is installed or removed.
type deployment struct {
	facts  facts
	table  *crontab.Table
	absent bool   // there is no crontab
	fs     string // type of the home folder's file system; empty = not told
	device string // as df names it
	freeKB int64  // -1 = not told
	inodes int64  // free; -1 = not told
	whole  bool   // all folders are there
	before string // checksum of the table before the wrapper, "none", or empty
}

func (a *Adapter) survey(ctx context.Context, op string) (*deployment, error) {
	commands := "sb_room\nsb_whole\nsb_crontab\necho \"state $sb_state\"\n"
	f, table, lines, err := a.inspectAnd(ctx, op, []string{"install.sh", "deploy.sh"}, commands)
	if err != nil {
		return nil, err
	}
	d := &deployment{facts: f, table: table, freeKB: -1, inodes: -1}
	number := func(words []string, i int) int64 {
		if i < len(words) {
			if n, err := strconv.ParseInt(words[i], 10, 64); err == nil {
				return n
			}
		}
		return -1
	}
	for _, line := range lines {
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "df":
			d.device, d.freeKB = words[1], number(words, 4)
		case words[0] == "inodes":
			d.inodes = number(words, 4)
		case words[0] == "mount":
			d.fs = words[1]
		case words[0] == "folders":
			d.whole = true
		case words[0] == "before":
			d.before = words[1]
		case words[0] == "state":
			d.absent = words[1] == "none"
		}
	}
	return d, nil
}

// minFreeKB is what must be free: the spool takes two megabytes, outputs some more.
const (
	minFreeKB = 8 << 10
	minInodes = 200
)

// unfit says why the wrapper must not be installed here.
func (d *deployment) unfit() error {
	fs := strings.ToLower(d.fs)
	for _, network := range []string{"nfs", "cifs", "smb", "afs", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre"} {
		if strings.HasPrefix(fs, network) {
			return fmt.Errorf("the home folder %s is on %s: a server that hangs would hold every job", d.facts.home, d.fs)
		}
	}
	switch {
	case strings.Contains(d.device, ":/") || strings.HasPrefix(d.device, "//"):
		return fmt.Errorf("the home folder %s is on the network (%s): a server that hangs would hold every job", d.facts.home, d.device)
	case d.freeKB >= 0 && d.freeKB < minFreeKB:
		return fmt.Errorf("the file system of %s has %d KiB free, less than %d", d.facts.home, d.freeKB, minFreeKB)
	case d.inodes >= 0 && d.inodes < minInodes && d.inodes != 0:
		return fmt.Errorf("the file system of %s has %d inodes free, less than %d", d.facts.home, d.inodes, minInodes)
	case !d.facts.writable:
		return fmt.Errorf("the home folder %s cannot be written", d.facts.home)
	case !d.facts.plain():
		return fmt.Errorf("the home folder %q has characters that do not pass every login shell", d.facts.home)
	}
	return nil
}

// Deploy implements [adapters.Deployer]. It writes the programs into the folder of Signalbox and puts
// one block at the top of the crontab.
func (a *Adapter) Deploy(ctx context.Context, dryRun bool) (adapters.Change, error) {
	const op = "deploy"
	for range 2 {
		d, err := a.survey(ctx, op)
		if err != nil {
			return adapters.Change{}, err
		}
		if err := d.unfit(); err != nil {
			return adapters.Change{}, a.fail(adapters.Unsupported, op, adapters.EffectNone, "let the account's home folder be on a local disk with room", err)
		}
		text, err := crontab.Wrap(d.table.Text, d.facts.wrapper())
		if err != nil {
			return adapters.Change{}, a.fail(adapters.Rejected, op, adapters.EffectNone, "", err)
		}
		change, script := d.plan(text)
		if dryRun || len(change.Steps) == 0 {
			change.Done = !dryRun
			return change, nil
		}
		in := installation{
			old: d.table.Text, new: text, absent: d.absent, files: []string{"deploy.sh"}, before: script,
		}
		done, err := a.install(ctx, op, in)
		if err != nil {
			return adapters.Change{}, err
		}
		if done {
			change.Done = true
			return change, nil
		}
	}
	return adapters.Change{}, a.fail(adapters.Unavailable, op, adapters.EffectNone, "", errors.New("somebody edits the crontab right now"))
}

// plan says what Deploy does, in words and as commands.
func (d *deployment) plan(text string) (adapters.Change, string) {
	c := adapters.Change{Diff: crontab.Diff("crontab of "+d.facts.user, "crontab of "+d.facts.user+" (new)", d.table.Text, text)}
	var b strings.Builder
	b.WriteString("sb_folders || { echo \"failed cannot make the folders in $D: is the disk full?\"; return 1; }\n")
	if !d.whole {
		c.Steps = append(c.Steps, fmt.Sprintf("make the folder %s, for this account only", d.facts.dir))
	}
	for _, t := range tools() {
		if d.facts.tools[t.name] == t.sum.String()+" x" {
			continue
		}
		c.Steps = append(c.Steps, fmt.Sprintf("write %s/bin/%s (%d bytes)", d.facts.dir, t.name, len(t.text)))
		fmt.Fprintf(&b, "{\n%s} | sb_put bin/%s 755 %s || return 1\n", printer(t.text), t.name, t.sum)
	}
	if len(c.Steps) == 0 && c.Diff == "" {
		return c, ""
	}
	readme := source("README.txt")
	fmt.Fprintf(&b, "{\n%s} | sb_put README 644 %s || return 1\n", printer(readme), crontab.Checksum(readme))
	b.WriteString("sb_check || return 1\n")
	if c.Diff != "" {
		if !d.table.Wrapped {
			b.WriteString("sb_crontab\nsb_remember \"$sb_state\"\n")
			c.Steps = append(c.Steps, fmt.Sprintf("keep the present crontab in %s/backup", d.facts.dir))
		}
		c.Steps = append(c.Steps, "put the block of Signalbox at the top of the crontab")
		if strings.Count(text, "SB_SHELL=")+strings.Count(text, "SB_SHELL ") > 0 {
			c.Steps = append(c.Steps, "rename SHELL= lines to SB_SHELL=, so that the wrapper runs the shell that they ask for")
		}
	}
	return c, b.String()
}

// Undeploy implements [adapters.Deployer]. The spool, the claims and the backups stay: they are needed
// to tell what ran.
func (a *Adapter) Undeploy(ctx context.Context, dryRun bool) (adapters.Change, error) {
	const op = "undeploy"
	for range 2 {
		d, err := a.survey(ctx, op)
		if err != nil {
			return adapters.Change{}, err
		}
		plain, err := crontab.Unwrap(d.table.Text)
		if err != nil {
			return adapters.Change{}, a.fail(adapters.Rejected, op, adapters.EffectNone, "", err)
		}
		change := d.removal(plain)
		if dryRun || len(change.Steps) == 0 {
			change.Done = !dryRun
			return change, nil
		}
		in := installation{
			old: d.table.Text, new: plain, absent: d.absent, remove: d.absent || (plain == "" && d.before == "none"),
			afterward: `rm -f "$D/bin/sbsh" "$D/bin/sbpoll" "$D/bin/sbstart"`,
		}
		done, err := a.install(ctx, op, in)
		if err != nil {
			return adapters.Change{}, err
		}
		if done {
			change.Done = true
			return change, nil
		}
	}
	return adapters.Change{}, a.fail(adapters.Unavailable, op, adapters.EffectNone, "", errors.New("somebody edits the crontab right now"))
}

// removal says what Undeploy does.
func (d *deployment) removal(plain string) adapters.Change {
	c := adapters.Change{Diff: crontab.Diff("crontab of "+d.facts.user, "crontab of "+d.facts.user+" (new)", d.table.Text, plain)}
	if c.Diff != "" {
		sum := crontab.Checksum(plain).String()
		switch {
		case d.before == sum, d.before == "none" && plain == "":
			c.Steps = append(c.Steps, "restore the crontab as it was before the wrapper, byte for byte")
		default:
			c.Steps = append(c.Steps, "the crontab was edited since the wrapper was installed: take only the block of Signalbox out, and keep the edits")
		}
	}
	for _, t := range tools() {
		if _, there := d.facts.tools[t.name]; there {
			c.Steps = append(c.Steps, fmt.Sprintf("delete %s/bin/%s", d.facts.dir, t.name))
		}
	}
	held := 0
	for i := range d.table.Entries {
		if d.table.Entries[i].Held {
			held++
		}
	}
	if held > 0 && len(c.Steps) > 0 {
		c.Steps = append(c.Steps, fmt.Sprintf("leave %d held lines as they are: unhold them to let cron start them again", held))
	}
	return c
}
