package story

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the signalbox under test, built once.
var binary string

// TestMain builds the product. Called with killVariable set, the test binary is the victim of a kill
// story instead: see kill_test.go.
func TestMain(m *testing.M) {
	if at := os.Getenv(killVariable); at != "" {
		os.Exit(victim(at))
	}
	dir, err := os.MkdirTemp("", "signalbox-story-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "signalbox")
	build := exec.Command("go", "build", "-o", binary, "signalbox/cmd/signalbox")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	code := 1
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build signalbox:", err)
	} else {
		code = m.Run()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}
