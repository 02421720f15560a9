package pages

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"signalbox/federation/chain"
)

// functions are what templates can call.
func functions(a *assets) template.FuncMap {
	return template.FuncMap{
		"asset":      a.url,
		"words":      func(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") },
		"span":       exactSpan,
		"sentence":   sentence,
		"nav":        newNavItem,
		"rows":       newInstanceTable,
		"act":        newActForm,
		"stageAbout": stageAbout,
		"startAbout": startAbout,
	}
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[n:], ".") + "."
}

// navItem is an entry of the navigation.
type navItem struct {
	URL, Name string
	Here      bool
}

func newNavItem(section, here, url, name string) navItem {
	return navItem{URL: url, Name: name, Here: section == here}
}

// instanceTable is a table of instances; When heads its last column.
type instanceTable struct {
	Caption, When string
	Rows          []instanceRow
}

func newInstanceTable(caption, when string, rows []instanceRow) instanceTable {
	return instanceTable{Caption: caption, When: when, Rows: rows}
}

// actForm is the form with the commands of one node.
type actForm struct {
	F   frame
	Row nodeRow
}

func newActForm(f frame, row nodeRow) actForm { return actForm{F: f, Row: row} }

// stageAbout says what a stage means.
func stageAbout(s chain.Stage) string {
	switch s {
	case chain.Watch:
		return "Signalbox sees and judges; the native clock starts the job"
	case chain.Rehearse:
		return "Signalbox decides and writes receipts; it sends nothing"
	case chain.Drive:
		return "Signalbox starts the job; the native schedule is out of effect"
	}
	return ""
}

// startAbout says what happens when the answer to a start is lost, by the start class of a source.
func startAbout(class string) string {
	switch class {
	case "deduplicated":
		return "is sent again: the source knows our token"
	case "searchable":
		return "is searched for by our token, and sent again only if it is proven absent"
	case "in_doubt":
		return "stays in doubt: a person is asked"
	case "none":
		return "cannot happen: this source starts nothing for us"
	}
	return "not known yet"
}
