package cronhost_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"signalbox/test/sim/cronhost"
)

// BenchmarkStart is what a load test pays for each host that it brings up and takes down.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		h, err := cronhost.Start(cronhost.Config{Dir: filepath.Join(dir, strconv.Itoa(i)), Crontab: "@hourly true\n"})
		if err != nil {
			b.Fatal(err)
		}
		if err := h.Stop(); err != nil {
			b.Fatal(err)
		}
	}
}
