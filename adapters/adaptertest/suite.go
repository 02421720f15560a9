package adaptertest

import (
	"os"
	"slices"
	"testing"
)

// Case names one case of the suite.
type Case string

// The cases.
const (
	SameCursor    Case = "same_cursor"         // the same cursor twice gives the same observations
	Outage        Case = "outage"              // nothing lost or doubled across an outage
	Restart       Case = "restart"             // nothing lost or doubled across our restart
	MovesInTable  Case = "moves_in_table"      // every move is in the table
	UnknownStatus Case = "unknown_status"      // a status that nobody knows is kept and called unknown
	ZoneEdges     Case = "zone_edges"          // times around clock changes are the right moments
	ClockSkew     Case = "clock_skew"          // a clock that is off is measured, not believed
	OneToken      Case = "one_token"           // one token twice gives one run, or unsupported
	LostAnswer    Case = "lost_answer"         // the peer did it and we never heard: one run, or in doubt
	Cancellation  Case = "cancellation"        // the end of a context is obeyed promptly
	LineRefused   Case = "line_refused"        // unavailable
	LineSlow      Case = "line_slow"           // unavailable
	LineTruncated Case = "line_truncated"      // malformed or unavailable
	LineGarbage   Case = "line_garbage"        // malformed
	LinePassword  Case = "line_wrong_password" // denied
	NoSecrets     Case = "no_secrets"          // in no error, log or property
	WatchOnly     Case = "watch_only"          // watching sends no changing command
	InBudget      Case = "in_budget"           // calls stay in the budget and do not grow with history
	NoGoroutine   Case = "no_goroutine"        // nothing is left after Close
)

// cases in the order in which they run.
func cases() []struct {
	name Case
	run  func(T, Harness)
} {
	return []struct {
		name Case
		run  func(T, Harness)
	}{
		{SameCursor, sameCursor},
		{Outage, outage},
		{Restart, restart},
		{MovesInTable, movesInTable},
		{UnknownStatus, unknownStatus},
		{ZoneEdges, zoneEdges},
		{ClockSkew, clockSkew},
		{OneToken, oneToken},
		{LostAnswer, lostAnswer},
		{Cancellation, cancellation},
		{LineRefused, lineRefused},
		{LineSlow, lineSlow},
		{LineTruncated, lineTruncated},
		{LineGarbage, lineGarbage},
		{LinePassword, linePassword},
		{NoSecrets, noSecrets},
		{WatchOnly, watchOnly},
		{InBudget, inBudget},
		{NoGoroutine, noGoroutine},
	}
}

// Cases lists every case in the order in which they run.
func Cases() []Case {
	var names []Case
	for _, c := range cases() {
		names = append(names, c.name)
	}
	return names
}

// Run runs every case as a parallel subtest, each with a harness of its own.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	for _, name := range Cases() {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			declared := false
			t.Cleanup(func() {
				if t.Skipped() && !declared && inCI() {
					t.Errorf("skipped in CI without being listed in Gaps")
				}
			})
			h := newHarness(t)
			reason, gap := h.Gaps()[name]
			declared = gap && reason != ""
			RunCase(t, name, h)
		})
	}
}

// RunCase runs one case.
func RunCase(t T, name Case, h Harness) {
	t.Helper()
	for gap, reason := range h.Gaps() {
		if !slices.Contains(Cases(), gap) {
			t.Fatalf("Gaps lists %q: there is no such case", gap)
		}
		if reason == "" {
			t.Fatalf("Gaps lists %q without a reason", gap)
		}
	}
	if reason, gap := h.Gaps()[name]; gap {
		t.Skipf("listed in Gaps: %s", reason)
	}
	if len(h.Jobs()) < 2 {
		t.Fatalf("the harness offers %d jobs: want two at least", len(h.Jobs()))
	}
	for _, c := range cases() {
		if c.name == name {
			c.run(t, h)
			return
		}
	}
	t.Fatalf("there is no case %q", name)
}

// NeedPeer skips the test if the peer that it needs is missing here; in CI (CI=true) it fails instead.
func NeedPeer(t T, present bool, why string) {
	t.Helper()
	switch {
	case present:
	case inCI():
		t.Fatalf("the peer is missing, and in CI it may not be: %s", why)
	default:
		t.Skipf("the peer is missing: %s", why)
	}
}

func inCI() bool { return os.Getenv("CI") == "true" }

// need gives the harness as the optional ability H. It fails the case if the harness does not have it:
// a case that is impossible must be listed in Gaps.
func need[H any](t T, h Harness) H {
	t.Helper()
	able, ok := h.(H)
	if !ok {
		t.Fatalf("the harness does not implement %T: implement it or list the case in Gaps", (*H)(nil))
	}
	return able
}
