// Command signalbox watches the job schedulers that an organisation already has, and releases jobs
// across them when what they depend on is really ready. It reads flags, loads the configuration, wires
// the parts and runs them; it decides nothing.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a host without zone files must read the same business dates
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run carries out one command line and gives the exit code. SIGINT and SIGTERM end it gracefully; a
// second one ends it at once.
func run(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	printed := &checked{w: out}
	root := newRoot(printed, errOut)
	root.SetArgs(shield(args))
	err := root.ExecuteContext(ctx)
	if err == nil && printed.err != nil {
		err = fail(exitFailed, "print: %w", printed.err)
	}
	if err != nil {
		complain(errOut, err)
	}
	return exitCode(err)
}

// checked remembers the first error of a writer, so that a list that was cut off by a full disk is not
// taken for a whole one.
type checked struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (c *checked) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}
