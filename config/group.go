package config

import (
	"errors"

	"go.yaml.in/yaml/v3"
)

// list is a setting of several values.
type list struct {
	words string
	each  func(f *file, name string, n *yaml.Node)
}

func (l *list) want() string { return l.words }

// read does not take a single word for a list of one: that would hide a forgotten dash.
func (l *list) read(f *file, name string, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode {
			hint = "put it in brackets: [" + flow(n) + "]"
		}
		f.fault(n, hint, "%s: want %s, not %s", name, l.words, given(n))
		return
	}
	for _, item := range n.Content {
		if f.usable("this entry of "+name, item) {
			l.each(f, name, item)
		}
	}
}

// flow shows a word as it is written inside of brackets.
func flow(n *yaml.Node) string {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return quote(n.Value)
	}
	return n.Value
}

// items makes a list of words of one type; at, if not nil, hears where each stands.
func items[T any](words string, item func(into *T) Value, add func(v T, at Place)) Value {
	return &list{words: words, each: func(f *file, name string, n *yaml.Node) {
		var v T
		before := len(f.found.faults)
		item(&v).read(f, name, n)
		if len(f.found.faults) == before {
			add(v, f.place(n))
		}
	}}
}

// named is a mapping of names that people choose to blocks of settings.
type named struct {
	words      string
	atLeastOne bool
	each       func(f *file, key, value *yaml.Node)
	samples    []sample // for the reference

	known bool // it was read: its names can be relied on
}

// sample is one entry of a named mapping in the reference.
type sample struct {
	name     string
	help     string
	settings []Setting // explained one by one
	text     string    // or the whole entry in one line
}

func (m *named) want() string { return m.words }

// read reads every entry, also one whose name is at fault.
func (m *named) read(f *file, name string, n *yaml.Node) {
	if !f.expect(name, n, yaml.MappingNode, m.words) {
		return
	}
	m.known = true
	if len(n.Content) == 0 && m.atLeastOne {
		f.fault(n, "", "%s: want %s, at least one", name, m.words)
	}
	f.entries(n, func(key, value *yaml.Node) {
		if err := checkName(key.Value); err != nil {
			f.wrong(key, err)
		}
		if f.usable(quote(key.Value), value) {
			m.each(f, key, value)
		}
	})
}

// wrong reports an error with its hint.
func (f *file) wrong(n *yaml.Node, err error) {
	if w, ok := errors.AsType[*wrongError](err); ok {
		f.fault(n, w.hint, "%s", w.what)
		return
	}
	f.fault(n, "", "%v", err)
}
