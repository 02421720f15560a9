package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/federation/store/storetest"
)

// childEnv names the ledger that this test binary, started as another process, shall write.
const childEnv = "SIGNALBOX_TEST_LEDGER"

// limitEnv is the size in bytes beyond which no file of that process may grow from then on.
const limitEnv = "SIGNALBOX_TEST_FILE_LIMIT"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		fmt.Fprintln(os.Stderr, child(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func child(path string) error {
	s, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return err
	}
	if limit, err := strconv.ParseUint(os.Getenv(limitEnv), 10, 64); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	return storetest.WriteUntilKilled(context.Background(), s, os.Stdout)
}

// file is a ledger in a file; it implements [storetest.Crasher].
type file string

func (f file) Open(ctx context.Context) (store.Store, error) {
	return sqlite.Open(ctx, string(f), sqlite.WithWAL(1<<20))
}

func (f file) Child(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(f))
	return cmd
}

func fresh(t *testing.T) file {
	t.Helper()
	return file(filepath.Join(t.TempDir(), "ledger.db"))
}

// TestDiskRefusesWrites lets the disk refuse at different sizes: within the log, at a checkpoint. What was
// acknowledged must be there when the ledger is opened again, and nothing else.
func TestDiskRefusesWrites(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{100 << 10, 1 << 20, 3 << 20, 5 << 20} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			t.Parallel()
			f := fresh(t)
			cmd := f.Child(t.Context())
			cmd.Env = append(cmd.Env, limitEnv+"="+strconv.Itoa(limit))
			var out, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &stderr
			if err := cmd.Run(); !cmd.ProcessState.Exited() || err == nil {
				t.Fatalf("the child ended with %v, want an error of the disk", err)
			}
			wantError(t, errors.New(stderr.String()), "disk I/O error", "look at the free space")
			storetest.CheckWhole(t, f, 0, strings.Count(out.String(), "\n")-1)
		})
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	var _ storetest.Crasher = file("") // the crash tier does not skip
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		t.Helper()
		return fresh(t)
	})
}
