package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/ui/api"
)

// withLedger opens the ledger for reading, whether a server runs or not.
func (a *app) withLedger(ctx context.Context, read func(*sqlite.Reader) error) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	r, err := sqlite.OpenReadOnly(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	return read(r)
}

// listed prints a list in the form that was asked for; items are what the API would give.
func listed[T any](a *app, items []T, table func()) error {
	if a.output == "json" {
		if items == nil {
			items = []T{}
		}
		return a.printJSON(api.List[T]{Items: items})
	}
	table()
	return nil
}

func convert[F, T any](from []F, to func(F) T) []T {
	out := make([]T, len(from))
	for i := range from {
		out[i] = to(from[i])
	}
	return out
}

func (a *app) jobsCommand() *cobra.Command {
	f := store.JobFilter{Limit: 1000}
	cmd := &cobra.Command{
		Use: "jobs", Short: "List the jobs that the sources define", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withLedger(cmd.Context(), func(r *sqlite.Reader) error {
				jobs, err := r.Jobs(cmd.Context(), f)
				if err != nil {
					return err
				}
				return listed(a, convert(jobs, api.JobOf), func() { a.jobRows("", jobs) })
			})
		},
	}
	cmd.Flags().StringVar(&f.Source, "source", "", "only of this source")
	return cmd
}

func (a *app) runsCommand() *cobra.Command {
	var ref, state string
	f := store.RunFilter{}
	cmd := &cobra.Command{
		Use: "runs", Short: "List runs, latest activity first", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := runFilter(&f, ref, state); err != nil {
				return err
			}
			return a.withLedger(cmd.Context(), func(r *sqlite.Reader) error {
				runs, err := r.Runs(cmd.Context(), f)
				if err != nil {
					return err
				}
				return listed(a, convert(runs, api.RunOf), func() { a.runRows("", runs) })
			})
		},
	}
	cmd.Flags().StringVar(&ref, "job", "", "only of this job, SOURCE/JOB")
	cmd.Flags().StringVar(&f.Source, "source", "", "only of this source")
	cmd.Flags().StringVar(&state, "state", "", "only in this state")
	cmd.Flags().IntVar(&f.Limit, "limit", 50, "at most so many, up to 1000")
	return cmd
}

func runFilter(f *store.RunFilter, ref, state string) error {
	if ref != "" {
		r, err := job.ParseRef(ref)
		if err != nil {
			return fail(exitInput, "--job: %w", err)
		}
		f.Source, f.Job = r.Source, r.Job
	}
	if state != "" {
		s := job.State(state)
		if !s.Valid() {
			return fail(exitInput, "--state %s: want one of %v", state, job.States())
		}
		f.States = []job.State{s}
	}
	if f.Limit < 1 || f.Limit > 1000 {
		return fail(exitInput, "--limit %d: want 1 to 1000", f.Limit)
	}
	return nil
}

func (a *app) chainsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "chains", Short: "List the chains in service and how their latest instances stand", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withLedger(cmd.Context(), func(r *sqlite.Reader) error { return a.chains(cmd.Context(), r) })
		},
	}
}

func (a *app) chains(ctx context.Context, r *sqlite.Reader) error {
	defs, err := r.Definitions(ctx)
	if err != nil {
		return err
	}
	items := make([]api.Chain, len(defs))
	t := a.table("")
	t.row("CHAIN", "VERSION", "JOBS", "LATEST INSTANCE", "STATE")
	for i := range defs {
		rec, err := defs[i].Seal()
		if err != nil {
			return err
		}
		items[i] = api.ChainOf(defs[i], rec.Hash)
		latest, err := r.Instances(ctx, store.InstanceFilter{Chain: defs[i].Chain, Limit: 1})
		if err != nil {
			return err
		}
		key, state := "none yet", ""
		if len(latest) == 1 {
			key, state = latest[0].Key.String(), instanceState(&latest[0])
		}
		t.row(defs[i].Chain, rec.Hash.Short(), fmt.Sprint(len(defs[i].Nodes)), key, state)
	}
	return listed(a, items, t.flush)
}

// instanceState sums an instance up: open or closed, and how many of its jobs stand where.
func instanceState(in *chain.Instance) string {
	s := "open"
	if !in.Closed.IsZero() {
		s = "closed"
	}
	count := map[job.State]int{}
	for i := range in.Nodes {
		count[in.Nodes[i].State()]++
	}
	for _, state := range job.States() {
		if n := count[state]; n > 0 {
			s += fmt.Sprintf(", %d %s", n, state)
		}
	}
	return s
}

func (a *app) instancesCommand() *cobra.Command {
	f := store.InstanceFilter{}
	cmd := &cobra.Command{
		Use: "instances [INSTANCE]", Short: "List instances of chains, latest first; or one with its jobs", Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withLedger(cmd.Context(), func(r *sqlite.Reader) error {
				if len(given) == 1 {
					return a.instance(cmd.Context(), r, given[0])
				}
				found, err := r.Instances(cmd.Context(), f)
				if err != nil {
					return err
				}
				return listed(a, convert(found, func(in chain.Instance) api.Instance { return api.InstanceOf(in, nil, nil) }), func() {
					t := a.table("")
					t.row("INSTANCE", "OPENED", "STATE")
					for i := range found {
						t.row(found[i].Key.String(), clock(found[i].Opened), instanceState(&found[i]))
					}
					t.flush()
				})
			})
		},
	}
	cmd.Flags().StringVar(&f.Chain, "chain", "", "only of this chain")
	cmd.Flags().BoolVar(&f.Open, "open", false, "only open ones")
	cmd.Flags().IntVar(&f.Limit, "limit", 50, "at most so many, up to 1000")
	return cmd
}

func (a *app) instance(ctx context.Context, r *sqlite.Reader, key string) error {
	k, err := chain.ParseKey(key)
	if err != nil {
		return fail(exitInput, "%w", err)
	}
	in, err := r.Instance(ctx, k)
	if err != nil {
		return fmt.Errorf("instance %s: %w", k, err)
	}
	def, err := r.Definition(ctx, in.Version)
	if err != nil {
		return fmt.Errorf("definition %s of %s: %w", in.Version.Short(), k, err)
	}
	if a.output == "json" {
		return a.printJSON(api.InstanceOf(in, &def, nil))
	}
	fmt.Fprintf(a.out, "%s  %s\n", k, instanceState(&in))
	t := a.table("  ")
	t.row("JOB", "STATE", "STAGE", "RELEASED", "SEND", "RUN", "NOTE")
	for i := range in.Nodes {
		n := &in.Nodes[i]
		run := ""
		if n.Run != nil {
			run = n.Run.Key.String()
		}
		t.row(n.Name, string(n.State()), string(def.Nodes[i].Stage), clock(n.Released), string(n.Send), run, n.SendNote)
	}
	t.flush()
	return nil
}

// age says how long ago something was, for people.
func age(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return now.Sub(t).Round(time.Second).String() + " ago"
}
