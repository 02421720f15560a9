package schedule_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/cron/schedule"
)

// rows reads a table of testdata, each row as a map by the names of the columns.
func rows(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	all, err := csv.NewReader(f).ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("%s: %v, %d lines", name, err, len(all))
	}
	var rows []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[all[0][i]] = c
		}
		rows = append(rows, row)
	}
	return rows
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04Z", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// minutes is the fires as "2026-03-29T01:00Z", and the digest of the data: minutes that occur more than
// once count once there.
func minutes(s *schedule.Schedule, from, until time.Time, z *time.Location) (list []string, digest string) {
	var epochs []string
	for f := range s.Fires(from, until, z) {
		list = append(list, f.At.UTC().Format("2006-01-02T15:04Z"))
		epoch := strconv.FormatInt(f.At.Unix(), 10)
		if len(epochs) == 0 || epochs[len(epochs)-1] != epoch {
			epochs = append(epochs, epoch)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(epochs, "\n")))
	return list, hex.EncodeToString(sum[:])
}

// TestYearAgainstDaemons: what the real Debian cron and the real cronie accept, and when it fired in
// 2026.
func TestYearAgainstDaemons(t *testing.T) {
	t.Parallel()
	from, until := instant(t, "2026-01-01T00:00Z"), instant(t, "2027-01-01T00:00Z")
	for _, row := range rows(t, "acceptance-and-fires-2026-utc.csv") {
		for d, verdict := range map[schedule.Dialect]string{schedule.Debian: row["debian_3.0pl1-162"], schedule.Cronie: row["cronie_1.7.2_git_5f9f16b"]} {
			s, err := schedule.Parse(row["expression"], d)
			if (err == nil) != (verdict == "accept") {
				t.Errorf("%s: %q: %v, the daemon says %s", d, row["expression"], err, verdict)
				continue
			}
			if err != nil {
				field, named := strings.CutPrefix(verdict, "reject: bad ")
				if field = strings.ReplaceAll(field, "-", " "); named && strings.HasPrefix(field, "day") && !strings.Contains(err.Error(), field) {
					t.Errorf("%s: %q: %v, the daemon says %s", d, row["expression"], err, verdict)
				}
				continue
			}
			list, digest := minutes(s, from, until, time.UTC)
			if want := row[string(d)+"_count_2026"]; strconv.Itoa(len(list)) != want {
				t.Errorf("%s: %q fires %d times, want %s", d, row["expression"], len(list), want)
			}
			if want := row[string(d)+"_sha256_of_epochs"]; want != "" && digest != want || want == "" && len(s.Drawn()) == 0 {
				t.Errorf("%s: %q: digest %s, want %q", d, row["expression"], digest, want)
			}
			if want := row["debian_first3"]; d == schedule.Debian && strings.Join(list[:min(3, len(list))], " ") != want {
				t.Errorf("%q begins %s, want %s", row["expression"], list[:min(3, len(list))], want)
			}
		}
	}
}

// TestClockChangesAgainstDaemons: what the real daemons ran around clock changes.
func TestClockChangesAgainstDaemons(t *testing.T) {
	t.Parallel()
	for _, row := range rows(t, "dst.csv") {
		for name := range strings.SplitSeq(row["daemon"], "+") {
			s, err := schedule.Parse(row["expression"], schedule.Dialect(name))
			if err != nil {
				t.Error(err)
				continue
			}
			from, until := instant(t, row["window_from_utc"]), instant(t, row["window_to_utc"])
			list, _ := minutes(s, from, until, zone(t, row["tz"]))
			if got := strings.Join(list, " "); got != row["fires_utc"] {
				t.Errorf("%s: %s: %q: got\n%s\nwant\n%s", name, row["case"], row["expression"], got, row["fires_utc"])
			}
		}
	}
}

// madeUpZone is a zone by a rule in the form of POSIX, such as AAA0BBB-1:30,J100/2,J200/9. It is a file of
// zone information that has nothing but the rule.
func madeUpZone(t *testing.T, rule string) *time.Location {
	t.Helper()
	head := "TZif2" + strings.Repeat("\x00", 15) + // four counts of 0, one type, four letters of its name
		strings.Repeat("\x00", 16) + "\x00\x00\x00\x01\x00\x00\x00\x04" + strings.Repeat("\x00", 6) + "AAA\x00"
	z, err := time.LoadLocationFromTZData(rule, []byte(head+head+"\n"+rule+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestJumpsAgainstDaemons: what the real daemons ran when a clock was set by so many minutes.
func TestJumpsAgainstDaemons(t *testing.T) {
	t.Parallel()
	for _, row := range rows(t, "jumps.csv") {
		s, err := schedule.Parse(row["expression"], schedule.Dialect(row["daemon"]))
		if err != nil {
			t.Error(err)
			continue
		}
		list, _ := minutes(s, instant(t, row["window_from_utc"]), instant(t, row["window_to_utc"]), madeUpZone(t, row["tz"]))
		if got := strings.Join(list, " "); got != row["fires_utc"] {
			t.Errorf("%s: %s minutes: %q: got\n%s\nwant\n%s", row["daemon"], row["minutes"], row["expression"], got, row["fires_utc"])
		}
	}
}

// TestTimersAgainstSystemd: what the real generator of systemd-cron 1.15.19 makes of a line, and when the
// real systemd 252 says that the timer elapses.
func TestTimersAgainstSystemd(t *testing.T) {
	t.Parallel()
	for _, row := range rows(t, "systemd-cron-1.15.19-systemd-252.csv") {
		s, err := schedule.Parse(row["expression"], schedule.SystemdCron)
		if (err == nil) != (row["on_calendar"] != "") {
			t.Errorf("%q: %v, the generator makes %q", row["expression"], err, row["on_calendar"])
			continue
		}
		if err != nil || row["on_calendar"] == "boot" {
			continue
		}
		from := instant(t, row["from_utc"])
		want := strings.Fields(row["fires_utc"])
		var list []string
		for f := range s.Fires(from, from.AddDate(60, 0, 0), zone(t, row["tz"])) {
			if list = append(list, f.At.UTC().Format("2006-01-02T15:04Z")); len(list) >= len(want) {
				break
			}
		}
		if got := strings.Join(list, " "); got != row["fires_utc"] {
			t.Errorf("%q (%s) in %s: got\n%.300s\nwant\n%.300s", row["expression"], row["on_calendar"], row["tz"], got, row["fires_utc"])
		}
	}
}
