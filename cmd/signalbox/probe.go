package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/config"
)

// probePages bounds how much history one probe reads.
const probePages = 20

// probed is what a probe found at one source.
type probed struct {
	Source     string              `json:"source"`
	Kind       string              `json:"kind"`
	OK         bool                `json:"ok"`
	Error      string              `json:"error,omitempty"`
	ErrorKind  adapters.Kind       `json:"error_kind,omitempty"`
	Fix        string              `json:"fix,omitempty"`
	Peer       string              `json:"peer"`
	Version    string              `json:"version,omitempty"`
	Address    string              `json:"address,omitempty"`
	HostKey    string              `json:"host_key,omitempty"`
	Zone       string              `json:"zone,omitempty"`
	StartClass adapters.StartClass `json:"start_class"`
	Confidence job.Confidence      `json:"confidence,omitempty"`
	OffsetMS   *int64              `json:"offset_ms,omitempty"` // source clock minus ours
	TookMS     int64               `json:"took_ms"`
	Abilities  []string            `json:"abilities"`
	Rights     []adapters.Right    `json:"rights"`
	CannotSee  []string            `json:"cannot_see"`
	Weaknesses []string            `json:"weaknesses,omitempty"`
	Jobs       []job.Job           `json:"jobs"`
	Problems   []adapters.Problem  `json:"problems"`
	Gaps       []adapters.Gap      `json:"gaps"`
	Runs       []job.Run           `json:"runs"`
	RunsMore   bool                `json:"runs_more,omitempty"` // there is more history than was read

	cause error
}

func (a *app) probeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "probe [SOURCE]",
		Short: "Connect to a source, poll it once, and say what is there, what is missing and what cannot be seen",
		Long: "Connects to one source, or to all, polls once, and prints job definitions, runs, properties, rights that\n" +
			"are missing and what cannot be seen. It changes nothing at the source and writes nothing here: every\n" +
			"call that changes something is refused before it is sent.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error { return a.probe(cmd.Context(), given) },
	}
}

func (a *app) probe(ctx context.Context, given []string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	picked := cfg.Sources
	if len(given) == 1 {
		i := slices.IndexFunc(picked, func(s config.Source) bool { return s.Name == given[0] })
		if i < 0 {
			return fail(exitNotFound, "source %q is not in %s; it has %s", given[0], a.configPath, sourceNames(cfg))
		}
		picked = picked[i : i+1]
	}
	found := make([]*probed, len(picked))
	for i := range picked {
		found[i] = a.probeSource(ctx, &picked[i])
	}
	if a.output == "json" {
		if err := a.printJSON(map[string]any{"sources": found}); err != nil {
			return err
		}
	} else {
		for i, p := range found {
			if i > 0 {
				fmt.Fprintln(a.out)
			}
			a.printProbe(p)
		}
	}
	for _, p := range found {
		if p.cause != nil {
			return &coded{exitCode(p.cause), fmt.Errorf("probe %s: %w", p.Source, p.cause)}
		}
	}
	return nil
}

func (a *app) probeSource(ctx context.Context, c *config.Source) *probed {
	p := &probed{
		Source: c.Name, Kind: c.Kind, Abilities: []string{}, Rights: []adapters.Right{}, CannotSee: []string{},
		Jobs: []job.Job{}, Problems: []adapters.Problem{}, Gaps: []adapters.Gap{}, Runs: []job.Run{},
	}
	log := newLog(a.errOut, config.Log{Level: slog.LevelError})
	s, err := openSource(c, log, true)
	if err != nil {
		p.fail(err)
		return p
	}
	defer closing(log, s)
	begun := time.Now()
	p.read(ctx, s)
	p.TookMS = time.Since(begun).Milliseconds()
	p.describe(s)
	return p
}

func (p *probed) fail(err error) {
	p.cause, p.Error = err, err.Error()
	if e, ok := errors.AsType[*adapters.Error](err); ok {
		p.ErrorKind, p.Fix = e.Kind, e.Fix
	}
}

// read polls from the beginning of what the source still has, and lists the definitions.
func (p *probed) read(ctx context.Context, s *adapters.Source) {
	runs := map[job.RunKey]job.Run{}
	var cursor adapters.Cursor
	for page := 0; ; page++ {
		b, err := s.Poll(ctx, cursor)
		if err != nil {
			p.fail(err)
			return
		}
		for i := range b.Observations {
			o := &b.Observations[i]
			runs[o.Run], _ = job.Merge(runs[o.Run], o, job.Hash{})
		}
		p.Gaps = append(p.Gaps, b.Gaps...)
		cursor = b.Next
		if !b.More {
			break
		}
		if page+1 == probePages {
			p.RunsMore = true
			break
		}
	}
	for _, r := range runs {
		p.Runs = append(p.Runs, r)
	}
	slices.SortFunc(p.Runs, func(a, b job.Run) int { return b.Begun().At.Compare(a.Begun().At) })
	if s.Abilities().List {
		l, err := s.List(ctx)
		if err != nil {
			p.fail(err)
			return
		}
		p.Jobs, p.Problems = append(p.Jobs, l.Jobs...), append(p.Problems, l.Problems...)
	}
	p.OK = true
}

