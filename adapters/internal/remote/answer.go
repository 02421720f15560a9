package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"signalbox/adapters"
)

// DefaultLimit bounds the answer of a call that names no limit of its own.
const DefaultLimit = 4 << 20

// Answer is what a script or a tool said, complete.
type Answer struct {
	Text   []byte // between the marks, byte for byte
	Mark   string // random; the script or tool knew it, and may have divided its answer by it
	Status int    // exit status of the script or the tool
	Errors string // beginning of its standard error
}

// ErrNoTool says that the program of [Host.Tool] is not there or cannot be run.
var ErrNoTool = errors.New("the program is not there")

// Script runs a script in /bin/sh on the host. Its input is empty; the variable sb_mark holds the mark.
// The whole of it is parsed before any of it runs, so that a line which breaks while it is sent starts
// nothing.
func (h *Host) Script(ctx context.Context, op, script string) (Answer, error) {
	mark := newMark()
	var b strings.Builder
	fmt.Fprintf(&b, "sb_mark=%s\necho \"$sb_mark begin\"\n(\n%s\n) </dev/null\nprintf '\\n%%s end %%s\\n' \"$sb_mark\" \"$?\"\n", mark, script)
	r, err := h.run(ctx, op, "exec /bin/sh -s", []byte(b.String()), DefaultLimit)
	if err != nil {
		return Answer{}, err
	}
	return h.unwrap(op, mark, r)
}

var plain = regexp.MustCompile(`^[A-Za-z0-9/._,:=+-]+$`)

// Plain tells whether a word means itself in any shell, so that [Host.Tool] may send it.
func Plain(word string) bool { return plain.MatchString(word) }

// Call is one run of a program on the host.
type Call struct {
	Path  string                   // absolute, plain
	Words []string                 // plain, see [Plain]
	Input func(mark string) []byte // of the program; nil = none
}

// Tool runs a program on the host. Its first word is the mark: it must print "MARK begin" on a line of
// its own, its answer, and "\nMARK end STATUS\n". A program that is not there gives [ErrNoTool].
func (h *Host) Tool(ctx context.Context, op string, c Call) (Answer, error) {
	mark := newMark()
	path, words := c.Path, c.Words
	var stdin []byte
	if c.Input != nil {
		stdin = c.Input(mark)
	}
	command := "exec " + strings.Join(append([]string{path, mark}, words...), " ")
	for _, w := range append([]string{path}, words...) {
		if !Plain(w) {
			return Answer{}, &adapters.Error{
				Kind: adapters.Unsupported, Op: op, Subject: h.address, Effect: adapters.EffectNone,
				Err: fmt.Errorf("the word %q cannot be sent through a login shell", w),
			}
		}
	}
	r, err := h.run(ctx, op, command, stdin, DefaultLimit)
	if err != nil {
		return Answer{}, err
	}
	if !r.lost && (r.status == 126 || r.status == 127) && !bytes.Contains(r.out, []byte(mark+" begin\n")) {
		return Answer{}, &adapters.Error{
			Kind: adapters.NotFound, Op: op, Subject: h.address, Effect: adapters.EffectNone,
			Err: fmt.Errorf("%w: %s", ErrNoTool, path), Fix: "deploy the wrapper again",
		}
	}
	return h.unwrap(op, mark, r)
}

// unwrap takes the answer from between its marks.
func (h *Host) unwrap(op, mark string, r result) (Answer, error) {
	bad := func(kind adapters.Kind, fix, format string, a ...any) (Answer, error) {
		return Answer{}, &adapters.Error{Kind: kind, Op: op, Subject: h.address, Fix: fix, Err: fmt.Errorf(format, a...)}
	}
	_, body, begun := bytes.Cut(r.out, []byte(mark+" begin\n"))
	end := bytes.LastIndex(body, []byte("\n"+mark+" end "))
	if begun && end >= 0 {
		text, tail := body[:end], body[end+len(mark)+6:]
		word, _, whole := bytes.Cut(tail, []byte("\n"))
		if status, err := strconv.Atoi(string(word)); whole && err == nil {
			return Answer{Text: text, Mark: mark, Status: status, Errors: strings.TrimSpace(string(r.errText))}, nil
		}
	}
	switch said := firstLine(append(r.out, r.errText...)); {
	case r.lost:
		return bad(adapters.Unavailable, "", "the connection was lost before the answer was complete")
	case begun:
		return bad(adapters.Malformed, "", "the answer is cut off (exit status %d)", r.status)
	case r.status != 0 && isNoLogin(said):
		return bad(adapters.Denied, "give the account a login shell that may run commands", "the account may not run commands: %q", said)
	default:
		return bad(adapters.Malformed, "", "the answer does not begin with its mark (exit status %d): %q", r.status, said)
	}
}

func isNoLogin(said string) bool {
	said = strings.ToLower(said)
	return strings.Contains(said, "account is currently not available") || strings.Contains(said, "nologin") ||
		strings.Contains(said, "may not run") || strings.Contains(said, "restricted")
}

// firstLine gives the first line that is not empty, cut to what a person reads.
func firstLine(text []byte) string {
	for line := range strings.Lines(strings.ToValidUTF8(string(text), "\uFFFD")) {
		if line = strings.TrimSpace(line); line != "" {
			return line[:min(len(line), 200)]
		}
	}
	return ""
}

func newMark() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails: the runtime ends the program instead
	return "sb" + hex.EncodeToString(b[:])
}

// Quote makes one word of /bin/sh out of any text without NUL bytes. Only for scripts of
// [Host.Script], which are read by /bin/sh and not by the login shell.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
