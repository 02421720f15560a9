// Command tally reads the output of "go test -json" and says what happened: a line per package, the
// output of what failed, why what was skipped was skipped, and last of all the figures.
//
//	go test -json ./... | tally [-no-skip FILE]
//
// FILE names suites that may not skip, one package pattern a line ("signalbox/test/..." means the
// package and all below it); a listed suite that skips a test, or that did not run at all, fails. A
// line "accept REASON" accepts skips whose reason begins so.
//
// Exit codes: 0 all well; 1 something failed, skipped what it may not, or nothing ran; 2 wrong use.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, in io.Reader, out, errs io.Writer) int {
	flags := flag.NewFlagSet("tally", flag.ContinueOnError)
	flags.SetOutput(errs)
	list := flags.String("no-skip", "", "file with the suites that may not skip")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var strict rules
	if *list != "" {
		text, err := os.ReadFile(*list)
		if err != nil {
			_, _ = fmt.Fprintln(errs, "tally: cannot read the list of suites:", err)
			return 2
		}
		strict = parseRules(string(text))
	}
	t := newTally(out)
	if err := t.read(in); err != nil {
		_, _ = fmt.Fprintln(errs, "tally: cannot read the test output:", err)
		return 2
	}
	if !t.finish(strict) {
		return 1
	}
	return 0
}
