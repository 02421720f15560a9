package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

func openTemp(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), WithWAL(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestRecordsCannotBeChangedBySQL(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	f, err := s.Acquire(t.Context(), "writer", "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r, err := job.Seal("test/1", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), &store.Batch{Fence: f, Records: []store.Entry{{Subject: store.SiteSubject, Record: r}}}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"UPDATE record SET body = x'00'",
		"UPDATE record SET at = 7 WHERE seq = 1",
		"DELETE FROM record",
		"INSERT OR REPLACE INTO record (seq, at, kind, subject, hash, body) VALUES (1, 0, '', '', x'', x'')",
	} {
		_, err := s.w.conn.ExecContext(t.Context(), text)
		if err == nil || !strings.Contains(err.Error(), "records are never") {
			t.Errorf("%s: %v, want a refusal", text, err)
		}
	}
	if e, err := s.ByHash(t.Context(), r.Hash); err != nil || string(e.Body) != string(r.Body) {
		t.Errorf("the record is now %s, %v", e.Body, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	for name, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "journal_size_limit": "-1", "wal_autocheckpoint": "1000",
	} {
		var got string
		if err := s.w.conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s: %v", name, got, want, err)
		}
	}
	if _, err := s.db.ExecContext(t.Context(), "DELETE FROM job"); err == nil {
		t.Error("a reading connection can write")
	}
}

// TestCommitInDoubt lets the commit itself fail, as a disk that breaks would.
func TestCommitInDoubt(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	f, err := s.Acquire(t.Context(), "writer", "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// A deferred constraint is looked at by COMMIT, which then fails and leaves the transaction open.
	err = s.w.do(t.Context(), func(ctx context.Context) error {
		for _, text := range []string{"PRAGMA defer_foreign_keys = 1", "INSERT INTO node VALUES (77, 0, '{}')"} {
			if _, err := s.w.conn.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		t.Fatal("the commit did not fail")
	}
	if _, err := s.Commit(t.Context(), &store.Batch{Fence: f}); err == nil || !strings.Contains(err.Error(), "must be opened again") {
		t.Errorf("a commit after one in doubt: %v, want a refusal", err)
	}
	var nodes int
	if err := s.db.QueryRowContext(t.Context(), "SELECT count(*) FROM node").Scan(&nodes); err != nil || nodes != 0 {
		t.Errorf("%d nodes are left: %v", nodes, err)
	}
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	one := fstest.MapFS{"m/0001_a.sql": file("CREATE TABLE a (x); CREATE TABLE b (x);")}
	two := fstest.MapFS{"m/0001_a.sql": one["m/0001_a.sql"], "m/0002_b.sql": file("ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2);")}
	bad := fstest.MapFS{"m/0001_a.sql": one["m/0001_a.sql"], "m/0002_b.sql": file("INSERT INTO b VALUES (7); CREATE TABLE a (x);")}
	altered := fstest.MapFS{"m/0001_a.sql": file("CREATE TABLE a (z);"), "m/0002_b.sql": two["m/0002_b.sql"]}
	s := openTemp(t)
	ctx := t.Context()
	for _, text := range []string{"DROP TABLE migration"} {
		if _, err := s.w.conn.ExecContext(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		files fstest.MapFS
		says  string // of the error; empty = none
		sql   string // that holds afterwards
	}{
		{one, "", "SELECT count(*) = 1 FROM migration"},
		{bad, "0002_b.sql", "SELECT (SELECT count(*) FROM migration) = 1 AND (SELECT count(*) FROM b) = 0"},
		{two, "", "SELECT (SELECT count(*) FROM migration) = 2 AND (SELECT count(*) FROM a) = 1"},
		{two, "", "SELECT (SELECT count(*) FROM migration) = 2 AND (SELECT count(*) FROM a) = 1"},
		{one, "newer than this program", "SELECT true"},
		{altered, "another form", "SELECT true"},
	} {
		known, err := migrations(step.files, "m")
		if err != nil {
			t.Fatal(err)
		}
		err = migrate(ctx, s.w.conn, known)
		if (step.says == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), step.says)) {
			t.Errorf("step %d: %v, want %q", i, err, step.says)
		}
		var ok bool
		if err := s.w.conn.QueryRowContext(ctx, step.sql).Scan(&ok); err != nil || !ok {
			t.Errorf("step %d: %s does not hold: %v", i, step.sql, err)
		}
	}
	for _, name := range []string{"m/2_b.sql", "m/0003_b.sql", "m/b.sql"} {
		if _, err := migrations(fstest.MapFS{"m/0001_a.sql": file(""), name: file("")}, "m"); err == nil {
			t.Errorf("%s was taken as the second migration", name)
		}
	}
}

// TestPlans checks that what must not grow with history is answered from an index, in its order.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	k, ck := job.RunKey{Source: "a", Job: "b", Native: "c"}, chain.Key{Chain: "a", BusinessDate: "b"}
	plans := map[string]*query{
		"by hash":        {text: sqlByHash, args: []any{[]byte{}}},
		"about":          {text: sqlAbout, args: []any{"", 0, 1}},
		"open instances": {text: headColumns + openOnly},
		"closed keys":    {text: sqlClosedKeys, args: []any{0}},
		"edges":          {text: sqlEdges, args: []any{""}},
	}
	for _, f := range []store.RunFilter{
		{},
		{Source: "a"},
		{Source: "a", Job: "b"},
		{Source: "a", Job: "b", States: []job.State{job.Failed}},
		{States: []job.State{job.Failed}},
		{States: []job.State{job.Failed, job.Running}},
		{States: []job.State{job.Succeeded}},
		{Token: "t"},
	} {
		plans[fmt.Sprintf("runs %+v", f)] = runQuery(&f)
		f.Before, f.Behind = time.Unix(1, 0), k
		plans[fmt.Sprintf("runs %+v", f)] = runQuery(&f)
	}
	for _, f := range []store.InstanceFilter{{}, {Chain: "a"}, {Open: true}, {Before: time.Unix(1, 0), Behind: ck}} {
		q := instanceQuery(&f)
		plans[fmt.Sprintf("instances %+v", f)] = &query{text: headColumns + q.text, args: q.args}
	}
	for _, f := range []store.IntentFilter{{Token: "t"}, {Key: ck}, {Run: k}, {States: []chain.Send{chain.SendPending, chain.SendSent}}} {
		plans[fmt.Sprintf("intents %+v", f)] = intentQuery(&f)
	}
	for name, q := range plans {
		for _, line := range explainPlan(t, s, q) {
			if !boundedStep(line) {
				t.Errorf("%s reads more than it shows: %s\n%s", name, line, q.text)
			}
		}
	}
}

// boundedStep tells whether a step of a plan costs what is found: it searches an index, or goes along
// one that a LIMIT ends, or along what other steps made. Sorting is left to those steps that sort a page.
func boundedStep(line string) bool {
	along := []string{
		"SCAN run USING COVERING INDEX run_activity", "SCAN instance USING INDEX instance_opened", "SCAN instance USING INDEX instance_open",
		"SCAN s", "SCAN slice", "SCAN (", "SCAN intent USING INDEX intent_unfinished", "SCAN run USING INDEX run_activity",
	}
	for _, a := range along {
		if strings.HasPrefix(line, a) {
			return true
		}
	}
	return !strings.HasPrefix(line, "SCAN")
}

func explainPlan(t *testing.T, s *Store, q *query) []string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+q.text, q.args...)
	if err != nil {
		t.Fatalf("%s: %v", q.text, err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStoredSourceIsReadable reads a source as this schema's first version wrote it: if a field of the
// contract is renamed, what was stored under the old name must be migrated.
func TestStoredSourceIsReadable(t *testing.T) {
	t.Parallel()
	const doc = `{"contact":{"Blind":true,"Since":"2026-11-22T04:12:30Z","Kind":"denied","Error":"e","Fix":"f"},` +
		`"properties":{"Peer":"p","Version":"v","Address":"a","Kind":"event","Zone":"UTC","Start":"searchable",` +
		`"Rights":[{"Name":"r","Needed":true,"Why":"w","Granted":"yes","Fix":"x"}],` +
		`"Budget":{"PollsPerMinute":1,"Concurrent":2,"CallTimeout":3},"KnownGaps":["g"],"Confidence":"confirmed","Weaknesses":["k"],"HostKey":"h"},` +
		`"problems":[{"where":"w","what":"x","fix":"y"}],"gaps":[{"what":"g","since":"2026-11-22T04:12:30Z"}]}`
	at := time.Date(2026, 11, 22, 4, 12, 30, 0, time.UTC)
	want := store.Source{
		Name:    "findb",
		Contact: adapters.Contact{Blind: true, Since: at, Kind: adapters.Denied, Error: "e", Fix: "f"},
		Properties: adapters.Properties{
			Peer: "p", Version: "v", Address: "a", Kind: adapters.EventSource, Zone: "UTC", Start: adapters.StartSearchable,
			Rights: []adapters.Right{{Name: "r", Needed: true, Why: "w", Granted: adapters.GrantYes, Fix: "x"}},
			Budget: adapters.Budget{PollsPerMinute: 1, Concurrent: 2, CallTimeout: 3}, KnownGaps: []string{"g"},
			Confidence: job.Confirmed, Weaknesses: []string{"k"}, HostKey: "h",
		},
		Problems: []adapters.Problem{{Where: "w", What: "x", Fix: "y"}},
		Gaps:     []adapters.Gap{{What: "g", Since: at}},
	}
	s := openTemp(t)
	if _, err := s.w.conn.ExecContext(t.Context(), "INSERT INTO source (name, cursor_at, listed_at, doc) VALUES ('findb', 0, 0, ?)", doc); err != nil {
		t.Fatal(err)
	}
	got, err := s.Sources(t.Context())
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("read as\n%+v, %v\nwant\n%+v", got, err, want)
	}
}

func FuzzShelf(f *testing.F) {
	for _, k := range []job.RunKey{
		{Source: "a", Job: "b/c d", Native: "1/2"}, {Source: "a#b", Job: "#", Native: "@%", Epoch: "2026-01-01T00:00:00Z"}, {},
	} {
		f.Add(k.Source, k.Job, k.Native, k.Epoch)
	}
	f.Fuzz(func(t *testing.T, source, name, native, epoch string) {
		if strings.Contains(source, "/") || strings.Contains(epoch, "#") {
			t.Skip("not allowed by the model")
		}
		subject := store.RunSubject(job.RunKey{Source: source, Job: name, Native: native, Epoch: epoch})
		if got := unshelf(shelf(subject)); got != subject {
			t.Errorf("%q is stored as %q and comes back as %q", subject, shelf(subject), got)
		}
	})
}

func TestShelfLeavesOthers(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "site", store.SourceSubject("a/b#c"), store.ChainSubject("run:"), store.InstanceSubject(chain.Key{Chain: "a"})} {
		if got := shelf(s); got != s || unshelf(got) != s {
			t.Errorf("%q is stored as %q", s, got)
		}
	}
}

func TestNanos(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 123456789, time.FixedZone("x", 3600))
	if got := moment(nanos(now)); !got.Equal(now) || got.Location() != time.UTC {
		t.Errorf("%v came back as %v", now, got)
	}
	if !moment(nanos(time.Time{})).IsZero() {
		t.Error("an absent time came back")
	}
	early, late := nanos(time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC)), nanos(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	if early > nanos(now) || late < nanos(now) || early >= 0 {
		t.Errorf("times far away are stored as %d and %d", early, late)
	}
}
