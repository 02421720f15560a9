package cron

import (
	"embed"
	"fmt"
	"strings"

	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/internal/remote"
)

//go:embed sh
var shell embed.FS

// source gives one of the embedded files, with the files that it includes put in.
func source(name string) string {
	text, err := shell.ReadFile("sh/" + name)
	if err != nil {
		return "exit 70\n" // a test reads every file: this is never sent
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if part, ok := strings.CutPrefix(line, "#include "); ok {
			line = source(strings.TrimSpace(part))
		}
		b.WriteString(line)
	}
	return b.String()
}

// tool is a program that is installed on the host.
type tool struct {
	name string // in bin/
	text string
	sum  crontab.Sum
}

// tools are the installed programs, the wrapper last: once it is there cron may use it.
func tools() []tool {
	names := []string{"sbpoll", "sbstart", "sbsh"}
	all := make([]tool, len(names))
	for i, name := range names {
		text := source(name + ".sh")
		all[i] = tool{name: name, text: text, sum: crontab.Checksum(text)}
	}
	return all
}

// script puts together a script for [remote.Host.Script]: the variable D, the shared functions, the
// named files, and the commands.
func (a *Adapter) script(files []string, format string, args ...any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "D=$HOME/%s\n%s", remote.Quote(a.o.Dir), source("lib.sh"))
	for _, f := range files {
		b.WriteString(source(f))
	}
	fmt.Fprintf(&b, format, args...)
	return b.String()
}

// printer is shell code that prints a text byte for byte. It needs neither a here-document, which some
// shells keep in a file, nor an argument that is longer than systems allow.
func printer(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		body, whole := strings.CutSuffix(line, "\n")
		format := `'%s'`
		if whole {
			format = `'%s\n'`
		}
		fmt.Fprintf(&b, "printf %s %s\n", format, remote.Quote(body))
	}
	if text == "" {
		b.WriteString(":\n")
	}
	return b.String()
}
