package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds what is read: nobody writes a configuration of a mebibyte, and a pattern may match a
// data file.
const maxFile = 1 << 20

// documents reads a file and gives its YAML documents, those with a syntax error and those behind it
// left out. Everything wrong is reported; ok is false if anything was.
func (f *file) documents() (docs []*yaml.Node, ok bool) {
	whole := Place{File: f.name}
	text, err := readRegular(f.name)
	if err != nil {
		f.found.fault(whole, "", "cannot read: %s", cause(err))
		return nil, false
	}
	if line, column, what := badText(text); what != "" {
		f.found.fault(Place{File: f.name, Line: line, Column: column}, "", "%s", what)
		return nil, false
	}
	docs, err = parse(bytes.NewReader(text))
	if err != nil {
		f.syntax(text, err)
		return docs, false
	}
	if len(docs) == 0 {
		f.found.fault(Place{File: f.name, Line: 1, Column: 1}, "", "the file is empty: it holds no settings")
		return nil, false
	}
	return docs, true
}

// readRegular reads a file of reasonable size; a pipe or a device would block.
func readRegular(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it has %d bytes, more than the %d that a configuration may have", info.Size(), maxFile)
	}
	return os.ReadFile(name)
}

// cause gives the innermost words of a file error: the path already stands in front.
func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// badText finds what the YAML parser would refuse without telling where.
func badText(text []byte) (line, column int, what string) {
	line, column = 1, 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			return line, column, fmt.Sprintf("this is not UTF-8 text: byte 0x%02x", text[0])
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85,
			r == 0xfffe, r == 0xffff:
			return line, column, fmt.Sprintf("the control character U+%04X cannot stand in YAML", r)
		}
		text = text[size:]
		column++
		if r == '\n' || (r == '\r' && !bytes.HasPrefix(text, []byte("\n"))) {
			line, column = line+1, 1
		}
	}
	return 0, 0, ""
}

// parse gives the content of each document that is not empty.
func parse(r io.Reader) (docs []*yaml.Node, err error) {
	dec := yaml.NewDecoder(r)
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return docs, err
		}
		if len(doc.Content) != 1 {
			continue
		}
		if n := doc.Content[0]; n.Kind != yaml.ScalarNode || n.Tag != "!!null" || n.Value != "" {
			docs = append(docs, n)
		}
	}
}

// syntax reports broken YAML. The parser tells the line where the surrounding block begins, or the one
// before, and no column; so the place is searched for: it is where the longest text that still is
// YAML ends.
func (f *file) syntax(text []byte, err error) {
	line, column := syntaxPlace(text)
	p := Place{File: f.name, Line: line, Column: column}
	row := nth(text, line)
	indent := row[:len(row)-len(strings.TrimLeft(row, " \t"))]
	if i := strings.IndexByte(indent, '\t'); i >= 0 {
		p.Column = i + 1
		f.found.fault(p, "use blanks", "broken YAML: a tab indents this line")
		return
	}
	if strings.HasPrefix(row, "<<<<<<<") || strings.HasPrefix(row, "=======") || strings.HasPrefix(row, ">>>>>>>") {
		f.found.fault(p, "keep one side", "broken YAML: a merge conflict is not resolved here")
		return
	}
	what, hint := plainSyntax(err)
	f.found.fault(p, hint, "broken YAML: %s", what)
}

// Bounds of the search of syntaxPlace: it is quadratic.
const (
	searchBytes = 4 << 20 // parsed in all
	searchChars = 300     // of the line
)

// syntaxPlace finds the line and column where text stops being YAML.
func syntaxPlace(text []byte) (line, column int) {
	valid := func(s []byte) bool {
		_, err := parse(bytes.NewReader(s))
		return err == nil
	}
	var ends []int // of lines that the parser saw before it gave up
	feed := &lineReader{rest: text}
	if _, err := parse(feed); err == nil {
		return 1, 1
	}
	for at := 0; at < feed.given; {
		at += lineLength(text[at:])
		ends = append(ends, at)
	}
	good := len(ends) - 1 // lines that are YAML
	for parsed := 0; good > 0 && !valid(text[:ends[good-1]]); good-- {
		if parsed += ends[good-1]; parsed > searchBytes {
			return good, 1
		}
	}
	start := 0
	if good > 0 {
		start = ends[good-1]
	}
	row := []rune(string(text[start : start+lineLength(text[start:])]))
	for n := min(len(row)-1, searchChars); n > 0; n-- {
		if valid(append(bytes.Clone(text[:start]), string(row[:n])...)) {
			return good + 1, n + 1
		}
	}
	return good + 1, 1
}

// lineReader hands out one line a call, so that what was handed out tells how far a parser got.
type lineReader struct {
	rest  []byte
	given int
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest[:lineLength(r.rest)])
	r.rest, r.given = r.rest[n:], r.given+n
	return n, nil
}

// lineLength gives the bytes of the first line, its end included.
func lineLength(text []byte) int {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

// nth gives a line without its end, or nothing if there is no such line.
func nth(text []byte, line int) string {
	lines := strings.SplitN(string(text), "\n", line+1)
	if line > len(lines) {
		return ""
	}
	return lines[line-1]
}

var parserLine = regexp.MustCompile(`^(yaml: )?(line \d+: )?`)

// plainSyntax says the parser's message in plain words. Messages that repeat the text of the file are
// replaced: it may be a secret.
func plainSyntax(err error) (what, hint string) {
	msg := parserLine.ReplaceAllString(err.Error(), "")
	for _, x := range syntaxWords() {
		if strings.HasPrefix(msg, x.parser) {
			return x.what, x.hint
		}
	}
	return msg, ""
}

type syntaxWord struct{ parser, what, hint string }

func syntaxWords() []syntaxWord {
	const indent = "compare its indentation with the lines above"
	return []syntaxWord{
		{"mapping values are not allowed", "a colon where none can stand", "put a value that holds a colon in quotes, or " + indent},
		{"could not find expected ':'", "a setting without a colon", "write NAME: VALUE"},
		{"did not find expected key", "this line does not fit the block it stands in", indent},
		{"did not find expected '-' indicator", "this line does not fit the list it stands in", indent},
		{"did not find expected ',' or ']'", "the list that begins here is not closed", "close it with ]"},
		{"did not find expected ',' or '}'", "the braces that begin here are not closed", "close them with }"},
		{"did not find expected node content", "a value was expected here", ""},
		{"found unexpected end of stream", "the quotes that begin here are not closed", ""},
		{"found character that cannot start any token", "a value cannot begin with this character", "put the value in quotes"},
		{"found unknown escape character", "a backslash means something in double quotes", "use single quotes"},
		{"found undefined tag handle", "tags (!) are not used here", "put the value in quotes"},
		{"unknown anchor", "anchors (&) and aliases (*) are not used here", "put the value in quotes, or write it out"},
		{"block sequence entries are not allowed", "a list entry (-) where none can stand", indent},
		{"found a tab character", "a tab where blanks are needed", "use blanks"},
	}
}
