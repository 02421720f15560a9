package peer

import (
	_ "embed" // for the crontab command of tests
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed crontab.sh
var fakeCrontab []byte

// Crontab gives the present table, and false if there is none.
func (h *Host) Crontab(tb testing.TB) (string, bool) {
	tb.Helper()
	if h.cron == nil {
		text, err := os.ReadFile(filepath.Join(h.Home, ".crontab"))
		if os.IsNotExist(err) {
			return "", false
		}
		mustDo(tb, err)
		return string(text), true
	}
	var errText strings.Builder
	args := append(h.cron.enter(), "crontab", "-l")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = &errText
	out, err := cmd.Output()
	if err != nil && strings.Contains(errText.String(), "no crontab for") {
		return "", false
	}
	mustDo(tb, err)
	return string(out), true
}

// SetCrontab installs a table, as a person at the host would.
func (h *Host) SetCrontab(tb testing.TB, text string) {
	tb.Helper()
	if h.cron == nil {
		mustDo(tb, os.WriteFile(filepath.Join(h.Home, ".crontab"), []byte(text), 0o600))
		return
	}
	args := append(h.cron.enter(), "crontab", "-")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("crontab -: %v: %s", err, out)
	}
}

// CrontabChanges says how often a session has installed or removed a table. Only hosts without
// RealCron count.
func (h *Host) CrontabChanges() int {
	text, err := os.ReadFile(filepath.Join(h.Home, ".crontab-changes"))
	if err != nil {
		return 0
	}
	return strings.Count(string(text), "\n")
}

// BreakCrontab makes every call of the crontab command fail with this text, until it is called with
// an empty one. Only for hosts without RealCron.
func (h *Host) BreakCrontab(tb testing.TB, text string) {
	tb.Helper()
	file := filepath.Join(h.Home, ".crontab-broken")
	if text == "" {
		_ = os.Remove(file) // it need not be there
		return
	}
	mustDo(tb, os.WriteFile(file, []byte(text+"\n"), 0o600))
}
