package cron_test

import (
	"os"
	"path/filepath"
	"testing"

	"signalbox/adapters/all"
	"signalbox/config"
	"signalbox/test/peer"
)

// TestSampleLoads loads sample.yaml with the files beside it that it names.
func TestSampleLoads(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	dir := t.TempDir()
	copyFile := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		must(t, err)
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, to)), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, to), text, 0o600))
	}
	copyFile("sample.yaml", "signalbox.yaml")
	copyFile(h.KeyFile, "keys/id_ed25519")
	copyFile(h.KnownHosts, "known_hosts")
	cfg, err := config.Load(filepath.Join(dir, "signalbox.yaml"), all.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) != 1 || len(cfg.Warnings) != 0 {
		t.Errorf("%+v", cfg)
	}
}
