package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/config"
)

// withSource opens one configured source and hands it to a function. Nothing but errors is logged: the
// command prints what matters.
func (a *app) withSource(name string, readOnly bool, use func(*adapters.Source) error) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return s.Name == name })
	if i < 0 {
		return fail(exitNotFound, "source %q is not in %s; it has %s", name, a.configPath, sourceNames(cfg))
	}
	log := newLog(a.errOut, config.Log{Level: slog.LevelError})
	s, err := openSource(&cfg.Sources[i], log, readOnly)
	if err != nil {
		return &coded{exitInput, err}
	}
	defer closing(log, s)
	return use(s)
}

func sourceNames(cfg *config.Config) string {
	if len(cfg.Sources) == 0 {
		return "none"
	}
	names := make([]string, len(cfg.Sources))
	for i := range cfg.Sources {
		names[i] = cfg.Sources[i].Name
	}
	return strings.Join(names, ", ")
}

func (a *app) wrapCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "wrap",
		Short: "Install or remove the wrapper that makes the ends of jobs known",
		Long: "The wrapper goes round every job of a source and notes start, end and exit code. Jobs run exactly as\n" +
			"before, whatever happens to the notes. With --dry-run nothing is changed.",
	})
	deploy := func(use, short string, do func(*adapters.Source, context.Context, bool) (adapters.Change, error)) *cobra.Command {
		var dry bool
		c := &cobra.Command{
			Use: use + " SOURCE", Short: short, Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, given []string) error {
				return a.withSource(given[0], dry, func(s *adapters.Source) error {
					change, err := do(s, cmd.Context(), dry)
					if err != nil {
						return err
					}
					a.printChange(change)
					return nil
				})
			},
		}
		c.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
		return c
	}
	cmd.AddCommand(
		deploy("install", "Install the wrapper, or bring it up to date", (*adapters.Source).Deploy),
		deploy("remove", "Remove the wrapper and restore what was there", (*adapters.Source).Undeploy),
	)
	return cmd
}

func (a *app) printChange(c adapters.Change) {
	if c.Diff != "" {
		fmt.Fprintln(a.out, strings.TrimRight(c.Diff, "\n"))
	}
	for _, s := range c.Steps {
		fmt.Fprintln(a.out, "-", s)
	}
	switch {
	case len(c.Steps) == 0 && c.Diff == "":
		fmt.Fprintln(a.out, "nothing to do")
	case c.Done:
		fmt.Fprintln(a.out, "done")
	default:
		fmt.Fprintln(a.out, "nothing was changed (dry run)")
	}
}

func (a *app) nativeCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "native",
		Short: "Take a job's native schedule out of effect, or put it back",
		Long: "A job in stage drive is started by Signalbox; its own schedule must be out of effect, or it would start\n" +
			"twice. What is needed to restore it stays at the source, where a person finds it without Signalbox.",
	})
	one := func(use, short, done string, do func(*adapters.Source, context.Context, string) error) *cobra.Command {
		return &cobra.Command{
			Use: use + " SOURCE/JOB", Short: short, Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, given []string) error {
				ref, err := job.ParseRef(given[0])
				if err != nil {
					return fail(exitInput, "%w", err)
				}
				return a.withSource(ref.Source, false, func(s *adapters.Source) error {
					if err := do(s, cmd.Context(), ref.Job); err != nil {
						return err
					}
					fmt.Fprintf(a.out, "%s: native schedule %s\n", ref, done)
					return nil
				})
			},
		}
	}
	cmd.AddCommand(
		one("hold", "Take the native schedule out of effect", "out of effect", (*adapters.Source).Hold),
		one("unhold", "Put the native schedule back exactly as it was", "in effect again", (*adapters.Source).Unhold),
	)
	return cmd
}
