package story

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signalbox/test/peer"
)

const loadAfterExtract = `chain: nightly
timezone: UTC
repeat: extract
keep_open: 10m
jobs:
  extract: {job: a/extract}
  load:    {job: b/load, after: [extract], stage: drive}
`

// wrapped prepares two hosts with fake crontabs: runs of a/extract are made by hand.
func wrapped(t *testing.T) (b *peer.Host, s *site) {
	t.Helper()
	a := peer.Start(t, peer.Options{})
	b = peer.Start(t, peer.Options{})
	a.SetCrontab(t, "# Name: extract\n0 4 * * * true\n")
	b.SetCrontab(t, "# Name: load\n0 17 * * * echo x >> "+filepath.Join(b.Home, "ran")+"\n")
	s = newSite(t, machine(a), machine(b), loadAfterExtract)
	s.must("wrap", "install", "a")
	s.must("wrap", "install", "b")
	s.must("native", "hold", "b/load")
	return b, s
}

// TestHostUnreachable: a host that is down makes its source blind, which is said; nothing is released on
// silence and nothing fails by it; when it is back, work goes on without anybody's help.
func TestHostUnreachable(t *testing.T) {
	t.Parallel()
	b, s := wrapped(t)
	b.Down()
	s.serve()
	var src struct {
		Blind bool   `json:"blind"`
		Error string `json:"error"`
	}
	peer.Eventually(t, 20*time.Second, "b is blind", func() bool { s.read("/sources/b", &src); return src.Blind })
	if !strings.Contains(src.Error, "refused") {
		t.Errorf("the reason is %q", src.Error)
	}
	b.Up(t)
	peer.Eventually(t, 60*time.Second, "b is seen again", func() bool { s.read("/sources/b", &src); return !src.Blind })
}

// TestChangedHostKey: refused, with the fingerprint, and not tried again by itself.
func TestChangedHostKey(t *testing.T) {
	t.Parallel()
	b, s := wrapped(t)
	b.ChangeHostKey(t)
	out, errOut, code := s.run("probe", "b")
	if code != 4 {
		t.Errorf("exit code %d; want 4\n%s%s", code, out, errOut)
	}
	if text := out + errOut; !strings.Contains(text, b.Fingerprint(t)) || !strings.Contains(text, "known_hosts") {
		t.Errorf("it names neither the fingerprint %s nor the file:\n%s", b.Fingerprint(t), text)
	}
}

// TestSecondProcess: one ledger, one writer; the second says who has it and changes nothing.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	_, s := wrapped(t)
	s.serve()
	out, errOut, code := s.run("serve")
	if code != 5 || !strings.Contains(errOut, "ledger.db") {
		t.Errorf("exit code %d, want 5:\n%s%s", code, out, errOut)
	}
	if code, _ := s.fetch("/api/v1/healthz"); code != http.StatusOK {
		t.Error("the first one does not answer any more")
	}
}

// TestTwoMasters: a job whose own schedule is in effect is not started by us as well.
func TestTwoMasters(t *testing.T) {
	t.Parallel()
	b, s := wrapped(t)
	s.must("native", "unhold", "b/load")
	s.write("chain.yaml", oneStart, 0o644)
	s.serve()
	peer.Eventually(t, 30*time.Second, "the start is refused", func() bool {
		for _, in := range s.instances() {
			for _, n := range in.Nodes {
				if n.Send == "refused" {
					return true
				}
			}
		}
		return false
	})
	if got := lines(t, filepath.Join(b.Home, "ran")); len(got) != 0 {
		t.Errorf("it ran %d times", len(got))
	}
}

// TestValidate: all faults at once, with their places, and exit code 2.
func TestValidate(t *testing.T) {
	t.Parallel()
	_, s := wrapped(t)
	s.write("chain.yaml", `chain: nightly
timezone: Mars/Olympus
jobs:
  load: {job: b/load, stage: drive, after: [exract]}
  extract: {job: c/extract}
---
chain: other
jobs:
  load: {job: b/load, stage: drive}
`, 0o644)
	_, errOut, code := s.run("validate")
	if code != 2 {
		t.Errorf("exit code %d; want 2", code)
	}
	for _, want := range []string{"chain.yaml:2:11:", "Mars/Olympus", "chain.yaml:4:", "did you mean extract", "chain.yaml:5:", "chain.yaml:9:"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("it does not say %q:\n%s", want, errOut)
		}
	}
}
