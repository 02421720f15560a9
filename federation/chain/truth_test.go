package chain

import (
	"os"
	"slices"
	"strings"
	"testing"

	"signalbox/adapters/job"
)

// truthRow is one line of testdata/truth.txt.
type truthRow struct {
	line   string
	fits   [5]string // settled, send, run, over, rel
	values [3]Value  // on success, failure, any
}

// TestTruth checks the table of meanings: it is complete, says one thing about each case, and is what is
// decided.
func TestTruth(t *testing.T) {
	t.Parallel()
	rows := truthTable(t)
	used := map[string]int{}
	eachUpstream(func(up *NodeState, columns [5]string) {
		var row *truthRow
		for i := range rows {
			if rows[i].matches(columns) {
				if row != nil {
					t.Fatalf("two lines fit %v:\n%s\n%s", columns, row.line, rows[i].line)
				}
				row = &rows[i]
			}
		}
		if row == nil {
			t.Fatalf("no line fits %v", columns)
		}
		used[row.line]++
		for i, on := range []On{OnSuccess, OnFailure, OnAny} {
			if got := valueOf(up, on); got != row.values[i] {
				t.Errorf("%v on %s: %s, the table says %s:\n%s", columns, on, got, row.values[i], row.line)
			}
		}
		if got := valueOf(up, "nonsense"); got == Met {
			t.Errorf("%v on nonsense is met", columns)
		}
	})
	for _, row := range rows {
		if used[row.line] == 0 {
			t.Errorf("nothing fits the line %s", row.line)
		}
	}
}

// eachUpstream goes through every combination of what a node can be.
func eachUpstream(visit func(up *NodeState, columns [5]string)) {
	yes, no := true, false
	for _, settled := range []Settled{"", SettledSkipped, SettledOK, SettledNotNeeded, SettledGaveUp} {
		for _, send := range []Send{"", SendPending, SendSent, SendConfirmed, SendRefused, SendInDoubt} {
			for _, state := range append([]job.State{""}, job.States()...) {
				for _, over := range []bool{false, true} {
					for _, releases := range []*bool{nil, &yes, &no} {
						up := &NodeState{Settled: settled, Send: send}
						if state != "" {
							up.Run = &job.Run{Latest: job.Observation{State: state, Over: over, Releases: releases}}
						}
						visit(up, [5]string{orDash(settled), orDash(send), orDash(state), yesNo(over), relText(releases)})
					}
				}
			}
		}
	}
}

func orDash[T ~string](s T) string {
	if s == "" {
		return "-"
	}
	return string(s)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func relText(b *bool) string {
	if b == nil {
		return "-"
	}
	return yesNo(*b)
}

func (r *truthRow) matches(columns [5]string) bool {
	for i, want := range r.fits {
		if want != "*" && !slices.Contains(strings.Split(want, "|"), columns[i]) {
			return false
		}
	}
	return true
}

func truthTable(t *testing.T) []truthRow {
	t.Helper()
	text, err := os.ReadFile("testdata/truth.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows []truthRow
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 9 || f[5] != ":" {
			t.Fatalf("line %q: want 5 columns, a colon and 3 values", line)
		}
		row := truthRow{line: line, fits: [5]string(f[:5])}
		for i, v := range f[6:] {
			row.values[i] = Value(v)
			if !slices.Contains([]Value{Met, NotMet, Unclear, Never}, row.values[i]) {
				t.Fatalf("line %q: value %q is not known", line, v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// TestVerdict checks how several dependencies go together: all must be met, and the worst one speaks.
func TestVerdict(t *testing.T) {
	t.Parallel()
	upstream := []NodeState{{Settled: SettledSkipped}, {}, {Send: SendInDoubt}, {Settled: SettledNotNeeded}}
	values := []Value{Met, NotMet, Unclear, Never} // of each for success, from best to worst
	def := Definition{Chain: "c", DayCut: "00:00", KeepOpen: 3600, Timezone: "UTC", Nodes: []Node{
		{Name: "a", Job: job.Ref{Source: "h", Job: "a"}, Stage: Drive},
		{Name: "b", Job: job.Ref{Source: "h", Job: "b"}, Stage: Drive},
		{Name: "c", Job: job.Ref{Source: "h", Job: "c"}, Stage: Drive, After: []Dependency{{"a", OnSuccess}, {"b", OnSuccess}}},
	}}
	rec, err := def.Seal()
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range upstream {
		for j, b := range upstream {
			k := Key{Chain: "c", BusinessDate: "2026-11-22"}
			a.Name, b.Name = "a", "b"
			in := Instance{Key: k, Version: rec.Hash, Nodes: []NodeState{a, b, {Name: "c"}}}
			s, err := Restored(site, Restore{Versions: []Definition{def}, Instances: []Instance{in}})
			if err != nil {
				t.Fatal(err)
			}
			got := Explain(s, k, in.Opened)[2]
			if got.Value != values[max(i, j)] || got.Inputs[0].Value != values[i] || got.Inputs[1].Value != values[j] {
				t.Errorf("%s and %s: %s, want %s", values[i], values[j], got.Value, values[max(i, j)])
			}
		}
	}
}
