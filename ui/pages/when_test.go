package pages

import (
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 9, 25, 31, 0, time.UTC)
	for _, c := range []struct {
		at         time.Time
		ago, clock string
	}{
		{now, "now", "09:25:31"},
		{now.Add(-2 * time.Second), "2 s ago", "09:25:29"},
		{now.Add(-59*time.Minute - 59*time.Second), "59 min ago", "08:25:32"},
		{now.Add(-3*time.Hour - 24*time.Minute), "3 h 24 min ago", "06:01:31"},
		{now.Add(-13 * time.Hour), "13 h 0 min ago", "2026-11-24 20:25:31"},
		{now.Add(-52 * time.Hour), "2 d 4 h ago", "2026-11-23 05:25:31"},
		{now.Add(79 * time.Minute), "in 1 h 19 min", "10:44:31"},
		{now.In(time.FixedZone("EST", -5*3600)).Add(-time.Minute), "1 min ago", "09:24:31"},
	} {
		w := when{at: c.at, now: now}
		stamp := `datetime="` + c.at.UTC().Format(time.RFC3339) + `" title="` + c.at.UTC().Format(time.DateTime) + ` UTC">`
		if got, want := string(w.Ago()), `<time data-ago `+stamp+c.ago+`</time>`; got != want {
			t.Errorf("ago: %s, want %s", got, want)
		}
		if got, want := string(w.Clock()), `<time data-clock `+stamp+c.clock+`</time>`; got != want {
			t.Errorf("clock: %s, want %s", got, want)
		}
	}
	if w := (when{now: now}); w.Known() || w.Ago() != "" || w.Clock() != "" {
		t.Error("an absent time is shown")
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 59*time.Second + 600*time.Millisecond: "1 min", 24 * time.Hour: "24 h", time.Hour + time.Second: "1 h 1 s", 53*time.Minute + 12*time.Second: "53 min 12 s",
	} {
		if got := exactSpan(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{180 * time.Millisecond: "0.180 s ahead", -424 * time.Second: "7 min 4 s behind", 0: "0.000 s ahead"} {
		if got := offsetText(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
