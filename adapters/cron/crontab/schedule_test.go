package crontab

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAsTheDaemonsDo compares what is accepted, and every minute of 2026 in UTC, with what the real
// daemons did (testdata was recorded with them).
func TestAsTheDaemonsDo(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/acceptance-and-fires-2026-utc.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 50 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows[1:] {
		for _, c := range []struct {
			dialect            Dialect
			accept, count, sum string
		}{{Debian, row[1], row[3], row[5]}, {Cronie, row[2], row[6], row[7]}} {
			s, _, err := parseSchedule(row[0], c.dialect)
			if (err == nil) != (c.accept == "accept") {
				t.Errorf("%s: %q: %s in reality, here %v", c.dialect, row[0], c.accept, err)
				continue
			}
			if err != nil || c.sum == "" || strings.Contains(row[0], "~") {
				continue
			}
			if n, sum := firesOf2026(&s); strconv.Itoa(n) != c.count || sum != c.sum {
				t.Errorf("%s: %q: fires %d times, in reality %s", c.dialect, row[0], n, c.count)
			}
		}
	}
}

func firesOf2026(s *Schedule) (int, string) {
	var fires []string
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := from; day.Year() == 2026; day = day.AddDate(0, 0, 1) {
		for m := range 24 * 60 {
			if at := day.Add(time.Duration(m) * time.Minute); s.Matches(at) {
				fires = append(fires, strconv.FormatInt(at.Unix(), 10))
			}
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(fires, "\n")))
	return len(fires), hex.EncodeToString(sum[:])
}
