package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
)

// wantError checks that err says all of what a person needs.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

// opened opens a ledger that must open, until the test ends.
func opened(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.WithWAL(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestOneWriterAtATime(t *testing.T) {
	t.Parallel()
	path := string(fresh(t))
	link := filepath.Join(t.TempDir(), "link.db")
	s := opened(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		_, err := sqlite.Open(t.Context(), p)
		if !errors.Is(err, store.ErrLocked) {
			t.Errorf("%s: %v, want %v", p, err, store.ErrLocked)
		}
		wantError(t, err, p, path+".lock", "process "+strconv.Itoa(os.Getpid()), "stop that process")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, link)
}

func TestKilledWriterLeavesNoLock(t *testing.T) {
	t.Parallel()
	f := fresh(t)
	cmd := f.Child(t.Context())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("the child acknowledged nothing")
	}
	_, err = f.Open(t.Context())
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("open beside the child: %v, want %v", err, store.ErrLocked)
	}
	wantError(t, err, "process "+strconv.Itoa(cmd.Process.Pid))
	r, err := sqlite.OpenReadOnly(t.Context(), string(f))
	if err != nil {
		t.Fatalf("read beside the child: %v", err)
	}
	if last, err := r.Last(t.Context()); err != nil || last == 0 {
		t.Errorf("read beside the child: last %d, %v", last, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	r, err = sqlite.OpenReadOnly(t.Context(), string(f)) // the log is still to be recovered
	if err != nil {
		t.Fatalf("read after the kill: %v", err)
	}
	before, err := r.Last(t.Context())
	if err != nil {
		t.Errorf("read after the kill: %v", err)
	}
	_ = r.Close()
	if last, err := opened(t, string(f)).Last(t.Context()); err != nil || last != before {
		t.Errorf("last record %d, the reader saw %d: %v", last, before, err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "led ger?#%41.db")
	_, err := sqlite.OpenReadOnly(t.Context(), path)
	wantError(t, err, path, "no such file")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading created the file: %v", err)
	}
	s := opened(t, path)
	r, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	f, err := s.Acquire(t.Context(), "writer", "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), &store.Batch{Fence: f, Sources: []store.Source{{Name: "findb"}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // beside the writer, and after it
		if all, err := r.Sources(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("sources %v, %v", all, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err = sqlite.OpenReadOnly(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// execAll runs statements on a database file, as another program would.
func execAll(t *testing.T, path string, all ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range all {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestUnfitFilesAreRefused(t *testing.T) {
	t.Parallel()
	used := func(t *testing.T, path string) {
		t.Helper()
		if err := opened(t, path).Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		says string
	}{
		{"text", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(strings.Repeat("chains:\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not an SQLite database"},
		{"of another program", func(t *testing.T, path string) {
			t.Helper()
			execAll(t, path, "CREATE TABLE cookies (host TEXT)")
		}, "not one of Signalbox"},
		{"cut off", func(t *testing.T, path string) {
			t.Helper()
			used(t, path)
			if err := os.Truncate(path, 8192); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		{"cut off at its end", func(t *testing.T, path string) {
			t.Helper()
			used(t, path)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()-4096); err != nil {
				t.Fatal(err)
			}
		}, "restore a backup"},
		{"of a newer version", func(t *testing.T, path string) {
			t.Helper()
			used(t, path)
			execAll(t, path, "INSERT INTO migration VALUES (99, '0099_future.sql', 'x', 0)")
		}, "newer than this program"},
		{"of an altered migration", func(t *testing.T, path string) {
			t.Helper()
			used(t, path)
			execAll(t, path, "UPDATE migration SET checksum = 'x'")
		}, "another form"},
		{"a folder", func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, anyText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := string(fresh(t))
			c.make(t, path)
			_, err := sqlite.Open(t.Context(), path)
			wantError(t, err, path, c.says)
			_, err = sqlite.OpenReadOnly(t.Context(), path)
			if c.name != "cut off at its end" { // seen when the missing page is read
				wantError(t, err, path, c.says)
			}
		})
	}
}

// anyText stands for "nothing more than the path".
const anyText = "ledger.db"

func TestNoFolder(t *testing.T) {
	t.Parallel()
	_, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "none", "ledger.db"))
	wantError(t, err, "none", "create the folder")
}

func TestEmptyFileIsNotReadable(t *testing.T) {
	t.Parallel()
	path := string(fresh(t))
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.OpenReadOnly(t.Context(), path)
	wantError(t, err, path, "no server has used it yet")
	opened(t, path) // but a server may take it
}

func TestCancelledOpenLeavesNoLock(t *testing.T) {
	t.Parallel()
	path := string(fresh(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := sqlite.Open(ctx, path); err == nil {
		_ = s.Close()
		t.Error("opened with a cancelled context")
	}
	opened(t, path)
}
