package cronhost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

const bootIDFile = "/proc/sys/kernel/random/boot_id"

// CanOwnBootID says, by trying, whether processes can be given a boot id of their own: that needs root
// and the unshare and mount programs of Linux. Each process then runs in a mount namespace in which
// /proc/sys/kernel/random/boot_id is another file; that costs a few milliseconds a command.
func CanOwnBootID() bool {
	cmd := &exec.Cmd{Path: "/usr/bin/unshare", Args: unshareArgs(bootIDFile, []string{"/bin/true"})}
	return os.Geteuid() == 0 && cmd.Run() == nil
}

// unshareArgs runs args with file in place of the boot id.
func unshareArgs(file string, args []string) []string {
	const script = `mount --bind "$0" ` + bootIDFile + ` && exec "$@"`
	return append([]string{"unshare", "-m", "--propagation", "private", "/bin/sh", "-c", script, file}, args...)
}

// ownBoot makes a command see the host's boot id.
func (h *Host) ownBoot(cmd *exec.Cmd) {
	cmd.Args = unshareArgs(h.path("etc", "boot_id"), append([]string{cmd.Path}, cmd.Args[1:]...))
	cmd.Path = "/usr/bin/unshare"
}

// newBootID gives the host the id of a new boot. The file is written in place: it may be mounted.
func (h *Host) newBootID() error {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	return os.WriteFile(h.path("etc", "boot_id"), []byte(id+"\n"), 0o644)
}

// Reboot ends every process and connection and brings the host up again at the same address with
// another boot id; @reboot lines run. It needs Config.OwnBootID: without it processes would die and
// still see the machine's boot id, which no reboot looks like ([Host.KillProcesses] does that).
func (h *Host) Reboot() error {
	if !h.cfg.OwnBootID {
		return errors.New("cronhost: reboot: the host has no boot id of its own: set Config.OwnBootID")
	}
	h.starting.Lock()
	if h.down {
		h.starting.Unlock()
		return errStopping
	}
	h.down = true
	h.starting.Unlock()
	h.DropConnections()
	err := errors.Join(h.KillProcesses(), h.newBootID())
	h.starting.Lock()
	h.down = false
	h.starting.Unlock()
	h.runReboot()
	return err
}
