package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Reference writes the whole reference: signalbox.yaml and a chain file in which every setting stands
// with its meaning, its type, its default and an example. The text is itself valid: what stands before
// the line "---" is a signalbox.yaml, what stands behind it is chains/nightly-load.yaml.
func Reference(w io.Writer, kinds []Kind) error {
	out := bufio.NewWriter(w)
	r := &reference{out: out}
	r.comment(0, referenceIntro)
	r.line(0, "")
	l := newLoader(kinds)
	r.settings(0, l.settings(&Config{}))
	r.line(0, "---")
	r.comment(0, chainIntro)
	r.line(0, "")
	r.settings(0, (&chainDraft{}).declare())
	return out.Flush()
}

const referenceIntro = `Reference of the configuration of Signalbox: signalbox.yaml, and behind the line --- a chain file.

Every setting is shown once with an example. A setting without "required" may be left out; what holds then stands
behind "default". Nothing else is accepted: unknown settings, settings given twice, anchors, aliases, merge keys and
tags are faults. "signalbox validate" shows all faults at once. Paths start at the folder of the file that names them.`

const chainIntro = `A chain file, such as chains/nightly-load.yaml. It holds one chain, or several with a line --- between them.

Business date D begins at day_cut on calendar day D. A local time of a node means the first such time at or after that.`

// reference writes settings as commented YAML. A write error stays in the buffered writer.
type reference struct{ out *bufio.Writer }

func (r *reference) settings(indent int, settings []Setting) {
	for i, s := range settings {
		if i > 0 {
			r.line(0, "")
		}
		r.setting(indent, s)
	}
}

func (r *reference) setting(indent int, s Setting) {
	if s.Help != "" {
		r.comment(indent, s.Help)
	}
	switch v := s.Into.(type) {
	case *block:
		r.line(indent, s.Name+":")
		r.settings(indent+1, v.settings)
	case *named:
		r.comment(indent, kindOfSetting(s))
		r.line(indent, s.Name+":")
		r.samples(indent+1, v.samples)
	default:
		r.comment(indent, kindOfSetting(s))
		example := s.Example
		if example == "" {
			example = s.Default
		}
		r.line(indent, s.Name+": "+example)
	}
}

func (r *reference) samples(indent int, samples []sample) {
	for _, x := range samples {
		if x.help != "" {
			r.comment(indent, x.help)
		}
		if x.text != "" {
			r.line(indent, x.name+": "+x.text)
			continue
		}
		r.line(indent, x.name+":")
		r.settings(indent+1, x.settings)
	}
}

// kindOfSetting gives "a duration such as 30s or 5m; default: 30s".
func kindOfSetting(s Setting) string {
	words := s.Into.want()
	switch {
	case s.Required:
		return words + "; required"
	case s.Default != "":
		return words + "; default: " + s.Default
	}
	return words + "; default: " + s.Absent
}

func (r *reference) line(indent int, text string) {
	if text != "" {
		text = strings.Repeat("  ", indent) + text
	}
	_, _ = fmt.Fprintln(r.out, text)
}

// comment writes text as comment lines of readable width, a paragraph for each empty line in it.
func (r *reference) comment(indent int, text string) {
	const width = 92
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			r.line(indent, "#")
		}
		row := "#"
		for word := range strings.FieldsSeq(paragraph) {
			if len(row)+1+len(word) > width-2*indent {
				r.line(indent, row)
				row = "#"
			}
			row += " " + word
		}
		r.line(indent, row)
	}
}
