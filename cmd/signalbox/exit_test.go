package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"signalbox/adapters"
	"signalbox/config"
	"signalbox/federation/store"
)

// TestExitCodes: scripts rely on them.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{config.Faults{{What: "x"}}, 2},
		{fail(exitInput, "x"), 2},
		{fmt.Errorf("run: %w", store.ErrNotFound), 3},
		{adapters.Errorf(adapters.NotFound, "log", "x", "no"), 3},
		{adapters.Errorf(adapters.Denied, "dial", "x", "no"), 4},
		{adapters.Errorf(adapters.Rejected, "start", "x", "no"), 4},
		{fmt.Errorf("open: %w", store.ErrLocked), 5},
		{fmt.Errorf("probe: %w", adapters.Errorf(adapters.Unavailable, "dial", "x", "no")), 5},
		{adapters.Errorf(adapters.Malformed, "poll", "x", "no"), 1},
	} {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.err, got, tc.want)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullDisk: a list that could not be printed whole is not taken for one.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var errOut bytes.Buffer
	if code := run([]string{"config", "reference"}, full{}, &errOut); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if !strings.Contains(errOut.String(), "no space left") {
		t.Errorf("it says %q", errOut.String())
	}
}

// TestForeignText: what a source says cannot steer the terminal.
func TestForeignText(t *testing.T) {
	t.Parallel()
	if got := plain("a\x1b[31mb\r\nc\u0085d"); got != "a·[31mb··c·d" {
		t.Errorf("got %q", got)
	}
}

// TestWrongCommandLines: exit code 2, whatever is wrong with them.
func TestWrongCommandLines(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"vaildate", "validate extra", "runs --no-such", "runs --output xml", "wrap instal a", "skip a:2026-01-01 b", "why x"} {
		var out, errOut bytes.Buffer
		if code := run(strings.Fields(line), &out, &errOut); code != exitInput || errOut.Len() == 0 {
			t.Errorf("%s: exit code %d, %q", line, code, errOut.String())
		}
	}
}
