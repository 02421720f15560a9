package adaptertest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"signalbox/adapters/adaptertest"
)

// skipping tells the process below that it is the one that skips.
const skipping = "SIGNALBOX_TEST_SKIPPING_HARNESS"

// TestSkippingHarness is the subject of TestNoSilentSkip, in a process of its own.
func TestSkippingHarness(t *testing.T) {
	if os.Getenv(skipping) == "" {
		t.Skip("it is the subject of another test")
	}
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness {
		t.Helper()
		t.Skip("the peer is not installed")
		return nil
	})
}

// TestNoSilentSkip: a suite that would skip is a failure in CI, and only there.
func TestNoSilentSkip(t *testing.T) {
	t.Parallel()
	for ci, wantFail := range map[string]bool{"": false, "true": true} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSkippingHarness$", "-test.v")
		cmd.Env = append(os.Environ(), skipping+"=1", "CI="+ci)
		out, err := cmd.CombinedOutput()
		if (err != nil) != wantFail {
			t.Errorf("CI=%q: error %v:\n%s", ci, err, out)
		}
		if n := strings.Count(string(out), "skipped in CI without being listed in Gaps"); wantFail && n != len(adaptertest.Cases()) {
			t.Errorf("CI=%q: %d of %d cases say why they fail:\n%s", ci, n, len(adaptertest.Cases()), out)
		}
	}
}
