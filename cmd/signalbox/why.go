package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"signalbox/adapters/job"
	"signalbox/federation/store/sqlite"
	"signalbox/lineage"
	"signalbox/ui/api"
)

func (a *app) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why RUN",
		Short: "Say why a run started: every decision and observation that led to it",
		Long:  "RUN is as \"signalbox runs\" prints it: SOURCE/JOB#NATIVE-ID.",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			k, err := job.ParseRunKey(given[0])
			if err != nil {
				return fail(exitInput, "%w", err)
			}
			return a.withLedger(cmd.Context(), func(r *sqlite.Reader) error {
				step, err := lineage.Why(cmd.Context(), r, k, lineage.Limits{})
				if err != nil {
					return fmt.Errorf("run %s: %w", k, err)
				}
				if a.output == "json" {
					return a.printJSON(api.StepOf(step))
				}
				a.printStep(step, 0)
				return nil
			})
		},
	}
}

func (a *app) printStep(s *lineage.Step, depth int) {
	indent := strings.Repeat("    ", depth)
	say := func(format string, args ...any) { fmt.Fprintln(a.out, indent+plain(fmt.Sprintf(format, args...))) }
	say("%s  %s", s.Run.Key, s.Run.State())
	say("  %s", s.Sentence)
	for i := range s.Observations {
		o := &s.Observations[i]
		say("  seen %s  %s %s  record %d %s", clock(o.Said.Sighting.Seen), o.Said.State, o.Said.NativeState, o.Seq, o.Hash.Short())
	}
	if s.MoreObservations {
		say("  … earlier observations are left out")
	}
	if r := s.Release; r != nil {
		say("  released %s by %s: %s", clock(r.Receipt.DecidedAt), r.Receipt.Instance, r.Receipt.Reason)
		say("  receipt %d %s, token %s, start %s", r.Seq, r.Hash.Short(), r.Receipt.Token, r.Intent.State)
	}
	if d := s.Definition; d != nil {
		say("  by version %s of chain %s", d.Version.Short(), d.Chain)
	}
	for _, f := range s.Faults {
		say("  ! %s", f)
	}
	for i := range s.Inputs {
		a.printInput(&s.Inputs[i], depth)
	}
}

func (a *app) printInput(in *lineage.Input, depth int) {
	indent := strings.Repeat("    ", depth)
	line := fmt.Sprintf("%s  because %s (on %s) was %s", indent, in.Node, in.On, in.State)
	if in.Settled != "" {
		line = fmt.Sprintf("%s  because %s (on %s) was %s by a person", indent, in.Node, in.On, strings.ReplaceAll(string(in.Settled), "_", " "))
	}
	if in.Evidence != nil {
		line += fmt.Sprintf(", record %d %s, seen %s", in.Evidence.Seq, in.Evidence.Hash.Short(), clock(in.Seen))
	}
	fmt.Fprintln(a.out, plain(line))
	switch {
	case in.Step != nil:
		a.printStep(in.Step, depth+1)
	case in.Again:
		fmt.Fprintln(a.out, indent+"    (told above)")
	case in.More:
		fmt.Fprintln(a.out, indent+"    (more: signalbox why '"+in.Run.String()+"')")
	}
}

func (a *app) auditCommand() *cobra.Command {
	cmd := group(&cobra.Command{Use: "audit", Short: "Prove what the ledger says"})
	cmd.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Check every record against its hash and compute every decision again",
		Long: "Reads the whole ledger, checks each record against its hash, computes every decision again from nothing\n" +
			"but the records before it, and compares the bytes. Exit code 1 if anything differs.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withLedger(cmd.Context(), func(r *sqlite.Reader) error {
				report, err := lineage.Replay(cmd.Context(), r)
				if err != nil {
					return err
				}
				return a.printReport(&report)
			})
		},
	})
	return cmd
}

func (a *app) printReport(r *lineage.Report) error {
	type fault struct {
		Seq  int64  `json:"seq"`
		Hash string `json:"hash"`
		What string `json:"what"`
	}
	faults := convert(r.Faults, func(m lineage.Mismatch) fault { return fault{m.Seq, m.Hash.String(), m.What} })
	if a.output == "json" {
		if err := a.printJSON(map[string]any{
			"records": r.Records, "decisions": r.Decisions, "equal": r.Equal, "faults": faults, "more_faults": r.More,
		}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.out, "%d records, %d decisions computed again, %d equal to the byte\n", r.Records, r.Decisions, r.Equal)
		for _, f := range faults {
			fmt.Fprintf(a.out, "record %d %.12s: %s\n", f.Seq, f.Hash, plain(f.What))
		}
		if r.More {
			fmt.Fprintln(a.out, "… and more")
		}
	}
	if len(faults) > 0 {
		return fail(exitFailed, "the ledger does not prove its decisions")
	}
	return nil
}
