package chain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// snapshot writes down everything that a state holds, in an order that does not depend on how it came
// to be. Two states with one snapshot decide alike.
func snapshot(s *State) string {
	var b strings.Builder
	for _, v := range slices.Sorted(maps.Keys(hashTexts(s))) {
		fmt.Fprintf(&b, "plan %s\n", v)
	}
	for _, name := range slices.Sorted(maps.Keys(s.inForce)) {
		fmt.Fprintf(&b, "in force %s %s since %s\n", name, s.inForce[name].version.Short(), s.inForce[name].activated)
	}
	for _, k := range s.Open() {
		l := s.live[k]
		fmt.Fprintf(&b, "open %s opened=%s version=%s left=%d windows=%v\n", k, l.Opened, l.Version.Short(), l.left, l.windows)
		for i := range l.Nodes {
			n := l.Nodes[i]
			run := ""
			if n.Run != nil {
				r := *n.Run
				run = fmt.Sprintf("%s %s %v %s %s %s %s %s", r.Key, r.Evidence, r.Latest.Status(), r.Planned.At, r.Started.At, r.Token, r.Cause, r.Latest.End)
			}
			n.Run = nil
			fmt.Fprintf(&b, "  %+v run={%s}\n", n, run)
		}
	}
	snapshotIndexes(&b, s)
	return b.String()
}

func snapshotIndexes(b *strings.Builder, s *State) {
	for _, k := range slices.SortedFunc(maps.Keys(s.closed), compareKeys) {
		fmt.Fprintf(b, "closed %s\n", k)
	}
	for _, name := range slices.Sorted(maps.Keys(s.sight)) {
		fmt.Fprintf(b, "sight %+v\n", s.sight[name])
	}
	for _, token := range slices.Sorted(maps.Keys(s.byToken)) {
		fmt.Fprintf(b, "token %s %v\n", token, s.byToken[token])
	}
	var lines []string
	for k, places := range s.byRun {
		p := slices.SortedFunc(slices.Values(places), comparePlaces)
		lines = append(lines, fmt.Sprintf("run %s %v\n", k, p))
	}
	for ref, ws := range s.watchers {
		line := "watchers " + ref.String()
		for _, w := range ws {
			line += fmt.Sprintf(" %s/%d", w.plan.version.Short(), w.index)
		}
		lines = append(lines, line+"\n")
	}
	for name, keys := range s.cycles {
		if len(keys) > 0 {
			lines = append(lines, fmt.Sprintf("cycles %s %v\n", name, keys))
		}
	}
	for source, n := range s.waits {
		if n != 0 {
			lines = append(lines, fmt.Sprintf("waits %s %d\n", source, n))
		}
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, ""))
}

func hashTexts(s *State) map[string]bool {
	out := map[string]bool{}
	for v := range s.plans {
		out[v.String()] = true
	}
	return out
}

// recount computes the derived numbers and indexes of a state from its instances alone, by other means
// than Apply does.
func recount(tb testing.TB, s *State) {
	tb.Helper()
	waits, tokens, runs := map[string]int{}, 0, 0
	for k, l := range s.live {
		left := 0
		for i := range l.Nodes {
			n := &l.Nodes[i]
			if keepsOpen(n) {
				left++
			}
			if underWay(n) {
				waits[l.plan.def.Nodes[i].Job.Source]++
			}
			if n.Token != "" {
				tokens++
				if s.byToken[n.Token] != (place{k, i}) {
					tb.Fatalf("token %s of %s/%s is not found", n.Token, k, n.Name)
				}
			}
			if n.Run != nil {
				runs++
				if !slices.Contains(s.byRun[n.Run.Key], place{k, i}) {
					tb.Fatalf("run %s of %s/%s is not found", n.Run.Key, k, n.Name)
				}
			}
		}
		if left != l.left {
			tb.Fatalf("%s: %d nodes keep it open, %d were counted", k, left, l.left)
		}
		if left == 0 {
			tb.Fatalf("%s: nothing keeps it open, and it is open", k)
		}
	}
	for source := range s.waits {
		if s.waits[source] != waits[source] || s.Awaited(source) != (waits[source] > 0) {
			tb.Fatalf("source %s: %d nodes wait, %d were counted", source, waits[source], s.waits[source])
		}
	}
	found := 0
	for _, places := range s.byRun {
		found += len(places)
	}
	if len(s.byToken) != tokens || found != runs {
		tb.Fatalf("%d tokens and %d runs stand in the indexes, want %d and %d", len(s.byToken), found, tokens, runs)
	}
}

// keepsOpen says by its own words what lets an instance close: every node good or left out.
func keepsOpen(n *NodeState) bool {
	switch string(n.Settled) {
	case "skipped", "marked_ok", "not_needed":
		return false
	case "gave_up":
		return true
	}
	if n.Run == nil {
		return true
	}
	switch string(n.Run.Latest.State) {
	case "succeeded", "warned", "skipped":
		return false
	}
	return true
}

// underWay says by its own words what a source is polled often for.
func underWay(n *NodeState) bool {
	switch {
	case n.Settled != "":
		return false
	case n.Run != nil:
		return !n.Run.Terminal()
	}
	return n.Send == "pending" || n.Send == "sent" || n.Send == "confirmed"
}
