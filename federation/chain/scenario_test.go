package chain

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew; review the difference")

// TestScenarios plays the stories in testdata/scenarios: each file is one, with comments that say why.
// testdata/scenarios/README.md describes the commands.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("%s came out otherwise (run with -update and review the difference):\n%s", file, firstDifference(string(text), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			from := max(0, i-6)
			return fmt.Sprintf("line %d\n--- want\n%s\n--- got\n%s", i+1,
				strings.Join(a[from:min(len(a), i+12)], "\n"), strings.Join(b[from:min(len(b), i+12)], "\n"))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(b), len(a))
}

// story plays one file.
type story struct {
	*shell
	lines    []string // of the command being read
	out      bytes.Buffer
	last     Event
	versions []string // hashes, in order of appearance
}

// play carries out a story and gives it back with what really came out.
func play(t *testing.T, text string) string {
	t.Helper()
	p := &story{shell: newShell(t, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))}
	var whole strings.Builder
	expected := false
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case expected && strings.TrimSpace(line) != "":
			continue
		case expected: // the blank line behind what was expected
			expected = false
		case line == "----":
			p.carryOut()
			whole.WriteString("----\n" + p.out.String())
			p.out.Reset()
			expected = true
			continue
		case strings.HasPrefix(strings.TrimSpace(line), "#"), strings.TrimSpace(line) == "":
		default:
			p.lines = append(p.lines, line)
		}
		whole.WriteString(line + "\n")
	}
	if len(p.lines) > 0 {
		t.Fatalf("the story ends before ---- behind %q", p.lines[0])
	}
	return whole.String()
}

// carryOut executes the commands read so far. A line that begins with a blank continues the one before.
func (p *story) carryOut() {
	p.t.Helper()
	lines := p.lines
	p.lines = nil
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && strings.HasPrefix(lines[n], " ") {
			n++
		}
		p.execute(lines[0], lines[1:n])
		if p.settledNow(lines[0]) {
			p.settled()
		}
		lines = lines[n:]
	}
	if p.out.Len() == 0 {
		p.out.WriteString("nothing\n")
	}
}

// settledNow tells whether a command leaves nothing undecided: all do, unless the clock moved and the
// wake-ups were lost.
func (p *story) settledNow(line string) bool { return !strings.HasPrefix(line, "down ") }

func (p *story) execute(line string, more []string) {
	p.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "define":
		def := parseDefinition(p.t, rest, more)
		rec, err := def.Seal()
		if err != nil {
			p.t.Fatal(err)
		}
		p.event(Defined{Definition: def, Record: rec.Hash})
		if v := rec.Hash.String(); !slices.Contains(p.versions, v) {
			p.versions = append(p.versions, v)
		}
	case "retire":
		r := Retirement{At: p.now, Chain: rest}
		p.event(Retired{Retirement: r, Record: p.seal(KindRetirement, r)})
	case "at":
		p.wait(p.moment(rest))
	case "down":
		p.now = p.moment(strings.TrimPrefix(rest, "until "))
	case "restart":
		p.print(p.restart())
	case "recheck":
		p.event(Recheck{})
	case "observe":
		p.see(rest)
	case "again":
		p.event(p.last)
	case "effect":
		p.answer(rest)
	case "command":
		p.order(rest)
	case "contact":
		p.contact(rest)
	case "state", "explain", "timers":
		p.show(verb)
	default:
		p.t.Fatalf("command %q is not known", line)
	}
}

func (p *story) event(ev Event) {
	p.t.Helper()
	p.last = ev
	p.print(p.feed(ev))
}

// wait lets time pass and fires what becomes due, each at its time.
func (p *story) wait(until time.Time) {
	p.t.Helper()
	for {
		timer, ok := p.due(until)
		if !ok {
			break
		}
		if timer.At.After(p.now) {
			p.now = timer.At
		}
		out := p.feed(Tick{Timer: timer})
		if len(out.Receipts)+len(out.Changed)+len(out.Moves) > 0 {
			fmt.Fprintf(&p.out, "[%s]\n", p.now.Format(time.RFC3339))
			p.print(out)
		}
	}
	p.now = until
}
