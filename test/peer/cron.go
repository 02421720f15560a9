package peer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// cron is a real cron daemon in a mount namespace of its own: its spool and its run folder are its own,
// and it sees no system tables, so that it runs nothing but the test's jobs and several can run beside
// each other and beside the machine's.
type cron struct{ pid int }

// enterScript prepares the namespace and becomes the daemon.
const enterScript = `set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/sshd
mount --bind "$1/spool" /var/spool/cron/crontabs
mount --bind "$1/cron.d" /etc/cron.d
mount --bind "$1/crontab" /etc/crontab
exec /usr/sbin/cron -f -L 15
`

func startCron(tb testing.TB, dir string) *cron {
	tb.Helper()
	Need(tb, "/usr/sbin/cron", "crontab", "unshare", "nsenter")
	if os.Getuid() != 0 {
		Lack(tb, "a cron daemon of its own needs root")
	}
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		Lack(tb, "a cron daemon of its own needs the right to make a mount namespace")
	}
	spool := filepath.Join(dir, "spool")
	mustDo(tb, os.Mkdir(spool, 0o700))
	group, err := exec.Command("stat", "-c", "%g", "/var/spool/cron/crontabs").Output()
	mustDo(tb, err)
	gid := fieldsToInts(string(group))
	if len(gid) != 1 {
		tb.Fatalf("stat of the spool: %q", group)
	}
	mustDo(tb, os.Chown(spool, 0, gid[0]))
	mustDo(tb, os.Chmod(spool, 0o730|os.ModeSticky))
	mustDo(tb, os.Mkdir(filepath.Join(dir, "cron.d"), 0o755))
	mustDo(tb, os.WriteFile(filepath.Join(dir, "crontab"), nil, 0o644))

	// The daemon compares times by the second: a table installed in the second of its start would be
	// overlooked if these were as young.
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"spool", "cron.d", "crontab"} {
		mustDo(tb, os.Chtimes(filepath.Join(dir, name), old, old))
	}

	cmd := exec.Command("unshare", "-m", "sh", "-c", enterScript, "sh", dir)
	cmd.Stderr = tb.Output()
	mustDo(tb, cmd.Start())
	c := &cron{pid: cmd.Process.Pid}
	tb.Cleanup(func() {
		for _, p := range children(c.pid) {
			_ = syscall.Kill(p, syscall.SIGKILL) // it may be gone already
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed: always an error
	})
	Eventually(tb, 20*time.Second, "the cron daemon runs", func() bool {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.pid))
		return err == nil && string(name) == "cron\n"
	})
	return c
}

// enter gives the words that run a command inside the namespace.
func (c *cron) enter() []string {
	return []string{"nsenter", "-t", strconv.Itoa(c.pid), "-m", "--"}
}
