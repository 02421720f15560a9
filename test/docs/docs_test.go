// Package docs holds the texts of the repository to what the programs do.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"signalbox/adapters/all"
	"signalbox/config"
)

const root = "../.."

// blockPattern finds the configuration files that README shows: their first line names them.
var blockPattern = regexp.MustCompile("(?s)```yaml\n# ([a-z/.-]+)\n(.*?)```")

// TestReadmeConfiguration loads the configuration that README shows, as a reader would have written it.
func TestReadmeConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	blocks := blockPattern.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) != 2 {
		t.Fatalf("README shows %d configuration files, want signalbox.yaml and one chain", len(blocks))
	}
	for _, b := range blocks {
		write(t, filepath.Join(dir, b[1]), b[2])
	}
	for _, name := range []string{"keys/id_ed25519", "known_hosts", "token"} {
		write(t, filepath.Join(dir, name), "only stands in for one\n")
	}
	cfg, err := config.Load(filepath.Join(dir, "signalbox.yaml"), all.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) != 2 || len(cfg.Chains) != 1 || len(cfg.Warnings) != 0 {
		t.Errorf("%d sources, %d chains, warnings %v", len(cfg.Sources), len(cfg.Chains), cfg.Warnings)
	}
}

// TestNamedFilesExist looks for the files and folders that the texts name in backticks or as links.
func TestNamedFilesExist(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile("`((?:adapters|federation|lineage|ui|config|test|cmd|\\.ci)(?:/[A-Za-z0-9._-]+)+)`|\\]\\(([A-Z]+(?:\\.md)?)\\)")
	for _, text := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, m := range names.FindAllStringSubmatch(read(t, text), -1) {
			name := m[1] + m[2]
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s names %s: %v", text, name, err)
			}
		}
	}
}

// TestMakeTargets wants every "make X" of the texts to be a target of the Makefile.
func TestMakeTargets(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	for _, text := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, m := range regexp.MustCompile("(?m)(?:^    |`)make ([a-z]+)").FindAllStringSubmatch(read(t, text), -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which does not exist", text, m[1])
			}
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
