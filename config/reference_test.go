package config

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func referenceText(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	if err := Reference(&out, kinds()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// declared calls each with every setting that exists.
func declared(settings []Setting, path string, each func(path string, s Setting)) {
	for _, s := range settings {
		each(path+s.Name, s)
		switch v := s.Into.(type) {
		case *block:
			declared(v.settings, path+s.Name+".", each)
		case *named:
			for _, x := range v.samples {
				declared(x.settings, path+s.Name+"."+x.name+".", each)
			}
		}
	}
}

// TestReferenceIsComplete finds every declared setting in the reference, with its help and what holds
// where it is absent.
func TestReferenceIsComplete(t *testing.T) {
	t.Parallel()
	text := referenceText(t)
	flat := strings.Join(strings.Fields(strings.ReplaceAll(text, "#", " ")), " ")
	seen := 0
	check := func(path string, s Setting) {
		seen++
		if !strings.HasSuffix(s.Help, ".") {
			t.Errorf("%s: the help %q is not a sentence", path, s.Help)
		}
		want := s.Help + " " + s.Name + ":"
		if _, group := s.Into.(*block); !group {
			if s.Default == "" && s.Absent == "" && !s.Required {
				t.Errorf("%s: nobody can tell what holds where it is absent", path)
			}
			want = s.Help + " " + kindOfSetting(s) + " " + s.Name + ":"
		}
		if want = strings.Join(strings.Fields(want), " "); !strings.Contains(flat, want) {
			t.Errorf("%s: the reference lacks %q", path, want)
		}
	}
	declared(newLoader(kinds()).settings(&Config{}), "", check)
	declared((&chainDraft{}).declare(), "chain ", check)
	if seen < 40 {
		t.Errorf("only %d settings were seen", seen)
	}
}

// TestReferenceLoads loads the reference as it is printed.
func TestReferenceLoads(t *testing.T) {
	t.Parallel()
	main, chain, ok := strings.Cut(referenceText(t), "\n---\n")
	if !ok {
		t.Fatal("no line ---")
	}
	dir := folder(t)
	put(t, dir, "chains/nightly-load.yaml", chain)
	cfg, err := Load(put(t, dir, "signalbox.yaml", main), kinds())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) != 2 || len(cfg.Chains) != 1 || len(cfg.Chains[0].Nodes) != 3 || len(cfg.Warnings) != 0 {
		t.Errorf("%+v", cfg)
	}
}

// TestReferenceLines keeps it readable in a terminal.
func TestReferenceLines(t *testing.T) {
	t.Parallel()
	for line := range strings.SplitSeq(referenceText(t), "\n") {
		if len(line) > 100 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestReferenceWriteError(t *testing.T) {
	t.Parallel()
	if err := Reference(fullDisk{}, kinds()); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}
