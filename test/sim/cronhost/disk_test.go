package cronhost_test

import (
	"os"
	"strings"
	"testing"
)

// TestSmallDisk: a disk that fills up, one that cannot be written, and neither is left over.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("mounting needs root: CI must have it")
		}
		t.Skip("mounting needs root")
	}
	h := start(t, nil)
	if err := h.MountSmall("home/spool", 64<<10, false); err != nil {
		t.Fatal(err)
	}
	if err := h.MountSmall("home/fixed", 64<<10, true); err != nil {
		t.Fatal(err)
	}
	client := dial(t, h)
	for line, want := range map[string]string{
		"head -c 100000 /dev/zero >spool/x": "No space left on device",
		"echo >fixed/x":                     "Read-only file system",
	} {
		if _, stderr, err := run(t, client, line, ""); err == nil || !strings.Contains(stderr, want) {
			t.Errorf("%s: %q, %v; want %s", line, stderr, err, want)
		}
	}
	if err := h.Stop(); err != nil {
		t.Error(err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), h.Dir()) {
		t.Errorf("still mounted, or %v", err)
	}
}
