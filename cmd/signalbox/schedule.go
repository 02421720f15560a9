package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"signalbox/adapters/cron/schedule"
)

// exitNoSchedule: the dialect knows no such schedule.
const exitNoSchedule = exitNotFound

// maxFires bounds a list of runs. A job of every minute has half a million a year.
const maxFires = 1_000_000

// scheduleFlags is what the commands about schedules take.
type scheduleFlags struct {
	dialect, zone, tableZone string
	from, until              string
	count                    int
	digest                   bool
}

// reading is an expression, read, and where and when it is looked at.
type reading struct {
	*schedule.Schedule
	zone        *time.Location
	from, until time.Time
}

func (a *app) scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "schedule", Short: "When a crontab line fires, by the rules of its daemon; needs no configuration",
	}
	cmd.AddCommand(a.scheduleNextCommand(), a.scheduleExplainCommand())
	return cmd
}

func (f *scheduleFlags) register(cmd *cobra.Command) {
	names := make([]string, len(schedule.Dialects()))
	for i, d := range schedule.Dialects() {
		names[i] = string(d)
	}
	cmd.Flags().StringVar(&f.dialect, "dialect", string(schedule.Debian), "whose rules: "+strings.Join(names, ", "))
	cmd.Flags().StringVar(&f.zone, "tz", "UTC", "time zone of the daemon, such as Europe/Berlin")
	cmd.Flags().StringVar(&f.tableZone, "cron-tz", "", "zone of a CRON_TZ line above the entry (only cronie)")
	cmd.Flags().StringVar(&f.from, "from", "", "from this time on, such as 2026-03-29, 2026-03-29T02:30 (in --tz) or 2026-03-29T00:30Z (default now)")
}

func (a *app) scheduleNextCommand() *cobra.Command {
	var f scheduleFlags
	cmd := &cobra.Command{
		Use:   "next EXPR",
		Short: "Print when an expression fires, in UTC and in the zone",
		Long: "Prints when an expression fires, as its daemon would: with its leniencies, and with what it makes up for,\n" +
			"loses or repeats when clocks change. Exit code 3, and the reason, if the dialect refuses the expression.",
		Example: "  signalbox schedule next --tz Europe/Berlin --from 2026-03-28 --count 3 '30 2 * * *'\n" +
			"  signalbox schedule next --dialect cronie --from 2026-01-01 --until 2027-01-01 --sha256 '0 12 1,15 * 5'",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if f.until == "" && !cmd.Flags().Changed("count") {
				f.count = 10
			}
			r, err := f.read(given[0], time.Now())
			if err != nil {
				return err
			}
			if f.digest {
				return a.printDigest(r, f.count)
			}
			return a.printFires(r, f.count)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.until, "until", "", "before this time, written like --from")
	cmd.Flags().IntVar(&f.count, "count", 0, "so many runs (default 10 without --until)")
	cmd.Flags().BoolVar(&f.digest, "sha256", false,
		"print only the SHA-256 of the runs: epoch seconds of their minutes in decimal, each minute once, joined with line feeds")
	cmd.MarkFlagsMutuallyExclusive("until", "count")
	return cmd
}

func (a *app) scheduleExplainCommand() *cobra.Command {
	var f scheduleFlags
	cmd := &cobra.Command{
		Use:   "explain EXPR",
		Short: "Say in words when an expression fires, with what is odd about it",
		Long: "Says in words when an expression fires, and warns of what is probably not meant: ranges that never match,\n" +
			"day fields that work otherwise than they look, runs that are lost or doubled at the clock changes of the\n" +
			"year. Exit code 3, and the reason, if the dialect refuses the expression.",
		Example: "  signalbox schedule explain --tz Europe/Berlin '30 2 1,15 * 5'",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			f.count = 1
			r, err := f.read(given[0], time.Now())
			if err != nil {
				return err
			}
			return a.printMeaning(r)
		},
	}
	f.register(cmd)
	return cmd
}

// read checks the flags and reads the expression.
func (f *scheduleFlags) read(expr string, now time.Time) (reading, error) {
	r := reading{from: now}
	d, err := schedule.ParseDialect(f.dialect)
	if err != nil {
		return r, fail(exitInput, "--dialect: %w", err)
	}
	if r.zone, err = time.LoadLocation(f.zone); err != nil {
		return r, fail(exitInput, "--tz %s: %w", f.zone, err)
	}
	if f.from != "" {
		if r.from, err = parseTime(f.from, r.zone); err != nil {
			return r, fail(exitInput, "--from %s: %w", f.from, err)
		}
	}
	r.until = r.from.AddDate(1000, 0, 0)
	if f.until != "" {
		if r.until, err = parseTime(f.until, r.zone); err != nil {
			return r, fail(exitInput, "--until %s: %w", f.until, err)
		}
		if !r.from.Before(r.until) {
			return r, fail(exitInput, "--until %s: it is not after --from", f.until)
		}
	}
	if f.until == "" && (f.count < 1 || f.count > maxFires) {
		return r, fail(exitInput, "--count %d: want 1 to %d", f.count, maxFires)
	}
	if r.Schedule, err = schedule.Parse(expr, d); err != nil {
		return r, fail(exitNoSchedule, "%q: %w", expr, err)
	}
	return r, f.applyTableZone(&r)
}

