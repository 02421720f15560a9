// Command estate runs the simulated legacy estate of the demonstration: two cron hosts reached over SSH
// on the loopback interface, with real crontabs that run real shell commands. It is for demonstrations
// and tests and no production server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitStopped = 0 // by a signal, everything ended
	exitFailed  = 1 // it could not start, or not stop everything
	exitUsage   = 2 // a flag is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage marks what exits with exitUsage.
var errUsage = errors.New("wrong flags")

// run runs the estate until ctx ends and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := command(ctx)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.Execute()
	switch {
	case err == nil:
		return exitStopped
	case errors.Is(err, errUsage):
		cmd.PrintErrf("estate: %v\nestate --help says more.\n", err)
		return exitUsage
	}
	cmd.PrintErrf("estate: %v\n", err)
	return exitFailed
}

func command(ctx context.Context) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "estate --dir DIR",
		Short: "Run two simulated cron hosts for demonstrations and manual tests",
		Long: `Run two simulated cron hosts, hosta and hostb, for demonstrations and manual tests.

Each is an SSH server on the loopback interface with a crontab that runs real shell commands in a folder
below DIR, as the user who runs estate. It is no production server.

DIR also gets a client key, known_hosts, signalbox.yaml and chains/nightly.yaml that fit. A DIR of an
earlier run is used on: its ports, keys, crontabs and what runs left behind. What exists is not
overwritten, so the files may be edited.

INT, TERM or HUP ends it, with everything that runs on the hosts. Only DIR stays.

Exit codes: 0 ended by a signal; 1 cannot start, or cannot end something; 2 wrong flags.`,
		Example:       "  estate --dir demo --fast 10s",
		Args:          usage(cobra.NoArgs),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.serve(ctx, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", "", "folder of the estate, made if it is missing (required)")
	flags.DurationVar(&o.fast, "fast", time.Minute, "length of one of cron's minutes, from 1s to 1m")
	flags.StringVar(&o.listen, "listen", "127.0.0.1", "loopback address to listen on; ports are chosen once and kept in DIR")
	flags.DurationVar(&o.skew, "hostb-clock", 0, "how much the clock of hostb is ahead, such as 7m or -90s")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	return cmd
}

// usage makes an error of arguments one of usage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return nil
	}
}
