package cronhost

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

// TestScheduleAgainstDebian holds the schedule against what the real Debian cron did in 2026: the file
// was made with the daemon itself, see its first line for the version.
func TestScheduleAgainstDebian(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/debian-2026-utc.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		t.Run(row[0], func(t *testing.T) {
			t.Parallel()
			checkRow(t, row[0], row[1], row[2], row[3])
		})
	}
}

func checkRow(t *testing.T, expression, verdict, count, digest string) {
	t.Helper()
	table, err := parseTable(expression + " true\n")
	if reason, rejected := strings.CutPrefix(verdict, "reject: "); rejected {
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Fatalf("cron rejects it: %s; we: %v", reason, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("cron accepts it; we: %v", err)
	}
	epochs := fires(table.entries[0])
	if got := strconv.Itoa(len(epochs)); got != count {
		t.Errorf("fires %s times, cron %s", got, count)
	}
	sum := sha256.Sum256([]byte(strings.Join(epochs, "\n")))
	if got := hex.EncodeToString(sum[:]); got != digest {
		t.Errorf("fires at other minutes than cron: digest %s, cron %s", got, digest)
	}
}

// fires gives the epoch seconds of all minutes of 2026 (UTC) in which an entry is due.
func fires(e entry) []string {
	var out []string
	for day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2026; day = day.AddDate(0, 0, 1) {
		for minute := range 24 * 60 {
			if !e.reboot && e.when.due(minute%60, minute/60, day.Day(), int(day.Month()), int(day.Weekday())) {
				out = append(out, strconv.FormatInt(day.Unix()+int64(minute)*60, 10))
			}
		}
	}
	return out
}

// TestMatchesUsesTheZone: the same instant is another minute elsewhere.
func TestMatchesUsesTheZone(t *testing.T) {
	t.Parallel()
	table, err := parseTable("30 5 22 11 * true\n")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	if table.entries[0].when.matches(at) {
		t.Error("due at 00:00 UTC")
	}
	if !table.entries[0].when.matches(at.In(time.FixedZone("IST", 5*3600+1800))) {
		t.Error("not due at 05:30 in India")
	}
}
