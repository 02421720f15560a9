package schedule_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/cron/schedule"
)

// TestWords holds what Explain, Warnings and errors say to testdata/words.txt: lines of a dialect and an
// expression, each followed by what is said, indented.
func TestWords(t *testing.T) {
	t.Parallel()
	const name = "testdata/words.txt"
	golden, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at, berlin := instant(t, "2026-01-15T00:00Z"), zone(t, "Europe/Berlin")
	var out strings.Builder
	for line := range strings.Lines(string(golden)) {
		if strings.HasPrefix(line, "    ") {
			continue
		}
		out.WriteString(line)
		dialect, expr, ok := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := schedule.Parse(expr, schedule.Dialect(dialect))
		if err != nil {
			fmt.Fprintf(&out, "    refused: %v\n", err)
			continue
		}
		fmt.Fprintf(&out, "    %s\n", s.Explain())
		for _, w := range s.Warnings(berlin, at) {
			fmt.Fprintf(&out, "    ! %s\n", w)
		}
	}
	if out.String() == string(golden) {
		return
	}
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(name, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, want := strings.Split(out.String(), "\n"), strings.Split(string(golden), "\n")
	for i, line := range got {
		if i >= len(want) || line != want[i] {
			t.Fatalf("%s:%d: got\n%s\nUPDATE=1 writes it", name, i+1, line)
		}
	}
	t.Fatalf("%s has lines too many; UPDATE=1 writes it", name)
}

// TestErrors: an error tells field and position for programs too.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		dialect schedule.Dialect
		expr    string
		field   string
		column  int
	}{
		{schedule.Debian, "0 12 * * monday", "day of week", 10},
		{schedule.Debian, "  0   24 1 * *", "hour", 7},
		{schedule.Debian, "1,2,,3 * * * *", "minute", 5},
		{schedule.Debian, "0 0 12 1 * *", "", 12},
		{schedule.Cronie, "0 0 1-5-7 * *", "day of month", 8},
		{schedule.Cronie, "-5 * * * *", "", 1},
		{schedule.SystemdCron, "0 0 1 oct *", "month", 7},
		{schedule.BusyBox, "0 0 1 1", "", 8},
		{schedule.BusyBox, "0 0 1#2 1 * x", "", 6},
		{schedule.Debian, "", "", 1},
		{schedule.Debian, "0 0 * * *\n", "", 10},
		{schedule.Debian, "*\xff * * * *", "minute", 2},
		{"vms", "0 0 * * *", "minute", 1},
	} {
		_, err := schedule.Parse(tc.expr, tc.dialect)
		var e *schedule.Error
		if !errors.As(err, &e) || e.Field != tc.field || e.Column != tc.column || e.Dialect != tc.dialect || e.Why == "" {
			t.Errorf("%s: %q: %v; want field %q, column %d", tc.dialect, tc.expr, err, tc.field, tc.column)
		}
	}
}

