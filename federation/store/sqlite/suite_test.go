package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/federation/store/storetest"
)

// childEnv names the ledger that this test binary, started as another process, shall write.
const childEnv = "SIGNALBOX_TEST_LEDGER"

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

func TestSuite(t *testing.T) {
	t.Parallel()
	var _ storetest.Crasher = file("") // the crash tier does not skip
	storetest.Run(t, func(t *testing.T) storetest.Opener { return fresh(t) })
}
