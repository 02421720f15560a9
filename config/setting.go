package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting declares one setting: all that code, defaults, checks and the reference need to know.
type Setting struct {
	Name     string // snake_case
	Help     string // one sentence, or two
	Default  string // YAML that holds where the setting is absent; empty = none
	Absent   string // what holds where it is absent and there is no Default, in words for the reference
	Example  string // YAML for the reference; empty = the Default
	Required bool   // absence is a fault
	Into     Value  // type, check and target
}

// Value is the type of a setting together with the variable that it is read into. The constructors in
// this package ([Text], [Int], [Duration] …) make them.
type Value interface {
	// want says what is wanted, in plain words: "a duration such as 30s or 5m".
	want() string
	// read checks a node, stores what it says, and reports what is wrong with it under the given name.
	read(f *file, name string, n *yaml.Node)
}

// block is a mapping of declared settings.
type block struct {
	settings []Setting
	lenient  bool // do not report what is not declared: it cannot be judged

	places map[string]Place // of the values that were given
	whole  Place
}

// Block makes a setting of a group of settings.
func Block(settings ...Setting) Value { return &block{settings: settings} }

func (b *block) want() string { return "settings" }

// at gives the place of a setting's value, or of the block where it is absent.
func (b *block) at(name string) Place {
	if p, ok := b.places[name]; ok {
		return p
	}
	return b.whole
}

// given tells whether a setting stands in the file, well or badly.
func (b *block) given(name string) bool {
	_, ok := b.places[name]
	return ok
}

// read reads each setting that is given, reports keys that are not declared, and then looks at those that
// are absent. What follows from a fault is not reported: one mistake gives one line.
func (b *block) read(f *file, name string, n *yaml.Node) {
	b.whole = f.place(n)
	b.places = map[string]Place{}
	if !f.expect(name, n, yaml.MappingNode, b.want()) {
		return
	}
	meantNames := map[string]bool{}
	f.entries(n, func(key, value *yaml.Node) {
		s, ok := b.setting(key.Value)
		if !ok {
			if near := b.unknown(f, key, value); near != "" {
				meantNames[near] = true
			}
			return
		}
		b.places[s.Name] = f.place(value)
		if f.usable(s.Name, value) {
			s.Into.read(f, s.Name, value)
		}
	})
	b.complete(f, n, meantNames)
}

// complete fills in defaults and misses what is required, unless it is there under a mistyped name.
func (b *block) complete(f *file, n *yaml.Node, mistyped map[string]bool) {
	for _, s := range b.settings {
		switch {
		case b.given(s.Name) || mistyped[s.Name]:
		case s.Required:
			f.found.fault(b.whole, exampleHint(s), "%s is missing: %s", s.Name, s.Into.want())
		default:
			s.fill(f, n)
		}
	}
}

// exampleHint shows how a missing setting is written, if that fits a line.
func exampleHint(s Setting) string {
	if s.Example == "" || strings.Contains(s.Example, "\n") {
		return ""
	}
	return fmt.Sprintf("write %s: %s", s.Name, s.Example)
}

// fill reads the default the same way as a written value. A block is read empty, so that the defaults
// in it hold.
func (s Setting) fill(f *file, at *yaml.Node) {
	text := s.Default
	if _, ok := s.Into.(*block); ok && text == "" {
		text = "{}"
	}
	if text == "" {
		return
	}
	docs, err := parse(strings.NewReader(text))
	if err != nil || len(docs) != 1 {
		f.fault(at, "report this", "the declared default %q of %s is not YAML", text, s.Name)
		return
	}
	move(docs[0], at)
	s.Into.read(f, s.Name, docs[0])
}

// move sets the place of a whole tree.
func move(n, to *yaml.Node) {
	n.Line, n.Column = to.Line, to.Column
	for _, c := range n.Content {
		move(c, to)
	}
}

