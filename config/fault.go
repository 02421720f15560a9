package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Place is where something stands in a file.
type Place struct {
	File   string // as the path was given, or joined to it
	Line   int    // from 1; 0 = the file as a whole
	Column int    // from 1, in characters
}

// String gives "file:line:column", or the file alone.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// short names the place for somebody who stands in file: the line is enough there.
func (p Place) short(file string) string {
	if p.File == file {
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Fault is one thing that is wrong, or deserves a warning. It never holds a secret.
type Fault struct {
	Place
	What string // in plain words
	Hint string // what was probably meant, or what to do; may be empty
}

// String gives "file:line:column: what; hint".
func (f Fault) String() string {
	s := f.Place.String() + ": " + f.What
	if f.Hint != "" {
		s += "; " + f.Hint
	}
	return s
}

// Faults is everything that is wrong, sorted by place. It is the error of [Load].
type Faults []Fault //nolint:errname // its users say faults: "3 faults in 2 files"

// Error gives one line per fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

// Files counts the files that have faults.
func (f Faults) Files() int {
	files := map[string]bool{}
	for _, x := range f {
		files[x.File] = true
	}
	return len(files)
}

// Summary gives "3 faults in 2 files".
func (f Faults) Summary() string {
	return count(len(f), "fault") + " in " + count(f.Files(), "file")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func sorted(faults []Fault) []Fault {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.What, b.What), cmp.Compare(a.Hint, b.Hint),
		)
	})
	return slices.Compact(faults)
}

// findings collects what is found in all files of one load.
type findings struct {
	faults   []Fault
	warnings []Fault
}

// file is one file while it is read.
type file struct {
	name  string // as shown
	dir   string // absolute; relative paths in the file start here
	found *findings
}

func (f *file) place(n *yaml.Node) Place {
	return Place{File: f.name, Line: n.Line, Column: n.Column}
}

// fault reports at a node; the hint may be empty.
func (f *file) fault(n *yaml.Node, hint, format string, a ...any) {
	f.found.fault(f.place(n), hint, format, a...)
}

func (f *file) warn(n *yaml.Node, hint, format string, a ...any) {
	f.found.warn(f.place(n), hint, format, a...)
}

func (c *findings) fault(p Place, hint, format string, a ...any) {
	c.faults = append(c.faults, Fault{Place: p, What: fmt.Sprintf(format, a...), Hint: hint})
}

func (c *findings) warn(p Place, hint, format string, a ...any) {
	c.warnings = append(c.warnings, Fault{Place: p, What: fmt.Sprintf(format, a...), Hint: hint})
}
