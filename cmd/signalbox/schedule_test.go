package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"strings"
	"testing"
)

// TestScheduleAgainstDaemons asks the command line what the real daemons were asked: exit code 3 for what
// they refused, and their digest of a year for the rest. The expressions are given as they are, also
// those that begin with a minus sign.
func TestScheduleAgainstDaemons(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../adapters/cron/schedule/testdata/acceptance-and-fires-2026-utc.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatal(err, len(rows))
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		for dialect, verdict := range map[string]string{"debian": "debian_3.0pl1-162", "cronie": "cronie_1.7.2_git_5f9f16b"} {
			expr, digest := row[column["expression"]], row[column[dialect+"_sha256_of_epochs"]]
			var out, errOut bytes.Buffer
			code := run([]string{
				"schedule", "next", "--dialect", dialect, "--tz", "UTC",
				"--from", "2026-01-01", "--until", "2027-01-01T00:00Z", "--sha256", expr,
			}, &out, &errOut)
			switch {
			case row[column[verdict]] != "accept":
				if code != exitNoSchedule || out.Len() > 0 || !strings.Contains(errOut.String(), "refuses it") {
					t.Errorf("%s: %q: exit code %d, %s%s, want a refusal", dialect, expr, code, &out, &errOut)
				}
			case digest == "": // drawn by lot
				if code != exitFailed || out.Len() > 0 {
					t.Errorf("%s: %q: exit code %d, %s%s, want %d", dialect, expr, code, &out, &errOut, exitFailed)
				}
			case code != exitOK || out.String() != digest+"\n":
				t.Errorf("%s: %q: exit code %d, %s%s, want %s", dialect, expr, code, &out, &errOut, digest)
			}
		}
	}
}

// TestScheduleExitCodes: a wrong command line is told from an expression that is refused.
func TestScheduleExitCodes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args string
		want int
	}{
		{"next|@daily|--count|1", exitOK},
		{"explain|@reboot", exitOK},
		{"next|--count|1|@DAILY", exitNoSchedule},
		{"explain|60 * * * *", exitNoSchedule},
		{"explain|-5 * * * *", exitNoSchedule},
		{"next|--dialect|systemd-cron|-5 * * * *", exitNoSchedule},
		{"next|-5 * * * *|--dialect|busybox", exitOK}, // it accepts everything
		{"next||--count|1", exitNoSchedule},
		{"next", exitInput},
		{"next|@daily|@daily", exitInput},
		{"next|--count|x|@daily", exitInput},
		{"next|--sha256|--until|2027|@daily", exitInput},
		{"next|-5|@daily", exitInput},
		{"next|--from|2026-01-01|--until|2999-01-01|* * * * *", exitInput},
		{"explain|--dialect|vms|@daily", exitInput},
	} {
		var out, errOut bytes.Buffer
		if code := run(append([]string{"schedule"}, strings.Split(tc.args, "|")...), &out, &errOut); code != tc.want {
			t.Errorf("%q: exit code %d, want %d: %s", tc.args, code, tc.want, &errOut)
		}
	}
}