func (b *block) setting(name string) (Setting, bool) {
	for _, s := range b.settings {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

func (b *block) names() []string {
	names := make([]string, len(b.settings))
	for i, s := range b.settings {
		names[i] = s.Name
	}
	return names
}

// unknown reports a key that is not declared and gives the setting that was probably meant.
func (b *block) unknown(f *file, key, value *yaml.Node) (near string) {
	if b.lenient {
		return ""
	}
	near = closest(key.Value, b.names())
	hint := meant(near)
	if hint == "" && len(b.settings) <= 16 {
		hint = "known here: " + strings.Join(b.names(), ", ")
	}
	before, _, glued := strings.Cut(key.Value, ":")
	switch {
	case glued && isNull(value):
		hint = "leave a blank behind the colon"
		f.fault(key, hint, "unknown setting %s", quote(before+":…"))
	case b.secret() && !typo(key.Value, near):
		f.fault(key, hint, "this is not a setting") // it may be the secret itself
	default:
		f.fault(key, hint, "unknown setting %s", quote(key.Value))
	}
	return near
}

// typo tells whether a key is surely a mistyped setting and nothing else.
func typo(key, near string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"
	return near != "" && strings.Trim(key, letters) == "" && len(key) <= len(near)+1
}

// secret tells whether a setting of the block holds a secret.
func (b *block) secret() bool {
	for _, s := range b.settings {
		if _, ok := s.Into.(*secretValue); ok {
			return true
		}
	}
	return false
}

// entries calls each with every key of a mapping that can be judged, and its value. Keys given twice
// count once.
func (f *file) entries(n *yaml.Node, each func(key, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Tag == "!!merge":
			f.fault(key, "write the settings out", "merge keys (<<) are not used here")
			continue
		case !f.plain(key):
			continue
		case key.Kind != yaml.ScalarNode:
			f.fault(key, "write NAME: VALUE", "a name is wanted here, not %s", given(key))
			continue
		}
		if line, ok := first[key.Value]; ok {
			f.fault(key, "", "%s is given twice: the first is in line %d", quote(key.Value), line)
			continue
		}
		first[key.Value] = key.Line
		each(key, value)
	}
}

// plain refuses the parts of YAML that make a file hard to read at night. It does not repeat their
// text, which may be a secret that happens to begin with such a character.
func (f *file) plain(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		f.fault(n, "write the value out, or put it in quotes", "aliases (*) are not used here")
	case n.Anchor != "":
		f.fault(n, "write the value out where it is used, or put it in quotes", "anchors (&) are not used here")
	case n.Style&yaml.TaggedStyle != 0:
		f.fault(n, "leave it out, or put the value in quotes", "tags (!) are not used here")
	default:
		return true
	}
	return false
}

// usable tells whether a value is there and plain, and reports it if not.
func (f *file) usable(name string, n *yaml.Node) bool {
	if isNull(n) && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 {
		f.fault(n, "write one or take the line out", "%s has no value", name)
		return false
	}
	return f.plain(n)
}

// expect tells whether a node is of a kind, and reports it if not.
func (f *file) expect(name string, n *yaml.Node, kind yaml.Kind, want string) bool {
	if n.Kind == kind {
		return true
	}
	f.fault(n, "", "%s: want %s, not %s", name, want, given(n))
	return false
}

// isNull tells whether nothing stands behind the colon, or a word that means nothing (null, ~).
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// given says in plain words what a node is, without its text.
func given(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "settings"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	case yaml.DocumentNode:
		return "a document"
	case yaml.ScalarNode:
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

// quote shows text of a file, shortened.
func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// maxName keeps names usable in tables, addresses and file names.
const maxName = 100

// checkName checks the name of a source, a chain or a node.
func checkName(name string) error {
	switch {
	case len(name) > maxName:
		return wrong("", "a name has at most %d characters, this one %d", maxName, len(name))
	case !namePattern.MatchString(name):
		return wrong(meant(asName(name)),
			"a name consists of a-z, 0-9, dot, dash and underscore and begins with a letter or digit, not %s", quote(name))
	}
	return nil
}

// asName makes a name of what is almost one, or nothing.
func asName(s string) string {
	s = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), " ", "-")
	if namePattern.MatchString(s) {
		return s
	}
	return ""
}

// wrongError says what is wrong with a value, and what was probably meant. Any other error of a parser
// means only that the value is not what is wanted; the fault then says what is.
type wrongError struct{ what, hint string }

func (e *wrongError) Error() string { return e.what }

// asWrong makes the error of a check one whose words are shown.
func asWrong(err error) error {
	if _, ok := errors.AsType[*wrongError](err); ok {
		return err
	}
	return wrong("", "%v", err)
}

func wrong(hint, format string, a ...any) error {
	return &wrongError{what: fmt.Sprintf(format, a...), hint: hint}
}
