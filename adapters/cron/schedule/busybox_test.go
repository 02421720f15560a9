package schedule

import (
	"encoding/csv"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestFieldsAgainstBusyBox: what the functions ParseField and FixDayDow of BusyBox crond, taken from its
// source and compiled by themselves, make of the five fields. The sets are hexadecimal.
func TestFieldsAgainstBusyBox(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/busybox-1.37.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatal(err, len(rows))
	}
	for _, row := range rows[1:] {
		s, err := Parse(row[0], BusyBox)
		if err != nil {
			t.Errorf("%q: %v", row[0], err)
			continue
		}
		for i, low := range []int{0, 0, 1, 1, 0} {
			want, err := strconv.ParseUint(row[i+1], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			if s.sets[i] != want<<low {
				t.Errorf("%q: %s is %s, want %s", row[0], fields()[i].name, fields()[i].list(s.sets[i]), fields()[i].list(want<<low))
			}
		}
		faulty := strings.Contains(strings.Join(s.notes, "\n"), "parse error")
		if faulty != (row[6] != "0") {
			t.Errorf("%q: notes %q, BusyBox logs %s parse errors", row[0], s.notes, row[6])
		}
	}
}

// TestSetsStayInRange: no reader of any dialect sets a bit that its field does not have.
func TestSetsStayInRange(t *testing.T) {
	t.Parallel()
	for _, d := range Dialects() {
		for _, expr := range []string{"* * * * *", "*/7 */5 */3 */2 */2", "0-59 0-23 1-31 1-12 0-7", "59 23 31 12 7", "0 0 1 jan sun", "* * 0-31 0-12 6-7"} {
			s, err := Parse(expr, d)
			if err != nil {
				continue
			}
			for i := range s.sets {
				if extra := s.sets[i] &^ all(i); extra != 0 {
					t.Errorf("%s: %q: %s has bit %d", d, expr, fields()[i].name, bits.TrailingZeros64(extra))
				}
			}
		}
	}
}
