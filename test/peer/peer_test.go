package peer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/test/peer"
)

// ssh runs a command on the host with the real client.
func ssh(t *testing.T, h *peer.Host, port int, command string) (string, error) {
	t.Helper()
	peer.Need(t, "ssh")
	out, err := exec.Command("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
		"-o", "UserKnownHostsFile="+h.KnownHosts, "-o", "HostKeyAlias=[127.0.0.1]:"+strconv.Itoa(h.Port),
		"-i", h.KeyFile, "-p", strconv.Itoa(port), h.User+"@127.0.0.1", command).CombinedOutput()
	return string(out), err
}

func TestHostRunsCommandsInItsOwnHome(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	out, err := ssh(t, h, h.Port, "echo $HOME; crontab -l")
	if err == nil || out != h.Home+"\nno crontab for "+h.User+"\n" {
		t.Fatalf("%v: %q", err, out)
	}
	h.SetCrontab(t, "# one\n")
	if out, err = ssh(t, h, h.Port, "crontab -l; printf 'x' | crontab -"); err == nil || !strings.HasPrefix(out, "# one\n") {
		t.Fatalf("%v: %q", err, out)
	}
	if _, err = ssh(t, h, h.Port, "echo '# two' | crontab -"); err != nil {
		t.Fatal(err)
	}
	if text, ok := h.Crontab(t); !ok || text != "# two\n" {
		t.Fatalf("table %q", text)
	}
	if n := h.CrontabChanges(); n != 2 {
		t.Fatalf("%d changes", n)
	}
	h.Down()
	if _, err = ssh(t, h, h.Port, "true"); err == nil {
		t.Fatal("a stopped host answers")
	}
	h.Up(t)
	if _, err = ssh(t, h, h.Port, "true"); err != nil {
		t.Fatal(err)
	}
	h.ChangeHostKey(t)
	if out, err = ssh(t, h, h.Port, "true"); err == nil || !strings.Contains(out, "REMOTE HOST IDENTIFICATION HAS CHANGED") {
		t.Fatalf("%v: %q", err, out)
	}
}

func TestLineBreaks(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	l := peer.NewLine(t, h.Addr)
	if _, err := ssh(t, h, l.Port, "true"); err != nil {
		t.Fatal(err)
	}
	l.CutAfter(5000)
	if out, err := ssh(t, h, l.Port, "head -c 100000 /dev/zero | tr '\\0' x"); err == nil {
		t.Fatalf("%d bytes arrived over a cut line", len(out))
	}
	if _, err := ssh(t, h, l.Port, "true"); err != nil {
		t.Fatal(err)
	}
	l.Refuse(true)
	if _, err := ssh(t, h, l.Port, "true"); err == nil {
		t.Fatal("a refusing line answers")
	}
}

func TestRealCronRunsAJob(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the next minute")
	}
	h := peer.Start(t, peer.Options{RealCron: true})
	mark := filepath.Join(h.Home, "ran")
	h.SetCrontab(t, "* * * * * echo ran > "+mark+"\n")
	if out, err := ssh(t, h, h.Port, "crontab -l"); err != nil || !strings.Contains(out, mark) {
		t.Fatalf("%v: %q", err, out)
	}
	peer.Eventually(t, 75*time.Second, "cron ran the job", func() bool {
		_, err := os.Stat(mark)
		return err == nil
	})
}
