package cronhost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// MountSmall puts an empty disk of so many bytes (a tmpfs, in whole pages) over a folder below the
// host's own, such as "home/spool", so that a test can fill it. It needs root. [Host.Stop] takes it
// away, with what was on it. readOnly makes it a disk that cannot be written at all.
func (h *Host) MountSmall(folder string, size int, readOnly bool) error {
	dir := h.path(folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cronhost: small disk: %w", err)
	}
	options := fmt.Sprintf("size=%d,mode=755", size)
	if readOnly {
		options += ",ro"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return errStopping
	}
	if err := tool("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir); err != nil {
		return fmt.Errorf("cronhost: small disk at %s: %w", dir, err)
	}
	h.mounts = append(h.mounts, dir)
	return nil
}

// unmount takes small disks away, the last first.
func (h *Host) unmount() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for len(h.mounts) > 0 {
		last := len(h.mounts) - 1
		if err := tool("umount", "-l", h.mounts[last]); err != nil {
			errs = append(errs, fmt.Errorf("cronhost: take away the disk at %s: %w", h.mounts[last], err))
		}
		h.mounts = h.mounts[:last]
	}
	return errors.Join(errs...)
}

// tool runs a program of the machine; what it complained of is in the error.
func tool(name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: path, Args: append([]string{name}, args...)}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
