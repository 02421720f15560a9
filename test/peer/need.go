package peer

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Need skips the test if one of the named programs is missing. Where CI is set it fails instead: a
// suite that must run may not skip.
func Need(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			Lack(tb, "needs the program "+p)
		}
	}
}

// Lack skips the test for the reason given, or fails it where CI is set.
func Lack(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s, and CI may not skip", reason)
	}
	tb.Skip(reason)
}

// Eventually polls check until it holds, and fails the test if it does not within limit.
func Eventually(tb testing.TB, limit time.Duration, what string, check func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		if check() {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			tb.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// freePort picks a port of 127.0.0.1 that nobody listens on now.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// children lists the process ids whose parent is pid.
func children(pid int) []int {
	names, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return nil
	}
	var all []int
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			continue // it ended meanwhile
		}
		all = append(all, fieldsToInts(string(text))...)
	}
	return all
}