func (f *scheduleFlags) applyTableZone(r *reading) error {
	if f.tableZone == "" {
		return nil
	}
	zone, err := time.LoadLocation(f.tableZone)
	if err != nil {
		return fail(exitInput, "--cron-tz %s: %w (cronie would take UTC)", f.tableZone, err)
	}
	if r.Schedule, err = r.WithTableZone(zone); err != nil {
		return fail(exitInput, "--cron-tz: %w", err)
	}
	return nil
}

// parseTime reads a time. Without an offset it is one of the zone.
func parseTime(text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
		time.DateTime, "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("want a time such as 2026-03-29, 2026-03-29T02:30 or 2026-03-29T00:30Z")
}

// fire is a run in JSON.
type fire struct {
	UTC    string `json:"utc"`
	Local  string `json:"local"`
	MadeUp string `json:"made_up_for,omitempty"`
}

// fireHead says what was asked, and how many runs there are.
type fireHead struct {
	Expression string   `json:"expression"`
	Dialect    string   `json:"dialect"`
	Zone       string   `json:"zone"`
	Drawn      []string `json:"drawn_by_lot,omitempty"`
	Count      int      `json:"count"`
}

// fireList is what "schedule next" gives in JSON.
type fireList struct {
	fireHead
	Items []fire `json:"items"`
}

// fireDigest is what it gives with --sha256.
type fireDigest struct {
	fireHead
	SHA256 string `json:"sha256"`
}

func (r *reading) head() fireHead {
	return fireHead{Expression: r.String(), Dialect: string(r.Dialect()), Zone: r.zone.String(), Drawn: r.Drawn()}
}

func (a *app) printFires(r reading, count int) error {
	list := fireList{fireHead: r.head(), Items: []fire{}}
	for f := range r.Fires(r.from, r.until, r.zone) {
		if list.Count == maxFires {
			return fail(exitInput, "--until %s: there are more than %d runs until then; choose an earlier time", r.until.Format(time.RFC3339), maxFires)
		}
		list.Items = append(list.Items, fire{
			UTC: f.At.UTC().Format("2006-01-02T15:04Z"), Local: f.At.Format("2006-01-02T15:04-07:00"), MadeUp: f.MadeUp,
		})
		if list.Count++; list.Count == count {
			break
		}
	}
	if a.output == "json" {
		return a.printJSON(list)
	}
	if len(list.Drawn) > 0 {
		fmt.Fprintf(a.errOut, "warning: %s: drawn by lot when the daemon loads the table; the lowest value stands for it\n", strings.Join(list.Drawn, ", "))
	}
	if list.Count == 0 {
		fmt.Fprintf(a.errOut, "warning: no run in this time: %s\n", r.Explain())
		return nil
	}
	t := a.table("")
	t.row("UTC", "LOCAL", "MADE UP FOR")
	for _, f := range list.Items {
		t.row(f.UTC, f.Local, f.MadeUp)
	}
	t.flush()
	return nil
}

// digest sums up minutes, each once.
type digest struct {
	hash.Hash
	last int64
	any  bool
}

func (d *digest) add(epoch int64) {
	if d.any && epoch == d.last {
		return
	}
	text := strconv.FormatInt(epoch, 10)
	if d.any {
		text = "\n" + text
	}
	d.Write([]byte(text)) //nolint:errcheck,gosec // a hash takes everything
	d.last, d.any = epoch, true
}

func (a *app) printDigest(r reading, count int) error {
	list := fireDigest{fireHead: r.head()}
	if len(list.Drawn) > 0 {
		return fail(exitFailed, "cannot tell the runs: %s is drawn by lot when the daemon loads the table", strings.Join(list.Drawn, ", "))
	}
	d := digest{Hash: sha256.New()}
	for f := range r.Fires(r.from, r.until, r.zone) {
		d.add(f.At.Unix())
		if list.Count++; list.Count == count {
			break
		}
	}
	list.SHA256 = hex.EncodeToString(d.Sum(nil))
	if a.output == "json" {
		return a.printJSON(list)
	}
	fmt.Fprintln(a.out, list.SHA256)
	return nil
}

// meaning is what "schedule explain" gives in JSON.
type meaning struct {
	Expression string   `json:"expression"`
	Dialect    string   `json:"dialect"`
	Zone       string   `json:"zone"`
	Meaning    string   `json:"meaning"`
	Warnings   []string `json:"warnings"`
}

func (a *app) printMeaning(r reading) error {
	m := meaning{
		Expression: r.String(), Dialect: string(r.Dialect()), Zone: r.zone.String(),
		Meaning: r.Explain(), Warnings: r.Warnings(r.zone, r.from),
	}
	if a.output == "json" {
		if m.Warnings == nil {
			m.Warnings = []string{}
		}
		return a.printJSON(m)
	}
	fmt.Fprintf(a.out, "%s: %s\n", plain(m.Expression), plain(m.Meaning))
	for _, w := range m.Warnings {
		fmt.Fprintf(a.out, "  ! %s\n", plain(w))
	}
	return nil
}

// shield lets an expression that begins with a minus sign through to the commands about schedules. No
// flag looks like that: its second character is no letter, and there are blanks in it.
func shield(args []string) []string {
	if len(args) == 0 || args[0] != "schedule" {
		return args
	}
	for i, arg := range args {
		if arg == "--" {
			return args
		}
		expression := len(arg) > 1 && arg[0] == '-' && strings.ContainsAny(arg, " \t") && !strings.ContainsRune("-abcdefghijklmnopqrstuvwxyz", rune(arg[1]))
		if expression {
			rest := append(append([]string{}, args[:i]...), args[i+1:]...)
			return append(rest, "--", arg)
		}
	}
	return args
}
