package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The actions of "go test -json" that end something.
const (
	passed  = "pass"
	failed  = "fail"
	skipped = "skip"
)

// event is one line of "go test -json"; see "go doc test2json" and "go help buildjson".
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build
	Test        string
	Output      string
	FailedBuild string
	Elapsed     float64 // seconds
}

// suite is what is known of one package.
type suite struct {
	name    string
	outcome string // empty while it runs
	seconds float64
	tests   map[string]*test
	below   map[string][]string // outcomes of the subtests, by test; known once the suite is settled
	output  strings.Builder     // of the package itself
}

// test is one test or subtest.
type test struct {
	outcome string // empty while it runs
	output  strings.Builder
}

// tally collects events and prints each package as it ends.
type tally struct {
	out    io.Writer
	suites map[string]*suite
	builds map[string]*strings.Builder // compiler output by import path
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, suites: map[string]*suite{}, builds: map[string]*strings.Builder{}}
}

// read takes all events. Lines that are none (a panic of the go command, for instance) are printed.
func (t *tally) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
				t.add(e)
			} else {
				t.print("%s\n", strings.TrimSuffix(line, "\n"))
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) add(e event) {
	switch {
	case e.Package == "":
		if t.builds[e.ImportPath] == nil {
			t.builds[e.ImportPath] = &strings.Builder{}
		}
		t.builds[e.ImportPath].WriteString(e.Output)
	case e.Test == "":
		t.addSuite(e)
	default:
		t.suite(e.Package).add(e)
	}
}

func (t *tally) addSuite(e event) {
	s := t.suite(e.Package)
	switch e.Action {
	case "output":
		s.output.WriteString(e.Output)
	case passed, failed, skipped:
		s.outcome, s.seconds = e.Action, e.Elapsed
		if b := t.builds[e.FailedBuild]; b != nil {
			s.output.WriteString(b.String())
		}
		t.report(s)
	}
}

func (t *tally) suite(name string) *suite {
	s := t.suites[name]
	if s == nil {
		s = &suite{name: name, tests: map[string]*test{}}
		t.suites[name] = s
	}
	return s
}

func (s *suite) add(e event) {
	x := s.tests[e.Test]
	if x == nil {
		x = &test{}
		s.tests[e.Test] = x
	}
	switch e.Action {
	case "output":
		x.output.WriteString(e.Output)
	case passed:
		x.outcome = passed
		x.output.Reset() // nobody asks for it any more
	case failed, skipped:
		x.outcome = e.Action
	}
}

// settle gives each test that never ended the outcome "fail", since silence is no success, and notes
// for each test what its subtests came to.
func (s *suite) settle() {
	s.below = map[string][]string{}
	for name, x := range s.tests {
		if x.outcome == "" {
			x.outcome = failed
			x.output.WriteString("    did not end\n")
		}
		for i, c := range name {
			if parent := name[:i]; c == '/' && !slices.Contains(s.below[parent], x.outcome) {
				s.below[parent] = append(s.below[parent], x.outcome)
			}
		}
	}
}

// named gives the tests with this outcome, sorted. Subtests speak for the test they are in: it counts
// itself only when it failed or was skipped and none of them was.
func (s *suite) named(outcome string) []string {
	var names []string
	for name, x := range s.tests {
		spoken := len(s.below[name]) > 0 && (outcome == passed || slices.Contains(s.below[name], outcome))
		if x.outcome == outcome && !spoken {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// failures gives the tests that failed. A package that failed though no test of it did (it does not
// compile, or it ended badly) is named by an empty string.
func (s *suite) failures() []string {
	names := s.named(failed)
	if len(names) == 0 && s.outcome != passed && s.outcome != skipped {
		names = []string{""}
	}
	return names
}

// report prints a package that has ended.
func (t *tally) report(s *suite) {
	s.settle()
	bad := s.failures()
	switch {
	case len(bad) > 0:
		t.print("FAIL %s (%.1f s)\n", s.name, s.seconds)
		for _, name := range bad {
			t.print("--- FAIL %s\n%s", strings.TrimSpace(s.name+" "+name), indent(s.outputOf(name)))
		}
		if bad[0] != "" {
			t.print("--- output of %s\n%s", s.name, indent(s.output.String()))
		}
	case s.outcome == skipped:
		t.print("none %s (no tests)\n", s.name)
	default:
		skips := ""
		if n := len(s.named(skipped)); n > 0 {
			skips = fmt.Sprintf(", %d skipped", n)
		}
		t.print("ok   %s (%d passed%s, %.1f s)\n", s.name, len(s.named(passed)), skips, s.seconds)
	}
}

func (s *suite) outputOf(name string) string {
	if name == "" {
		return s.output.String()
	}
	return s.tests[name].output.String()
}

func (t *tally) print(format string, a ...any) {
	_, _ = fmt.Fprintf(t.out, format, a...)
}

// indent drops the marks of the test runner and sets the rest off.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if mark(line) {
			continue
		}
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}

// mark tells the test runner's own lines.
func mark(line string) bool {
	for _, m := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "PASS\n"} {
		if strings.HasPrefix(line, m) {
			return true
		}
	}
	return false
}
