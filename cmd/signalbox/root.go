package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"signalbox/adapters"
	"signalbox/adapters/all"
	"signalbox/config"
	"signalbox/federation/store"
)

// The exit codes. They are part of the interface: scripts test them.
const (
	exitOK          = 0
	exitFailed      = 1 // the command could not be carried out
	exitInput       = 2 // wrong command line or configuration
	exitNotFound    = 3 // what was named does not exist
	exitRefused     = 4 // denied, or refused as things stand
	exitUnavailable = 5 // a source, the server or the database cannot be used now
)

const exitHelp = `Exit codes: 0 done; 1 could not be carried out; 2 wrong command line or configuration;
3 what was named does not exist; 4 denied or refused; 5 a source, the server or the database
cannot be used now.`

// coded is an error that knows its exit code.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

func fail(code int, format string, a ...any) error { return &coded{code, fmt.Errorf(format, a...)} }

// exitCode maps an error to its code.
func exitCode(err error) int {
	var c *coded
	var faults config.Faults
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &c):
		return c.code
	case errors.As(err, &faults):
		return exitInput
	case errors.Is(err, store.ErrNotFound):
		return exitNotFound
	case errors.Is(err, store.ErrLocked):
		return exitUnavailable
	}
	if peer, ok := errors.AsType[*adapters.Error](err); ok {
		return peerCode(peer.Kind)
	}
	return exitFailed
}

func peerCode(k adapters.Kind) int {
	switch k {
	case adapters.Unavailable:
		return exitUnavailable
	case adapters.Denied, adapters.Rejected, adapters.Unsupported:
		return exitRefused
	case adapters.NotFound:
		return exitNotFound
	case adapters.Malformed:
	}
	return exitFailed
}

// complain prints an error, and what a person can do about it where that is known.
func complain(w io.Writer, err error) {
	if faults, ok := errors.AsType[config.Faults](err); ok {
		fmt.Fprintln(w, faults.Error())
		fmt.Fprintln(w, faults.Summary())
		return
	}
	fmt.Fprintln(w, "signalbox:", err)
	var peer *adapters.Error
	if errors.As(err, &peer) && peer.Fix != "" {
		fmt.Fprintln(w, "  what you can do:", strings.ReplaceAll(peer.Fix, "\n", "\n  "))
	}
}

// app is what all commands share.
type app struct {
	out, errOut io.Writer
	configPath  string
	output      string // table or json
}

func newRoot(out, errOut io.Writer) *cobra.Command {
	a := &app{out: out, errOut: errOut}
	root := &cobra.Command{
		Use:   "signalbox",
		Short: "Release jobs across schedulers when what they depend on is really ready",
		Long: "Signalbox sits above the job schedulers that you have, sees what runs in all of them, and releases each\n" +
			"job when what it depends on is really ready. It replaces none of them.\n\n" + exitHelp,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	group(root)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fail(exitInput, "%w (see %s --help)", err, c.CommandPath())
	})
	root.PersistentFlags().StringVarP(&a.configPath, "config", "c", "signalbox.yaml", "configuration file")
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "table", "table or json, for commands that list something")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if a.output != "table" && a.output != "json" {
			return fail(exitInput, "--output %s: want table or json", a.output)
		}
		return nil
	}
	root.AddCommand(
		a.serveCommand(), a.validateCommand(), a.configCommand(), a.probeCommand(),
		a.sourcesCommand(), a.jobsCommand(), a.runsCommand(), a.chainsCommand(), a.instancesCommand(), a.whyCommand(),
		a.auditCommand(), a.wrapCommand(), a.nativeCommand(), a.cancelCommand(),
		a.scheduleCommand(),
	)
	root.AddCommand(a.verbCommands()...)
	return root
}

// args wraps a check of arguments so that a wrong number of them is a wrong command line.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := check(c, given); err != nil {
			return fail(exitInput, "%w (usage: %s)", err, c.UseLine())
		}
		return nil
	}
}

// group makes a command that only holds others: alone it prints its help, and an unknown one is a wrong
// command line.
func group(c *cobra.Command) *cobra.Command {
	c.Args = func(c *cobra.Command, given []string) error {
		if len(given) == 0 {
			return nil
		}
		hint := "see " + c.CommandPath() + " --help"
		if near := c.SuggestionsFor(given[0]); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return fail(exitInput, "unknown command %q; %s", given[0], hint)
	}
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}

// load reads the configuration and prints its warnings.
func (a *app) load() (*config.Config, error) {
	cfg, err := config.Load(a.configPath, all.Kinds())
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(a.errOut, "warning:", w)
	}
	return cfg, nil
}

// version tells which build this is.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v, revision := info.Main.Version, ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			revision = s.Value[:12]
		}
	}
	if v == "" || v == "(devel)" {
		v = "unreleased"
	}
	if revision != "" && !strings.Contains(v, revision) {
		v += " (" + revision + ")"
	}
	return v
}