// TestNext: the edges of a search.
func TestNext(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	for _, tc := range []struct{ dialect, expr, after, want string }{
		{"debian", "* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01Z"},
		{"debian", "* * * * *", "2025-12-31T23:59:59.999Z", "2026-01-01T00:00Z"},
		{"debian", "0 0 29 2 *", "2024-03-01T00:00:00Z", "2028-02-28T23:00Z"},
		{"debian", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-28T23:00Z"},
		{"debian", "0 0 30 2 *", "2026-01-01T00:00:00Z", "never"},
		{"debian", "0 0 31 4,6,9,11 *", "2026-01-01T00:00:00Z", "never"},
		{"debian", "0 0 29 2 */7", "2060-03-01T00:00:00Z", "never"}, // a Sunday again in 2088
		{"debian", "0 12 * * 5-1", "2026-01-01T00:00:00Z", "never"},
		{"debian", "@reboot", "2026-01-01T00:00:00Z", "never"},
		{"debian", "59 23 31 12 *", "2040-12-30T12:00:00Z", "2040-12-31T22:59Z"}, // see zones.at
		{"debian", "30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30Z"},    // second pass of the hour
		{"debian", "30 2 * * *", "2026-10-25T01:05:00Z", "2026-10-26T01:30Z"},
		{"busybox", "30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30Z"},
		{"systemd-cron", "30 2 * * *", "2026-10-25T01:05:00Z", "2026-10-26T01:30Z"},
		{"debian", "15,45 2 * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00Z"}, // both in one minute
		{"debian", "15,45 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:15Z"},
		{"busybox", "30 2 * * *", "2026-03-29T00:00:00Z", "2026-03-30T00:30Z"},
		{"systemd-cron", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-28T23:00Z"},
		{"systemd-cron", "0 0 30 2 *", "2026-03-01T00:00:00Z", "never"},
		{"systemd-cron", "0 0 1 1 *", "2040-12-01T00:00:00Z", "2040-12-31T23:00Z"},
		{"busybox", "0 0 1 1 *", "2040-12-01T00:00:00Z", "2040-12-31T23:00Z"},
		{"cronie", "5-0 0 1 * *", "2026-01-01T12:00:00Z", "2026-01-31T23:05Z"}, // 5-7
		{"cronie", "5-0/2 0 1 * *", "2026-01-01T12:00:00Z", "never"},
		{"busybox", "0 0 30 2 *", "2026-03-01T00:00:00Z", "never"},
	} {
		s, err := schedule.Parse(tc.expr, schedule.Dialect(tc.dialect))
		if err != nil {
			t.Fatal(err)
		}
		after, err := time.Parse(time.RFC3339Nano, tc.after)
		if err != nil {
			t.Fatal(err)
		}
		got := "never"
		if next, ok := s.Next(after, berlin); ok {
			got = next.UTC().Format("2006-01-02T15:04Z")
		}
		if got != tc.want {
			t.Errorf("%s: %q after %s: %s, want %s", tc.dialect, tc.expr, tc.after, got, tc.want)
		}
	}
}

// TestCronieStartedAgain: cronie goes on with the old offset of Almaty after the change of 1 March 2024,
// until it is started again; which it is taken to be at the time that Next is asked for.
func TestCronieStartedAgain(t *testing.T) {
	t.Parallel()
	almaty := zone(t, "Asia/Almaty")
	s, err := schedule.Parse("0 3 * * *", schedule.Cronie)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]string{"2024-02-29T14:00Z": "2024-02-29T21:00Z", "2024-02-29T19:30Z": "2024-02-29T22:00Z"} {
		next, ok := s.Next(instant(t, after), almaty)
		if got := next.UTC().Format("2006-01-02T15:04Z"); !ok || got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
	list := s.Warnings(almaty, instant(t, "2024-01-01T00:00Z"))
	if len(list) != 1 || !strings.Contains(list[0], "on 2024-02-29, when the clock goes from 00:00 to 23:00") || !strings.Contains(list[0], "60 minutes off") {
		t.Errorf("warnings: %q", list)
	}
}

// TestManyMadeUp: the daemon waits ten seconds after each run that it makes up for, so that they go on
// into the minutes after the jump. So observed with the real
// Debian cron and the real cronie.
func TestManyMadeUp(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse("0-59 2 * * *", schedule.Debian)
	if err != nil {
		t.Fatal(err)
	}
	perMinute, last := make([]int, 9), ""
	for f := range s.Fires(instant(t, "2026-03-29T00:00Z"), instant(t, "2026-03-29T08:00Z"), zone(t, "Europe/Berlin")) {
		perMinute[f.At.Minute()]++
		last = f.MadeUp
	}
	if want := []int{6, 7, 7, 7, 7, 7, 7, 7, 5}; !slices.Equal(perMinute, want) {
		t.Errorf("runs at 03:00, 03:01 ...: %v, want %v", perMinute, want)
	}
	if last != "2026-03-29 02:59" {
		t.Errorf("the last run makes up for %s", last)
	}
}

// TestTableZone: cronie with CRON_TZ=Europe/Berlin on a host in UTC, as observed.
func TestTableZone(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	plain, err := schedule.Parse("30 2 * * *", schedule.Cronie)
	if err != nil {
		t.Fatal(err)
	}
	s, err := plain.WithTableZone(berlin)
	if err != nil {
		t.Fatal(err)
	}
	spring, _ := minutes(s, instant(t, "2026-03-28T22:00Z"), instant(t, "2026-03-30T12:00Z"), time.UTC)
	autumn, _ := minutes(s, instant(t, "2026-10-24T22:00Z"), instant(t, "2026-10-26T12:00Z"), time.UTC)
	if want := []string{"2026-03-30T00:30Z"}; !slices.Equal(spring, want) {
		t.Errorf("spring: %s, want %s", spring, want)
	}
	if want := []string{"2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-26T01:30Z"}; !slices.Equal(autumn, want) {
		t.Errorf("autumn: %s, want %s", autumn, want)
	}
	if list := s.Warnings(time.UTC, instant(t, "2026-01-15T00:00Z")); len(list) != 3 || !strings.Contains(list[1], "is lost") || !strings.Contains(list[2], "runs twice") {
		t.Errorf("warnings: %q", list)
	}
	if untouched, _ := minutes(plain, instant(t, "2026-03-29T00:00Z"), instant(t, "2026-03-30T00:00Z"), time.UTC); !slices.Equal(untouched, []string{"2026-03-29T02:30Z"}) {
		t.Errorf("the schedule without CRON_TZ has changed: %s", untouched)
	}
	other, err := schedule.Parse("30 2 * * *", schedule.Debian)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.WithTableZone(berlin); err == nil {
		t.Error("Debian's cron knows CRON_TZ")
	}
}

// TestEarlyEnd: a caller may stop at any run.
func TestEarlyEnd(t *testing.T) {
	t.Parallel()
	berlin, from := zone(t, "Europe/Berlin"), instant(t, "2026-03-28T20:00Z")
	for _, d := range schedule.Dialects() {
		for _, expr := range []string{"*/10 * * * *", "0-59/20 2,3 * * *"} {
			s, err := schedule.Parse(expr, d)
			if err != nil {
				t.Fatal(err)
			}
			all, _ := minutes(s, from, from.AddDate(0, 0, 2), berlin)
			for n := 1; n <= len(all); n++ {
				var got []string
				for f := range s.Fires(from, from.AddDate(0, 0, 2), berlin) {
					if got = append(got, f.At.UTC().Format("2006-01-02T15:04Z")); len(got) == n {
						break
					}
				}
				if !slices.Equal(got, all[:n]) {
					t.Fatalf("%s: %q: the first %d are %s, want %s", d, expr, n, got, all[:n])
				}
			}
		}
	}
}

// TestWindows: the fires of two windows are those of the whole, wherever it is cut.
func TestWindows(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	for _, day := range []string{"2026-03-28T20:00Z", "2026-10-24T20:00Z"} {
		from := instant(t, day)
		until := from.Add(14 * time.Hour)
		for _, d := range schedule.Dialects() {
			for _, expr := range []string{"30 2 * * *", "*/30 * * * *", "15,45 0-5 * * *", "0 */2 * * *"} {
				s, err := schedule.Parse(expr, d)
				if err != nil {
					t.Fatal(err)
				}
				whole, _ := minutes(s, from, until, berlin)
				for cut := from.Add(time.Minute); cut.Before(until); cut = cut.Add(7 * time.Minute) {
					first, _ := minutes(s, from, cut, berlin)
					second, _ := minutes(s, cut, until, berlin)
					if !slices.Equal(append(first, second...), whole) {
						t.Fatalf("%s: %q cut at %s: %s and %s, want %s", d, expr, cut.UTC(), first, second, whole)
					}
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"*/15 8-10,14-16 1 jan-jun/2 *", "5#3 *5 0~30 1-5-7 ,", "@daily x", "-5 1 2 3 4", "4294967301-9/2 * * * sun-0", "0 0 12 * * 5 # x", "a=b", "\xff*\t* * * ~",
	} {
		f.Add(seed)
	}
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, expr string) {
		for _, d := range schedule.Dialects() {
			s, err := schedule.Parse(expr, d)
			if err != nil {
				var e *schedule.Error
				if !errors.As(err, &e) || e.Column < 1 || e.Column > len(expr)+1 {
					t.Errorf("%s: %q: %v", d, expr, err)
				}
				continue
			}
			again, err := schedule.Parse(s.String(), d)
			if err != nil || again.Explain() != s.Explain() {
				t.Errorf("%s: %q is read as %q, which is read differently: %v", d, expr, s, err)
			}
			n, last := 0, from
			for fire := range s.Fires(from, from.AddDate(0, 0, 3), berlin) {
				if n++; fire.At.Before(last) || n > 3*24*60+200 {
					t.Fatalf("%s: %q: run %d at %s, after %s", d, expr, n, fire.At, last)
				}
				last = fire.At
			}
			if next, ok := s.Next(from.Add(-time.Minute), berlin); n > 0 && (!ok || next.After(last)) {
				t.Errorf("%s: %q: fires, but next is %s %v", d, expr, next, ok)
			}
			if s.Explain() == "" {
				t.Errorf("%s: %q: no words for it", d, expr)
			}
			s.Warnings(berlin, from)
		}
	})
}

func ExampleSchedule_Fires() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	s, err := schedule.Parse("30 2 * * *", schedule.Debian)
	if err != nil {
		panic(err)
	}
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, berlin)
	for f := range s.Fires(from, from.AddDate(0, 0, 3), berlin) {
		fmt.Print(f.At.Format("Mon 15:04 MST"))
		if f.MadeUp != "" {
			fmt.Print(", made up for ", f.MadeUp)
		}
		fmt.Println()
	}
	fmt.Println(s.Explain())
	// Output:
	// Sat 02:30 CET
	// Sun 03:00 CEST, made up for 2026-03-29 02:30
	// Mon 02:30 CEST
	// at 02:30 on every day
}

func BenchmarkYearOfMinutes(b *testing.B) {
	berlin := zone(b, "Europe/Berlin")
	s, err := schedule.Parse("* * * * *", schedule.Debian)
	if err != nil {
		b.Fatal(err)
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, berlin)
	for b.Loop() {
		for range s.Fires(from, from.AddDate(1, 0, 0), berlin) {
			continue
		}
	}
}

func BenchmarkNextLeapDay(b *testing.B) {
	berlin := zone(b, "Europe/Berlin")
	s, err := schedule.Parse("0 0 29 2 *", schedule.Debian)
	if err != nil {
		b.Fatal(err)
	}
	from := time.Date(2096, 3, 1, 0, 0, 0, 0, berlin)
	for b.Loop() {
		if _, ok := s.Next(from, berlin); !ok {
			b.Fatal("it never fires")
		}
	}
}