func (p *probed) describe(s *adapters.Source) {
	props, h, can := s.Properties(), s.Health(), s.Abilities()
	p.Peer, p.Version, p.Address, p.HostKey, p.Zone = props.Peer, props.Version, props.Address, props.HostKey, props.Zone
	p.StartClass, p.Confidence, p.Weaknesses = props.Start, props.Confidence, props.Weaknesses
	p.Rights = append(p.Rights, props.Rights...)
	p.CannotSee = append(p.CannotSee, props.KnownGaps...)
	if h.Offset != nil {
		ms := h.Offset.Milliseconds()
		p.OffsetMS = &ms
	}
	for _, x := range []struct {
		name string
		can  bool
	}{
		{"list", can.List},
		{"start", can.Start},
		{"find", can.Find},
		{"cancel", can.Cancel},
		{"hold", can.Hold},
		{"read_log", can.ReadLog},
		{"watch", can.Watch},
		{"deploy", can.Deploy},
	} {
		if x.can {
			p.Abilities = append(p.Abilities, x.name)
		}
	}
}

func (a *app) printProbe(p *probed) {
	fmt.Fprintf(a.out, "SOURCE %s (%s)\n", p.Source, p.Kind)
	if p.cause != nil {
		fmt.Fprintf(a.out, "  cannot be read: %s\n", p.Error)
		if p.Fix != "" {
			fmt.Fprintf(a.out, "  what you can do: %s\n", p.Fix)
		}
	}
	t := a.table("  ")
	t.row("peer", p.Peer+" "+p.Version)
	t.row("address", p.Address)
	t.row("host key", p.HostKey)
	t.row("zone", p.Zone)
	t.row("clock", offsetText(p.OffsetMS))
	t.row("start class", string(p.StartClass))
	t.row("best evidence", string(p.Confidence))
	t.row("answered in", fmt.Sprintf("%d ms", p.TookMS))
	t.flush()
	a.printRights(p)
	a.printNotes(p)
	if p.cause != nil {
		return
	}
	fmt.Fprintf(a.out, "\n  JOBS (%d)\n", len(p.Jobs))
	a.jobRows("  ", p.Jobs)
	fmt.Fprintf(a.out, "\n  RUNS (%d)\n", len(p.Runs))
	a.runRows("  ", p.Runs[:min(len(p.Runs), 20)])
	if len(p.Runs) > 20 || p.RunsMore {
		fmt.Fprintln(a.out, "  … there are more; --output json prints all that were read")
	}
}

func (a *app) printRights(p *probed) {
	for _, r := range p.Rights {
		if r.Granted == adapters.GrantYes {
			continue
		}
		need := "missing"
		if r.Granted == adapters.GrantUnknown {
			need = "not checked"
		}
		if r.Needed {
			need += ", needed"
		}
		fmt.Fprintf(a.out, "  right %s: %s (%s)\n", need, r.Name, r.Why)
		if r.Fix != "" {
			fmt.Fprintf(a.out, "    %s\n", r.Fix)
		}
	}
}

func (a *app) printNotes(p *probed) {
	for _, g := range p.CannotSee {
		fmt.Fprintln(a.out, "  cannot see:", g)
	}
	for _, w := range p.Weaknesses {
		fmt.Fprintln(a.out, "  weak:", w)
	}
	for _, g := range p.Gaps {
		fmt.Fprintln(a.out, "  lost:", g.What)
	}
	for _, q := range p.Problems {
		fmt.Fprintf(a.out, "  problem: %s: %s\n", q.Where, q.What)
		if q.Fix != "" {
			fmt.Fprintf(a.out, "    %s\n", q.Fix)
		}
	}
}

func offsetText(ms *int64) string {
	if ms == nil {
		return "offset not measured"
	}
	d := time.Duration(*ms) * time.Millisecond
	switch {
	case d > time.Second:
		return d.String() + " ahead of ours"
	case d < -time.Second:
		return (-d).String() + " behind ours"
	}
	return "agrees with ours within a second"
}
