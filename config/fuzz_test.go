package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad feeds a signalbox.yaml and a chain file of any text. Whatever they hold, Load does not
// panic, and either gives a configuration whose chains can be stored, or faults that all have a place
// within the files.
func FuzzLoad(f *testing.F) {
	around, err := os.ReadFile("testdata/chain/signalbox.yaml")
	if err != nil {
		f.Fatal(err)
	}
	mains, _ := filepath.Glob("testdata/main/*.yaml")
	for _, path := range mains {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), oneChain)
	}
	chains, _ := filepath.Glob("testdata/chain/*.yaml")
	for _, path := range chains {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(around), string(text))
	}
	f.Fuzz(func(t *testing.T, main, chain string) {
		sub := t.TempDir()
		mainPath, chainPath := put(t, sub, "signalbox.yaml", main), put(t, sub, "chain.yaml", chain)
		l := newLoader(kinds())
		l.glob = func(string) ([]string, error) { return []string{chainPath}, nil } // any pattern: the real search would leave the folder
		cfg, err := l.load(mainPath)
		if err == nil {
			for i := range cfg.Chains {
				if _, err := cfg.Chains[i].Seal(); err != nil {
					t.Error(err)
				}
			}
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || cfg != nil {
			t.Fatalf("%T %v, %v", err, err, cfg)
		}
		lines := map[string]int{mainPath: strings.Count(main, "\n") + strings.Count(main, "\r") + 1, chainPath: strings.Count(chain, "\n") + strings.Count(chain, "\r") + 1}
		for _, x := range faults {
			if most, ok := lines[x.File]; !ok || x.Line < 1 || x.Column < 1 || x.Line > most+1 || x.What == "" {
				t.Errorf("no place in the files: %q", x)
			}
		}
	})
}
