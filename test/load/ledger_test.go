package load

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
)

// estate makes the observations of a plausible estate: sources with many jobs each, of which any may
// run next; each run is seen when it starts and when it ends.
type estate struct {
	sources, jobs int // jobs of each source
	rand          *rand.Rand
	n             int // runs so far
}

func newEstate() *estate {
	return &estate{sources: 20, jobs: 250, rand: rand.New(rand.NewPCG(1, 2))}
}

var origin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// run gives the two observations of the next run.
func (e *estate) run() (start, end job.Observation) {
	e.n++
	at := origin.Add(time.Duration(e.n) * 3 * time.Second)
	start = job.Observation{
		Run: job.RunKey{
			Source: fmt.Sprintf("host-%02d", e.rand.IntN(e.sources)), Job: fmt.Sprintf("settle/book-%04d", e.rand.IntN(e.jobs)),
			Native: at.Format("20060102T150405Z") + fmt.Sprintf("-%05d", e.rand.IntN(60000)),
		},
		Attempt: 1, State: job.Running, At: job.At(at), Started: job.At(at), Planned: job.At(at), Cause: job.CauseSchedule,
		Confidence: job.Confirmed, NativeState: "started",
		Sighting: job.Sighting{Node: "box-1", Seen: at.Add(400 * time.Millisecond), OffsetMS: new(int64(-12)), Payload: job.Sum([]byte(at.String()))},
	}
	end = start
	end.State, end.NativeState, end.At, end.Ended = job.Succeeded, "ended", job.At(at.Add(time.Minute)), job.At(at.Add(time.Minute))
	if e.rand.IntN(20) == 0 {
		end.State = job.Failed
	}
	end.End = job.End{Kind: job.ExitCode, Code: "0"}
	end.Sighting.Seen = at.Add(time.Minute + 300*time.Millisecond)
	return start, end
}

// batch gives observations of n/2 runs with their runs, as the engine would commit them.
func (e *estate) batch(t *testing.T, n int) store.Batch {
	t.Helper()
	var b store.Batch
	for range n / 2 {
		start, end := e.run()
		var r job.Run
		for _, o := range []job.Observation{start, end} {
			rec, err := o.Seal()
			if err != nil {
				t.Fatal(err)
			}
			r, _ = job.Merge(r, &o, rec.Hash)
			b.Records = append(b.Records, store.Entry{At: o.Sighting.Seen, Subject: store.RunSubject(o.Run), Record: rec})
		}
		b.Runs = append(b.Runs, r)
	}
	return b
}

// openLedger opens a ledger and takes its lease.
func openLedger(t *testing.T, path string) (*sqlite.Store, store.Fence) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Acquire(t.Context(), "writer", "load", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return s, f
}

// fill commits n observations as history.
func fill(t *testing.T, s *sqlite.Store, f store.Fence, e *estate, n int) {
	t.Helper()
	for n > 0 {
		b := e.batch(t, min(n, 5000))
		b.Fence = f
		if _, err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		n -= len(b.Records)
	}
}

// rawTable is the floor of ingest: the same bytes, row by row through one prepared statement of the
// same driver, into a table without a second index, 1,000 a transaction, made just as durable.
type rawTable struct {
	db     *sql.DB
	insert *sql.Stmt
}

func openRaw(t *testing.T) *rawTable {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "raw.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-16384)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE raw (seq INTEGER PRIMARY KEY, at INTEGER, kind TEXT, subject TEXT, hash BLOB, body BLOB)"); err != nil {
		t.Fatal(err)
	}
	stmt, err := db.PrepareContext(t.Context(), "INSERT INTO raw (at, kind, subject, hash, body) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stmt.Close() })
	return &rawTable{db: db, insert: stmt}
}

func (r *rawTable) write(t *testing.T, all []store.Entry) {
	t.Helper()
	tx, err := r.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	insert := tx.StmtContext(t.Context(), r.insert)
	defer func() { _ = insert.Close() }()
	for i := range all {
		e := &all[i]
		if _, err := insert.ExecContext(t.Context(), e.At.UnixNano(), e.Kind, e.Subject, e.Hash[:], e.Body); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
