package load

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
)

// TestRestart prints how long the ledger needs until an engine could go on: opened, and everything
// read that is open. It must not grow with history; beside it stands the floor, which opens the same
// file and reads the rows of the open instances without making anything of them.
func TestRestart(t *testing.T) {
	history, open := size(t, "LOAD_HISTORY", 20_000), size(t, "LOAD_OPEN", 300)
	const brief = 1000 // observations
	short, long := aged(t, brief, open), aged(t, history, open)
	var growth, over ratios
	var all, small, low []time.Duration
	for range rounds {
		s, l := restart(t, short, open, recent(brief, open)), restart(t, long, open, recent(history, open))
		f := readOpenRows(t, long)
		growth.add(l, s)
		over.add(l, f)
		all, small, low = append(all, l), append(small, s), append(low, f)
	}
	t.Logf("restart with %d observations and %d open instances: %s of that with 1000 observations, %s of reading the open rows; %v, %v and %v; load %s",
		history, open, growth, over, percentile(all, 0.5), percentile(small, 0.5), percentile(low, 0.5), loadAverage())
}

// closedOf is how many instances have closed in a history: one for each 20 observations.
func closedOf(history int) int { return history / 20 }

// recent is the time since when an engine asks for closed instances: the last 50 of them.
func recent(history, open int) time.Time {
	return origin.Add(time.Duration(open+closedOf(history)-50) * time.Second)
}

// aged makes a ledger with history, closed instances and open ones, and closes it.
func aged(t *testing.T, history, open int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, f := openLedger(t, path)
	e := newEstate()
	fill(t, s, f, e, history)
	for from := 0; from < open+closedOf(history); from += 1000 {
		b := store.Batch{Fence: f}
		for n := from; n < min(from+1000, open+closedOf(history)); n++ {
			in := openInstance(t, e, n)
			if n >= open {
				in.Closed = in.Opened.Add(time.Hour)
			}
			b.Instances = append(b.Instances, in)
			b.Intents = append(b.Intents, intentOf(&in, n < open/10))
		}
		if _, err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// openInstance is an instance of three nodes, of which the first has run and the second was released.
func openInstance(t *testing.T, e *estate, n int) chain.Instance {
	t.Helper()
	_, end := e.run()
	r, err := end.Seal()
	if err != nil {
		t.Fatal(err)
	}
	run, _ := job.Merge(job.Run{}, &end, r.Hash)
	token := fmt.Sprint("token-", n)
	return chain.Instance{
		Key:    chain.Key{Chain: fmt.Sprintf("chain-%04d", n%1000), BusinessDate: origin.AddDate(0, 0, n/1000).Format(time.DateOnly)},
		Opened: origin.Add(time.Duration(n) * time.Second), Version: job.Sum([]byte("v")),
		Nodes: []chain.NodeState{
			{Name: "extract", Attempt: 1, Run: &run},
			{Name: "load", Attempt: 1, Released: end.Sighting.Seen, Token: token, Send: chain.SendPending},
			{Name: "report", Attempt: 1},
		},
	}
}

func intentOf(in *chain.Instance, pending bool) store.Intent {
	i := store.Intent{
		Token: in.Nodes[1].Token, Key: in.Key, Node: "load", Attempt: 1, State: chain.SendConfirmed, Created: in.Opened, Updated: in.Opened,
	}
	if pending {
		i.State = chain.SendPending
	}
	return i
}

// restart opens the ledger and reads what an engine needs.
func restart(t *testing.T, path string, open int, since time.Time) time.Duration {
	t.Helper()
	var s *sqlite.Store
	took := spent(func() {
		var err error
		if s, err = sqlite.Open(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		live, err := s.OpenInstances(t.Context())
		if err != nil || len(live) != open {
			t.Fatalf("%d open instances, want %d: %v", len(live), open, err)
		}
		if _, err := s.ClosedKeys(t.Context(), since); err != nil {
			t.Fatal(err)
		}
		unsent, err := s.Intents(t.Context(), store.IntentFilter{States: []chain.Send{chain.SendPending, chain.SendSent}, Limit: open + 1})
		if err != nil || len(unsent) != open/10 {
			t.Fatalf("%d intents to be sent, want %d: %v", len(unsent), open/10, err)
		}
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return took.wall
}

// readOpenRows is the floor of a restart.
func readOpenRows(t *testing.T, path string) time.Duration {
	t.Helper()
	return spent(func() {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		rows, err := db.QueryContext(t.Context(),
			"SELECT chain, opened, doc FROM instance INDEXED BY instance_open CROSS JOIN node ON instance = id WHERE closed = 0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var name, doc sql.RawBytes
		var opened int64
		for rows.Next() {
			if err := rows.Scan(&name, &opened, &doc); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}).wall
}
