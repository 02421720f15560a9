package all

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/config"
)

var update = flag.Bool("update", false, "write the expected messages anew")

// sample copies the configuration that the README shows, with the file modes that it should have.
func sample(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../config/testdata/sample")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"token", "keys/id_ed25519", "keys/passphrase"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSampleLoads(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(filepath.Join(sample(t), "signalbox.yaml"), Kinds())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) != 0 || len(cfg.Sources) != 2 || len(cfg.Chains) != 1 || len(cfg.Chains[0].Nodes) != 4 {
		t.Errorf("%+v", cfg)
	}
}

// TestReferenceLoads loads the reference of all kinds as it is printed.
func TestReferenceLoads(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := config.Reference(&out, Kinds()); err != nil {
		t.Fatal(err)
	}
	main, chain, ok := strings.Cut(out.String(), "\n---\n")
	if !ok {
		t.Fatal("no line ---")
	}
	dir := sample(t)
	put(t, filepath.Join(dir, "signalbox.yaml"), main)
	put(t, filepath.Join(dir, "chains", "nightly-load.yaml"), chain)
	cfg, err := config.Load(filepath.Join(dir, "signalbox.yaml"), Kinds())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) != len(Kinds()) || len(cfg.Warnings) != 0 {
		t.Errorf("%+v", cfg)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	var names, samples []string
	for _, k := range Kinds() {
		if slices.Contains(names, k.Name) || slices.Contains(samples, k.Sample) || k.Help == "" {
			t.Errorf("kind %q: its name and its sample must be its own, and it needs a help", k.Name)
		}
		names, samples = append(names, k.Name), append(samples, k.Sample)
		settings, open := k.Declare()
		if open == nil {
			t.Errorf("kind %q makes no adapter", k.Name)
		}
		for _, s := range settings {
			if !s.Required && s.Default == "" && s.Absent == "" {
				t.Errorf("%s: nobody can tell what holds where %s is absent", k.Name, s.Name)
			}
		}
	}
}

// TestMessages loads every file of testdata as signalbox.yaml. What is expected stands beside it.
func TestMessages(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := sample(t)
			put(t, filepath.Join(dir, "signalbox.yaml"), string(text))
			_, err = config.Load(filepath.Join(dir, "signalbox.yaml"), Kinds())
			if err == nil {
				t.Fatal("no fault")
			}
			got, beside := strings.ReplaceAll(err.Error(), dir+"/", "")+"\n", strings.TrimSuffix(path, ".yaml")+".txt"
			if *update {
				put(t, beside, got)
			}
			if want, err := os.ReadFile(beside); err != nil || got != string(want) {
				t.Errorf("%v: got\n%s", err, got)
			}
		})
	}
}

// TestOpenCron makes an adapter of the sample's source, with a real key behind a passphrase.
func TestOpenCron(t *testing.T) {
	t.Parallel()
	dir := sample(t)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "keys", "id_ed25519"), string(pem.EncodeToMemory(block)))
	put(t, filepath.Join(dir, "keys", "passphrase"), "open sesame\n")
	cfg, err := config.Load(filepath.Join(dir, "signalbox.yaml"), Kinds())
	if err != nil {
		t.Fatal(err)
	}
	a, opts, err := cfg.Sources[1].Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Properties().Address; !strings.Contains(got, "hostb.example.org") || !strings.Contains(got, "2222") {
		t.Errorf("address %q", got)
	}
	if opts.Name != "hostb" || opts.Node != "box1" || !slices.Equal(opts.Redact, []string{"open sesame"}) || len(opts.Quiet) != 1 {
		t.Errorf("options %+v", opts)
	}
	s, err := adapters.NewSource(a, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFolders checks that the configuration and the adapter agree about the folder on the host.
func TestFolders(t *testing.T) {
	t.Parallel()
	main, err := os.ReadFile("../../config/testdata/sample/signalbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := sample(t)
	for folder, good := range map[string]bool{
		".signalbox": true, "var/signal_box-1": true, "a..b": true,
		"/abs": false, "a/": false, "a//b": false, "..": false, "a/../b": false, "~/a": false, "a b": false, "$(x)": false, "": false,
	} {
		path := filepath.Join(dir, "signalbox.yaml")
		put(t, path, strings.ReplaceAll(string(main), "user: batch", "user: batch\n    dir: "+strconv.Quote(folder)))
		if _, err := config.Load(path, Kinds()); (err == nil) != good {
			t.Errorf("%q: configuration says %v", folder, err)
		}
		if folder == "" {
			continue // the adapter's word for its default
		}
		a, err := cron.New(cron.Options{
			Source: "hosta", Host: "h", User: "u", Dir: folder,
			KeyFile: filepath.Join(dir, "keys/id_ed25519"), KnownHosts: filepath.Join(dir, "known_hosts"),
		})
		if refused := err != nil && strings.Contains(err.Error(), "folder"); refused == good {
			t.Errorf("%q: the adapter says %v", folder, err)
		}
		if a != nil {
			_ = a.Close()
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
