package cronhost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"signalbox/test/sim/cronhost"
)

// alive says whether a process runs: a zombie that nobody reaped is none.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func pid(t *testing.T, name string) int {
	t.Helper()
	eventually(t, name+" is written", func() bool { return exists(name) && strings.HasSuffix(read(t, name), "\n") })
	n, err := strconv.Atoi(strings.TrimSpace(read(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestConnectionLost: what was started goes on without its client, as under sshd, and a command that
// prints learns of it by SIGPIPE only when it prints.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	client := dial(t, h)
	for _, line := range []string{
		"nohup sh -c 'echo $$ >detached; sleep 300' </dev/null >/dev/null 2>&1 &",
		"(echo quiet; exec sleep 300) </dev/null >/dev/null 2>&1 & echo $! >quiet",
	} {
		if _, _, err := run(t, client, line, ""); err != nil {
			t.Fatal(err)
		}
	}
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("trap 'echo $? >ended' EXIT; echo $$ >printer; while [ ! -e go ]; do sleep 0.01; done; while echo x; do sleep 0.01; done"); err != nil {
		t.Fatal(err)
	}
	pids := []int{pid(t, h.Home()+"/detached"), pid(t, h.Home()+"/quiet"), pid(t, h.Home()+"/printer")}
	h.DropConnections()
	if err := client.Wait(); err == nil {
		t.Error("the connection was closed in order; want it cut")
	}
	for _, p := range pids {
		if !alive(p) {
			t.Errorf("process %d ended with its connection", p)
		}
	}
	if err := os.WriteFile(h.Home()+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what prints into a connection that is gone does not live", func() bool { return !alive(pids[2]) })
}

// TestStopLeavesNothing: jobs, detached jobs, sessions of their own, double forks, deaf to signals.
func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hosta")
	h, err := cronhost.Start(cronhost.Config{Dir: dir, Minute: -1, Crontab: "@hourly sh -c 'trap \"\" TERM; echo $$ >a; sleep 300; :'\n"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RunNow("trap"); err != nil {
		t.Fatal(err)
	}
	client := dial(t, h)
	for _, line := range []string{
		"nohup setsid sh -c 'echo $$ >b; sleep 300; :' >/dev/null 2>&1 </dev/null &",
		"(setsid sh -c '(echo $$ >c; exec sleep 300) &') >/dev/null 2>&1 </dev/null",
		"env -i PATH=$PATH true; (sleep 300 >/dev/null 2>&1 </dev/null & echo $! >d)",
	} {
		if _, _, err := run(t, client, line, ""); err != nil {
			t.Fatal(err)
		}
	}
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("echo $$ >e; exec env -i sleep 300"); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, name := range []string{"a", "b", "d", "e"} {
		pids = append(pids, pid(t, filepath.Join(h.Home(), name)))
	}
	if running, err := h.Processes(); err != nil || len(running) < 4 {
		t.Errorf("running %v, %v", running, err)
	}
	addr := h.Addr()
	for range 2 {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	}
	for _, p := range pids {
		if alive(p) {
			t.Errorf("process %d survived", p)
		}
	}
	if left, err := h.Processes(); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	if err := client.Wait(); err == nil {
		t.Error("the connection survived")
	}
	again, err := cronhost.Start(cronhost.Config{Dir: dir, Minute: -1, Address: addr})
	if err != nil {
		t.Fatalf("start again in the same folder: %v", err)
	}
	defer func() { _ = again.Stop() }()
	if again.HostKeyLine() != h.HostKeyLine() {
		t.Error("the host key changed with a restart")
	}
	if text, err := again.Crontab(); err != nil || !strings.Contains(text, "trap") {
		t.Errorf("the crontab is gone: %q, %v", text, err)
	}
}

// TestFolderInUse: a second host in the folder would end the first one's processes.
func TestFolderInUse(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	if second, err := cronhost.Start(cronhost.Config{Dir: h.Dir()}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second host: %v, %v", second, err)
	}
}

// TestSignal: a client may signal its command, as with OpenSSH.
func TestSignal(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	session, err := dial(t, h).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("echo $$ >pid; sleep 300"); err != nil {
		t.Fatal(err)
	}
	pid(t, h.Home()+"/pid")
	if err := session.Signal(ssh.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err == nil || !strings.Contains(err.Error(), "signal TERM") {
		t.Errorf("ended with %v", err)
	}
}

// TestReboot: everything is gone, and scripts see another boot id; without one of its own a host
// cannot be rebooted.
func TestReboot(t *testing.T) {
	t.Parallel()
	plain := start(t, nil)
	if err := plain.Reboot(); err == nil {
		t.Error("a host without a boot id of its own was rebooted")
	}
	if !cronhost.CanOwnBootID() {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatal("root cannot make mount namespaces here: CI must")
		}
		t.Skip("a boot id of its own needs root and mount namespaces")
	}
	h := start(t, func(c *cronhost.Config) {
		c.OwnBootID, c.Crontab = true, "@reboot cat /proc/sys/kernel/random/boot_id >>boots\n"
	})
	eventually(t, "the first boot", func() bool { return strings.Count(readIfThere(h.Home()+"/boots"), "\n") == 1 })
	client := dial(t, h)
	if _, _, err := run(t, client, "nohup sh -c 'echo $$ >job; sleep 300' </dev/null >/dev/null 2>&1 &", ""); err != nil {
		t.Fatal(err)
	}
	job := pid(t, h.Home()+"/job")
	if err := h.Reboot(); err != nil {
		t.Fatal(err)
	}
	if alive(job) {
		t.Error("a process survived the reboot")
	}
	eventually(t, "the second boot", func() bool { return strings.Count(readIfThere(h.Home()+"/boots"), "\n") == 2 })
	seen, _, err := run(t, dial(t, h), "cat /proc/sys/kernel/random/boot_id; exit 3", "")
	if err == nil || !strings.Contains(err.Error(), "status 3") {
		t.Errorf("exit status through the namespace: %v", err)
	}
	boots := strings.Fields(read(t, h.Home()+"/boots"))
	machine := strings.TrimSpace(read(t, "/proc/sys/kernel/random/boot_id"))
	if len(boots) != 2 || boots[0] == boots[1] || boots[1] != strings.TrimSpace(seen) || boots[1] == machine || len(boots[1]) != len(machine) {
		t.Errorf("boots %q, now %q, machine %q", boots, seen, machine)
	}
}

func readIfThere(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(text)
}

// TestManyHosts: a load test wants a thousand in one process, so one that idles must be small. It is
// not parallel: it counts goroutines of the whole process.
func TestManyHosts(t *testing.T) {
	const hosts = 100
	before := runtime.NumGoroutine()
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 8*hosts {
		t.Skipf("%d open files allowed, %v", files.Cur, err)
	}
	all := make([]*cronhost.Host, hosts)
	for i := range all {
		h, err := cronhost.Start(cronhost.Config{Dir: filepath.Join(t.TempDir(), "h"), Crontab: "0 0 30 2 * true\n"})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = h
	}
	if grown := runtime.NumGoroutine() - before; grown > 2*hosts {
		t.Errorf("%d goroutines for %d idle hosts, want at most 2 each", grown, hosts)
	}
	var wg sync.WaitGroup
	for _, h := range all {
		wg.Go(func() {
			if err := h.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}
