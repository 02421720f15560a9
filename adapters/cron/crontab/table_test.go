package crontab

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// show writes a table in a form that tests compare.
func show(t *Table) string {
	var b strings.Builder
	for _, e := range t.Entries {
		fmt.Fprintf(&b, "%d %s | %s | %s", e.Line, e.Key, e.Schedule.Text, e.Text)
		if e.HasInput {
			fmt.Fprintf(&b, " | in %q", e.Input)
		}
		if e.Held {
			b.WriteString(" | held")
		}
		for _, v := range e.Env {
			fmt.Fprintf(&b, " | %s=%s", v.Name, v.Value)
		}
		b.WriteByte('\n')
		for _, w := range e.Warnings {
			fmt.Fprintf(&b, "  warn: %s\n", w)
		}
	}
	for _, f := range t.Faults {
		fmt.Fprintf(&b, "fault %d: %s\n", f.Line, f.What)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	const ruin = "; Debian's cron ignores the WHOLE table because of it"
	tests := []struct {
		name    string
		dialect Dialect
		text    string
		want    string
	}{
		{"empty", Debian, "", ""},
		{"comments and blanks", Debian, "# a\n\n  \t\n   # b\n", ""},
		{
			"named by a comment", Debian, "# Name: Nightly load\n0 5 * * *  /opt/load\n0 6 * * * x\n",
			"2 Nightly load | 0 5 * * * | /opt/load\n3 cmd-1cb5c415 | 0 6 * * * | x\n",
		},
		{"a blank line ends the name", Debian, "# name: a\n\n@daily x\n", "3 cmd-1cb5c415 | @daily | x\n"},
		{
			"named by SB_JOB", Debian, "SB_JOB=one\n# Name: two\n@reboot a\nSB_JOB=''\n@hourly b\n",
			"3 one | @reboot | a | SB_JOB=one\n5 cmd-d8c4b7ee | @hourly | b | SB_JOB=\n",
		},
		{
			"same name twice", Debian, "SB_JOB=one\n@daily a\n@daily b\n",
			"2 one | @daily | a | SB_JOB=one\n3 one~2 | @daily | b | SB_JOB=one\n  warn: another line has the same name; give each its own\n",
		},
		{
			"same command twice", Debian, "0 1 * * * x\n0 2 * * * x\n",
			"1 cmd-1cb5c415 | 0 1 * * * | x\n2 cmd-1cb5c415~2 | 0 2 * * * | x\n" +
				"  warn: same command as line 1: their runs are told apart only by the minute in which they start; put a line SB_JOB=name before each\n",
		},
		{
			"settings hold for what follows", Debian, "A=1\n@daily x\nA = \"2 3\" \n 'B'=c d  \n@daily y\n",
			"2 cmd-1cb5c415 | @daily | x | A=1\n5 cmd-ba3d5a18 | @daily | y | A=2 3 | B=c d\n",
		},
		{"percent", Debian, "@daily cat%one%two\n", "1 cmd-0e0d3c36 | @daily | cat | in \"one\\ntwo\\n\"\n"},
		{"escaped percent", Debian, "@daily date +\\%F%a\\%b\n", "1 cmd-3c4e4e2d | @daily | date +%F | in \"a%b\\n\"\n"},
		{"backslashes, Debian", Debian, "@daily a\\\\b\n", "1 cmd-6cdcbd1e | @daily | a\\b\n"},
		{"backslashes, cronie", Cronie, "@daily a\\\\b\n", "1 cmd-7d5e5d49 | @daily | a\\\\b\n"},
		{"no percent in BusyBox", BusyBox, "@daily a%b\n", "1 cmd-0e2f4c0f | @daily | a%b\n"},
		{"held", Debian, "#signalbox-held# 5 4 * * * x\n", "1 cmd-1cb5c415 | 5 4 * * * | x | held\n"},
		{"one bad line", Debian, "75 * * * * x\n@daily y\n", "2 cmd-ba3d5a18 | @daily | y\nfault 1: minute 75 is out of range (0-59)" + ruin + "\n"},
		{"one bad line, cronie", Cronie, "* * * monday * x\n", "fault 1: month \"monday\": \"monday\" is no number and no name like \"feb\"; cron ignores the line\n"},
		{"empty setting", Debian, "MAILTO=\n", "fault 1: MAILTO= has no value: write MAILTO=\"\"" + ruin + "\n"},
		{"empty setting, cronie", Cronie, "MAILTO=\n@daily x\n", "2 cmd-1cb5c415 | @daily | x | MAILTO=\n"},
		{"export", Debian, "export A=b\n", "fault 1: cron knows no export: write NAME=value alone" + ruin + "\n"},
		{"prose", Debian, "hello world\n", "fault 1: neither a setting (NAME=value) nor a schedule" + ruin + "\n"},
		{"few fields", Debian, "* * *\n", "fault 1: a schedule has five fields, there are 3" + ruin + "\n"},
		{"unknown macro", Debian, "@every 5m x\n", "fault 1: @every is no short form that cron knows" + ruin + "\n"},
		{"no line feed", Debian, "@daily x", "1 cmd-1cb5c415 | @daily | x\nfault 1: the last line has no line feed at its end" + ruin + "\n"},
		{"step of zero", Debian, "*/0 * * * * x\n", "fault 1: minute \"*/0\": a step of 0" + ruin + "\n"},
		{"backwards", Debian, "* 22-4 * * * x\n", "1 cmd-1cb5c415 | * 22-4 * * * | x\n  warn: hour \"22-4\" runs backwards and never matches\n"},
		{"carriage return", Debian, "@daily x\r\n", "1 cmd-6d5c9a8f | @daily | x\r\n  warn: the line ends with a carriage return, which is part of the command\n"},
		{"percent in quotes", Debian, "@daily date '+%F'\n", "1 cmd-3f0b7c2a | @daily | date '+ | in \"F'\\n\"\n  warn: a % within quotes ends the command all the same: write \\%\n"},
		{"long command", Debian, "@daily " + strings.Repeat("x", 999) + "\n", "fault 1: the command has 999 bytes, more than 998" + ruin + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := show(Parse(tt.text, tt.dialect))
			if norm(got) != norm(tt.want) {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

// norm hides the sums, which TestChecksumIsThatOfCksum checks.
func norm(s string) string {
	for {
		i := strings.Index(s, "cmd-")
		if i < 0 {
			return s
		}
		s = s[:i] + "CMD" + s[i+12:]
	}
}

func TestChecksumIsThatOfCksum(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", "123456789", "/opt/load --all 'x y'", strings.Repeat("long ", 1000), "caf\xc3\xa9\xff"} {
		cmd := exec.Command("cksum")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.Output()
		if err != nil {
			t.Skipf("no cksum here: %v", err)
		}
		f := strings.Fields(string(out))
		got := Checksum(text)
		if got.String() != f[0]+"."+f[1] {
			t.Errorf("%.20q: %v, cksum says %s", text, got, out)
		}
		if back, ok := ParseSum(got.String()); !ok || back != got {
			t.Errorf("%v read back as %v", got, back)
		}
	}
}

func TestKeyOf(t *testing.T) {
	t.Parallel()
	table := Parse("0 1 * * * x\n30 2 * * * x\n# Name: why\n@daily y\nSB_JOB=zed\n@daily z\n@hourly x\n", Debian)
	at := func(h, m, s int) time.Time { return time.Date(2026, 3, 4, h, m, s, 0, time.UTC) }
	tests := []struct {
		name, text string
		at         time.Time
		want       string
	}{
		{"", "x", at(1, 0, 0), table.Entries[0].Key},
		{"", "x", at(2, 30, 1), table.Entries[1].Key},
		{"", "x", at(2, 31, 2), table.Entries[1].Key}, // late by a minute
		{"", "x", at(9, 9, 9), table.Entries[0].Key},  // by no schedule: the first
		{"", "y", at(9, 9, 9), "why"},
		{"zed", "z", at(0, 0, 0), "zed"},
		{"zed", "x", at(3, 0, 0), "zed~2"},
		{"zed", "edited since", at(3, 0, 0), "zed"},
		{"", "edited since", at(3, 0, 0), plainKey(Checksum("edited since"))},
	}
	for _, tt := range tests {
		if got := table.KeyOf(tt.name, Checksum(tt.text), tt.at); got != tt.want {
			t.Errorf("%q %q at %v: %q, want %q", tt.name, tt.text, tt.at, got, tt.want)
		}
	}
}

func TestShell(t *testing.T) {
	t.Parallel()
	plain := "@daily a\n SHELL = /bin/bash\n@daily b\nSHELL=/bin/ksh\n@daily c\n"
	wrapped, err := Wrap(plain, "/home/ops/.signalbox/bin/sbsh")
	if err != nil {
		t.Fatal(err)
	}
	table := Parse(wrapped, Debian)
	if !table.Wrapped || len(table.Faults) > 0 {
		t.Errorf("wrapped %v, faults %v", table.Wrapped, table.Faults)
	}
	for i, want := range []string{"/bin/sh", "/bin/bash", "/bin/ksh"} {
		e := &table.Entries[i]
		if !e.Wrapped() || e.Shell() != want {
			t.Errorf("%s: wrapped %v, shell %s, want %s", e.Text, e.Wrapped(), e.Shell(), want)
		}
	}
	late := Parse(wrapped+"SHELL=/bin/sh\n@daily d\n", Debian)
	if e := &late.Entries[3]; e.Wrapped() {
		t.Error("a SHELL= line behind the block overrides it")
	}
}

// odd is a table with everything that an edit could spoil.
const odd = "# Name: a\n\n  5 4 * * *  a%in \n\tSHELL=/bin/bash\n'SHELL' = \"/bin/ksh\"\n# SHELL=no\n@daily b\r\n\xff\xfe * junk\n@daily a%in \n"

func TestWrapIsUndoneByteForByte(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "@daily x\n", odd} {
		wrapped, err := Wrap(text, "/h/.signalbox/bin/sbsh")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Wrap(wrapped, "/h/.signalbox/bin/sbsh"); err != nil || again != wrapped {
			t.Errorf("wrapped twice: %v\n%s", err, again)
		}
		if plain, err := Unwrap(wrapped); err != nil || plain != text {
			t.Errorf("unwrapped: %v\n%q, want\n%q", err, plain, text)
		}
	}
	if _, err := Wrap("@daily x", "/x/bin/sbsh"); err == nil {
		t.Error("a table without a final line feed was wrapped")
	}
	if _, err := Wrap("SB_SHELL=/bin/x\n", "/x/bin/sbsh"); err == nil {
		t.Error("a table with an SB_SHELL of its own was wrapped")
	}
	if _, err := Unwrap(blockBegin + "\nSHELL=/x\n@daily x\n"); err == nil {
		t.Error("a block without end was unwrapped")
	}
}

func TestHoldIsUndoneByteForByte(t *testing.T) {
	t.Parallel()
	table := Parse(odd, Debian)
	for _, e := range table.Entries {
		held, err := table.Hold(e.Key)
		if err != nil {
			t.Fatal(err)
		}
		after := Parse(held, Debian)
		he, ok := after.Entry(e.Key)
		if !ok || !he.Held || he.Text != e.Text || he.Input != e.Input || len(after.Entries) != len(table.Entries) {
			t.Errorf("%s: held as %+v", e.Key, he)
			continue
		}
		if twice, err := after.Hold(e.Key); err != nil || twice != held {
			t.Errorf("%s: held twice: %v", e.Key, err)
		}
		if back, err := after.Unhold(e.Key); err != nil || back != odd {
			t.Errorf("%s: given back: %v\n%q, want\n%q", e.Key, err, back, odd)
		}
	}
	if _, err := table.Hold("nobody"); err == nil {
		t.Error("held a job that is not there")
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	old := "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n"
	changed := "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\nten\n11\n12"
	want := "--- a\n+++ b\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -7,6 +8,6 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n-12\n+12\n\\ No newline at end of file\n"
	if got := Diff("a", "b", old, changed); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := Diff("a", "b", old, old); got != "" {
		t.Errorf("no change gives %q", got)
	}
	if got := Diff("a", "b", "", "x\n"); got != "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n" {
		t.Errorf("from nothing: %q", got)
	}
}

// TestDiffIsReadByPatch lets patch(1) judge the form.
func TestDiffIsReadByPatch(t *testing.T) {
	t.Parallel()
	wrapped, err := Wrap(odd, "/h/bin/sbsh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("no patch here")
	}
	cmd := exec.Command("sh", "-c", `printf '%s' "$1" >f; printf '%s' "$2" | patch --binary -s f && cat f`, "sh", odd, Diff("f", "f", odd, wrapped))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != wrapped {
		t.Errorf("%v\n%s", err, out)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{odd, "MAILTO=\n", "* * * * * a\\%b%c\n", "5/15 * * * * x", "@", "0~9 * * * * x\n", heldMark + "@daily x\n", blockBegin + "\n" + blockEnd + "\n", "\x00", "SHELL=/a/bin/sbsh\n* * * * * x\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []Dialect{Unknown, Debian, Cronie, BusyBox, SystemdCron} {
			table := Parse(text, d)
			var keys []string
			for i := range table.Entries {
				e := &table.Entries[i]
				keys = append(keys, e.Key)
				if e.Key == "" || e.Line < 1 || e.Line > strings.Count(text, "\n")+1 {
					t.Fatalf("entry %+v", e)
				}
				held, err := table.Hold(e.Key)
				if err != nil || e.Held {
					continue
				}
				if back, err := Parse(held, d).Unhold(Parse(held, d).Entries[i].Key); err != nil || back != text {
					t.Fatalf("%s: hold and back: %v %q, was %q", d, err, back, text)
				}
			}
			slices.Sort(keys)
			if len(slices.Compact(slices.Clone(keys))) != len(keys) {
				t.Fatalf("keys are not unique: %q", keys)
			}
		}
		if wrapped, err := Wrap(text, "/h/.signalbox/bin/sbsh"); err == nil && !strings.Contains(text, blockBegin) {
			if plain, err := Unwrap(wrapped); err != nil || plain != text {
				t.Fatalf("wrap and back: %v %q, was %q", err, plain, text)
			}
		}
	})
}
