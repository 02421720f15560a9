//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"signalbox/federation/store"
)

// lock is the right of this process to write a database. The system releases it when the process
// ends, also by SIGKILL: there is no stale lock that a person would have to remove.
type lock struct{ file *os.File }

// takeLock takes the exclusive lock for the database at path, or says who holds it. The lock file
// stays when the lock is released: to remove it would let two processes lock two files of one name.
func takeLock(path string) (*lock, error) {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: process %s writes it (lock file %s); stop that process, or use another file for this one",
				store.ErrLocked, holder(f), name)
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	l := &lock{file: f}
	if err := l.sign(); err != nil {
		l.release()
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return l, nil
}

// sign writes the process id into the lock file, for whoever finds it locked.
func (l *lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// release gives the lock back. It may be called twice.
func (l *lock) release() { _ = l.file.Close() }

// holder reads the process id that the holder wrote; it may be about to write it.
func holder(f io.ReaderAt) string {
	buf := make([]byte, 20)
	n, _ := f.ReadAt(buf, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		return "(id not written yet)"
	}
	return strconv.Itoa(pid)
}
