package job_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"signalbox/adapters/job"
)

// TestMovesTable compares the whole table, every pair, with the drawing in testdata/moves.golden, so
// that a change of the table is seen as such in a review.
func TestMovesTable(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	fmt.Fprintf(&text, "%-10s", "from\\to")
	for _, to := range job.States() {
		fmt.Fprintf(&text, " %-9s", to)
	}
	for _, from := range job.States() {
		fmt.Fprintf(&text, "\n%-10s", from)
		for _, to := range job.States() {
			mark := "."
			if job.MayMove(job.Status{Attempt: 1, State: from}, job.Status{Attempt: 1, State: to}) {
				mark = "yes"
			}
			fmt.Fprintf(&text, " %-9s", mark)
		}
	}
	golden(t, "testdata/moves.golden", trimLines(text.String()))
}

// TestMovesInvariants: what must hold whatever the table says.
func TestMovesInvariants(t *testing.T) {
	t.Parallel()
	moves := job.Moves()
	if len(moves) != len(job.States()) {
		t.Errorf("the table has %d states, there are %d", len(moves), len(job.States()))
	}
	for _, from := range job.States() {
		next, ok := moves[from]
		if !ok {
			t.Errorf("%s is not in the table", from)
		}
		if from.Terminal() && len(next) > 0 {
			t.Errorf("%s is terminal and may move to %v", from, next)
		}
		for i, to := range next {
			if !to.Valid() || to == from || slices.Contains(next[:i], to) {
				t.Errorf("%s may move to %q: not valid, itself, or twice", from, to)
			}
		}
		if !from.Terminal() && !slices.Contains(next, job.Unknown) && from != job.Unknown {
			t.Errorf("%s cannot become unknown: sight can be lost at any point", from)
		}
		if from.Active() {
			for _, to := range job.States() {
				if to.BySource() && to != from && to.Terminal() && !slices.Contains(next, to) {
					t.Errorf("%s cannot become %s", from, to)
				}
			}
		}
	}
	moves[job.Succeeded] = append(moves[job.Succeeded], job.Running)
	if job.MayMove(job.Status{Attempt: 1, State: job.Succeeded}, job.Status{Attempt: 1, State: job.Running}) {
		t.Errorf("a caller changed the table for everybody")
	}
}

// TestMayMove goes through every pair of statuses in the attempts 1 to 3, over or not, and compares
// with the rules as the contract words them.
func TestMayMove(t *testing.T) {
	t.Parallel()
	for from := range statuses() {
		for to := range statuses() {
			if got, want := job.MayMove(from, to), mayMoveInWords(from, to); got != want {
				t.Errorf("from %+v to %+v: %t, want %t", from, to, got, want)
			}
		}
	}
}

func statuses() map[job.Status]bool {
	all := make(map[job.Status]bool)
	for attempt := 1; attempt <= 3; attempt++ {
		for _, s := range job.States() {
			all[job.Status{Attempt: attempt, State: s}] = true
		}
		all[job.Status{Attempt: attempt, State: job.Unknown, Over: true}] = true
	}
	return all
}

func mayMoveInWords(from, to job.Status) bool {
	if to.Attempt < from.Attempt {
		return false // old news
	}
	if to.Attempt > from.Attempt { // it came back to life: in any state that a source reports
		return !slices.Contains([]job.State{job.Expected, job.Waiting, job.Missed}, to.State)
	}
	if from == to {
		return true
	}
	if from.Over { // it ended; only the outcome may become known
		return to.State.Terminal() && slices.Contains(job.Moves()[job.Unknown], to.State)
	}
	if from.State == to.State {
		return to.Over // now it is known that it ended
	}
	return slices.Contains(job.Moves()[from.State], to.State)
}

// TestPredicates lists each predicate of each state.
func TestPredicates(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, s := range append(job.States(), "", "RUNNING") {
		fmt.Fprintf(&text, "%q:", string(s))
		for _, p := range []struct {
			name  string
			holds bool
		}{
			{"valid", s.Valid()},
			{"by_source", s.BySource()},
			{"active", s.Active()},
			{"terminal", s.Terminal()},
			{"good", s.Good()},
			{"bad", s.Bad()},
		} {
			if p.holds {
				text.WriteString(" " + p.name)
			}
		}
		text.WriteString("\n")
	}
	golden(t, "testdata/predicates.golden", text.String())
	if (job.Status{State: job.Unknown}).Terminal() || !(job.Status{State: job.Unknown, Over: true}).Terminal() {
		t.Errorf("unknown is terminal exactly when it is over")
	}
}

// golden compares with a file; UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (UPDATE_GOLDEN=1 writes it):\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

func trimLines(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}
