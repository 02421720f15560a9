package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// rules say what may not be skipped.
type rules struct {
	suites []string // package patterns
	accept []string // beginnings of reasons that are accepted all the same
}

// finish prints the summary and says whether all is well. Suites that match a pattern of the rules may
// not skip, and each pattern must match a suite that ran a test.
func (t *tally) finish(strict rules) bool {
	var good, bad, skips, broken, empty int
	for _, s := range t.sorted() {
		if s.outcome == "" { // the stream ended before it did
			t.report(s)
		}
		good += len(s.named(passed))
		skips += len(s.named(skipped))
		n := len(s.failures())
		bad += n
		switch {
		case n > 0:
			broken++
		case s.outcome == skipped:
			empty++
		}
	}
	t.print("\npackages: %d ok, %d failed, %d without tests\n", len(t.suites)-broken-empty, broken, empty)
	t.printFailures()
	t.printSkips()
	missed := t.unmet(strict)
	for _, m := range missed {
		t.print("not acceptable here: %s\n", m)
	}
	if good+bad+skips == 0 {
		t.print("no test ran\n")
	}
	t.print("%d passed, %d failed, %d skipped\n", good, bad, skips)
	return bad == 0 && good > 0 && len(missed) == 0
}

func (t *tally) sorted() []*suite {
	all := slices.Collect(maps.Values(t.suites))
	slices.SortFunc(all, func(a, b *suite) int { return strings.Compare(a.name, b.name) })
	return all
}

func (t *tally) printFailures() {
	for _, s := range t.sorted() {
		for _, name := range s.failures() {
			if name == "" {
				name = "(the package itself)"
			}
			t.print("failed: %s %s\n", s.name, name)
		}
	}
}

// printSkips prints each reason once, with everything that gave it.
func (t *tally) printSkips() {
	byReason := map[string][]string{}
	for _, s := range t.sorted() {
		for _, name := range s.named(skipped) {
			r := reason(s.tests[name].output.String())
			byReason[r] = append(byReason[r], s.name+" "+name)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(byReason)) {
		t.print("skipped: %s\n", r)
		for _, name := range byReason[r] {
			t.print("    %s\n", name)
		}
	}
}

// said finds what a test said through t.Skip: "    file_test.go:12: text".
var said = regexp.MustCompile(`(?m)^\s*\S+\.go:\d+: (.+)$`)

// reason gives the last thing that a skipped test said.
func reason(output string) string {
	all := said.FindAllStringSubmatch(output, -1)
	if len(all) == 0 {
		return "(no reason given)"
	}
	return all[len(all)-1][1]
}

// unmet says what the rules ask for and did not get.
func (t *tally) unmet(strict rules) []string {
	var out []string
	for _, pattern := range strict.suites {
		ran := false
		for _, s := range t.sorted() {
			if !matches(pattern, s.name) {
				continue
			}
			ran = ran || len(s.named(passed))+len(s.named(failed)) > 0
			out = append(out, s.unaccepted(strict.accept)...)
		}
		if !ran {
			out = append(out, pattern+" ran no test")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unaccepted names the tests that were skipped for a reason that is not accepted.
func (s *suite) unaccepted(accept []string) []string {
	var out []string
	for _, name := range s.named(skipped) {
		r := reason(s.tests[name].output.String())
		if !slices.ContainsFunc(accept, func(a string) bool { return strings.HasPrefix(r, a) }) {
			out = append(out, fmt.Sprintf("%s %s was skipped", s.name, name))
		}
	}
	return out
}

// matches says whether a package falls under a pattern.
func matches(pattern, name string) bool {
	root, below := strings.CutSuffix(pattern, "/...")
	return name == root || below && strings.HasPrefix(name, root+"/")
}

// parseRules reads a list: one pattern, or "accept" and the beginning of a reason, a line; "#" begins a
// comment.
func parseRules(text string) rules {
	var out rules
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if why, ok := strings.CutPrefix(line, "accept "); ok {
			out.accept = append(out.accept, strings.TrimSpace(why))
		} else if line != "" {
			out.suites = append(out.suites, line)
		}
	}
	return out
}
