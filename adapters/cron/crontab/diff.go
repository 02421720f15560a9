package crontab

import (
	"fmt"
	"slices"
	"strings"
)

// context is how many unchanged lines a diff shows around a change.
const context = 3

// maxCells bounds the table of the comparison; larger changes are shown as one replacement.
const maxCells = 4_000_000

// Diff gives the unified diff of two texts, or nothing if they are the same. A text without a final
// line feed is marked as diff(1) does.
func Diff(oldName, newName, old, changed string) string {
	if old == changed {
		return ""
	}
	ops := compare(diffLines(old), diffLines(changed))
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", oldName, newName)
	for start := 0; start < len(ops); {
		first := slices.IndexFunc(ops[start:], func(o op) bool { return o.kind != ' ' })
		if first < 0 {
			break
		}
		first += start
		last, quiet := first, 0
		for i := first; i < len(ops) && quiet <= 2*context; i++ {
			if ops[i].kind == ' ' {
				quiet++
			} else {
				last, quiet = i, 0
			}
		}
		hunk := ops[max(start, first-context):min(len(ops), last+1+context)]
		writeHunk(&b, hunk)
		start = min(len(ops), last+1+context)
	}
	return b.String()
}

// op is one line of a comparison: ' ' kept, '-' removed, '+' added.
type op struct {
	kind     byte
	line     string
	old, new int // lines before this one
}

func writeHunk(b *strings.Builder, hunk []op) {
	count := func(not byte) int {
		n := 0
		for _, o := range hunk {
			if o.kind != not {
				n++
			}
		}
		return n
	}
	span := func(before, n int) string {
		if n == 0 {
			return fmt.Sprintf("%d,0", before)
		}
		return fmt.Sprintf("%d,%d", before+1, n)
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", span(hunk[0].old, count('+')), span(hunk[0].new, count('-')))
	for _, o := range hunk {
		b.WriteByte(o.kind)
		b.WriteString(o.line)
		if !strings.HasSuffix(o.line, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

func diffLines(text string) []string {
	if text == "" {
		return nil
	}
	return slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(s string) bool { return s == "" })
}

// compare gives the steps from one list of lines to the other with the fewest changes.
func compare(a, b []string) []op {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var ops []op
	x, y := 0, 0
	put := func(kind byte, line string) {
		ops = append(ops, op{kind, line, x, y})
		if kind != '+' {
			x++
		}
		if kind != '-' {
			y++
		}
	}
	for _, l := range a[:head] {
		put(' ', l)
	}
	middle(a[head:len(a)-tail], b[head:len(b)-tail], put)
	for _, l := range a[len(a)-tail:] {
		put(' ', l)
	}
	return ops
}

// middle compares by the longest common subsequence.
func middle(a, b []string, put func(byte, string)) {
	width := len(b) + 1
	i, j := 0, 0
	if (len(a)+1)*width <= maxCells {
		longest := make([]int, (len(a)+1)*width)
		for p := range slices.Backward(a) {
			for q := range slices.Backward(b) {
				if a[p] == b[q] {
					longest[p*width+q] = longest[(p+1)*width+q+1] + 1
				} else {
					longest[p*width+q] = max(longest[(p+1)*width+q], longest[p*width+q+1])
				}
			}
		}
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				put(' ', a[i])
				i, j = i+1, j+1
			case longest[(i+1)*width+j] >= longest[i*width+j+1]:
				put('-', a[i])
				i++
			default:
				put('+', b[j])
				j++
			}
		}
	}
	for ; i < len(a); i++ {
		put('-', a[i])
	}
	for ; j < len(b); j++ {
		put('+', b[j])
	}
}
