package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readChains reads every file that the patterns name, each once, in the order of their names.
func (l *loader) readChains(main *file, mainPath string) {
	var names []string
	for _, p := range l.patterns {
		names = append(names, l.match(main, mainPath, p)...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		f, ok := l.open(name, name)
		if !ok {
			continue
		}
		docs, _ := f.documents()
		for _, doc := range docs {
			l.readChain(f, doc)
		}
	}
}

// match gives the files of a pattern.
func (l *loader) match(main *file, mainPath string, p pattern) []string {
	full := p.text
	if !filepath.IsAbs(full) {
		full = filepath.Join(escapeGlob(filepath.Dir(main.name)), full)
	}
	all, err := l.glob(full)
	if err != nil {
		l.found.fault(p.at, "", "cannot search %s: %v", quote(p.text), err)
		return nil
	}
	var names []string
	for _, name := range all {
		switch {
		case strings.HasPrefix(filepath.Base(name), "."):
		case sameFile(name, mainPath):
			l.found.fault(p.at, "keep chains in a folder of their own", "%s matches this file itself", quote(p.text))
			return nil
		default:
			names = append(names, filepath.Clean(name))
		}
	}
	if len(names) == 0 {
		l.found.fault(p.at, "paths start at the folder of this file", "%s matches no file", quote(p.text))
	}
	return names
}

// escapeGlob takes the meaning from the special characters of a path.
func escapeGlob(path string) string {
	if runtime.GOOS == "windows" {
		return path // its patterns know no escape
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// sameFile sees through links and different spellings of one path.
func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// readChain reads one document. One without a single known setting is reported and then forgotten.
func (l *loader) readChain(f *file, n *yaml.Node) {
	c := &chainDraft{file: f.name}
	c.settings = &block{settings: c.declare()}
	if !f.plain(n) {
		return
	}
	c.settings.read(f, "a chain", n)
	if len(c.settings.places) > 0 {
		l.chains = append(l.chains, c)
	}
}
