package cron

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"signalbox/adapters/internal/remote"
)

// chunk is a piece of an answer that is carried byte for byte.
type chunk struct {
	name string // "00000003", "table", "out"
	from int64
	text []byte
}

// sections divides an answer of the host's programs into lines and chunks.
func sections(ans remote.Answer) (lines []string, chunks []chunk, err error) {
	rest := ans.Text
	begin, end := []byte(ans.Mark+" data "), []byte("\n"+ans.Mark+" done\n")
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		head, ok := bytes.CutPrefix(line, begin)
		if !ok {
			if len(line) > 0 {
				lines = append(lines, strings.ToValidUTF8(string(line), "\uFFFD"))
			}
			rest = after
			continue
		}
		name, from, _ := strings.Cut(string(head), " ")
		offset, err := strconv.ParseInt(from, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("a section begins with %q", line)
		}
		text, after, ok := bytes.Cut(after, end)
		if !ok {
			return nil, nil, fmt.Errorf("the section %s has no end", name)
		}
		chunks = append(chunks, chunk{name, offset, text})
		rest = after
	}
	return lines, chunks, nil
}

// report is what sb_poll says.
type report struct {
	now      time.Time // the host's clock
	boot     string
	id       string // of the spool; empty = there is none
	newest   int    // generation; 0 = none
	oldest   int    // generation that is still there
	writable bool
	lost     int // records that found no room, so far
	lostFrom time.Time
	lostTo   time.Time
	sum      string // of the crontab
	more     bool
	shrunk   []int  // generations that became smaller than the cursor
	live     []live // runs without an end whose runner is gone, or all of them
	spool    []chunk
	table    *string // the crontab, if it was asked for or changed
	tableErr string  // why it cannot be read
	others   []string
}

// live is a run that has not written its end.
type live struct {
	fate string // alive, orphan, gone, reboot, ended
	line string // its record
}

var errNoHeader = errors.New("the answer has no header")

func readReport(ans remote.Answer) (*report, error) {
	lines, chunks, err := sections(ans)
	if err != nil {
		return nil, err
	}
	r := &report{}
	header := false
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case word == "v=1":
			header = true
			err = r.header(rest)
		case strings.HasPrefix(word, "v="):
			err = fmt.Errorf("the programs on the host speak version %q", word)
		case word == "lost":
			r.lostFrom, r.lostTo = stampOf(word1(rest, "first=")), stampOf(word1(rest, "last="))
		case word == "more":
			r.more = true
		case word == "shrunk":
			r.shrunk = append(r.shrunk, generation(rest))
		case word == "table":
			err = r.tableState(rest)
		case word == "alive", word == "orphan", word == "gone", word == "reboot", word == "ended":
			r.live = append(r.live, live{fate: word, line: rest})
		default:
			r.others = append(r.others, line)
		}
		if err != nil {
			return nil, err
		}
	}
	if !header {
		return nil, errNoHeader
	}
	for _, c := range chunks {
		if c.name == "table" {
			text := string(c.text)
			r.table = &text
			continue
		}
		if generation(c.name) == 0 {
			return nil, fmt.Errorf("a section is called %q", c.name)
		}
		r.spool = append(r.spool, c)
	}
	return r, nil
}

func (r *report) header(rest string) error {
	for field := range strings.FieldsSeq(rest) {
		name, value, _ := strings.Cut(field, "=")
		var err error
		switch name {
		case "t":
			if r.now = stampOf(value); r.now.IsZero() {
				err = fmt.Errorf("the host's clock says %q", value)
			}
		case "boot":
			r.boot = value
		case "id":
			r.id = strings.TrimPrefix(value, "-")
		case "gen":
			r.newest = generation(value)
		case "first":
			r.oldest = generation(value)
		case "w":
			r.writable = value == "1"
		case "lost":
			r.lost, err = strconv.Atoi(value)
		case "table":
			r.sum = value
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tableState reads why "crontab -l" did not end with 0: that there is none is no error.
func (r *report) tableState(rest string) error {
	status, said, _ := strings.Cut(rest, " ")
	if _, err := strconv.Atoi(status); err != nil {
		return fmt.Errorf("the state of the crontab is %q", rest)
	}
	if !isNoCrontab(said) {
		r.tableErr = said
		if said == "" {
			r.tableErr = "crontab -l ends with status " + status
		}
	}
	return nil
}

// isNoCrontab tells the daemons' ways to say that an account has no crontab.
func isNoCrontab(said string) bool {
	return strings.Contains(said, "no crontab for") || strings.Contains(said, "No such file or directory")
}

// word1 gives the value of NAME=VALUE among words.
func word1(text, name string) string {
	for w := range strings.FieldsSeq(text) {
		if v, ok := strings.CutPrefix(w, name); ok {
			return v
		}
	}
	return ""
}

// stampOf reads a time as the host's programs write it; zero if it is none that a clock could show.
func stampOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return time.Time{}
	}
	return t.UTC()
}

// generation reads the number of a spool file; 0 if it is none.
func generation(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > maxGeneration {
		return 0
	}
	return n
}

// maxGeneration keeps positions within the integers that records may hold.
const maxGeneration = 1 << 20

func generationName(n int) string { return fmt.Sprintf("%08d", n) }
