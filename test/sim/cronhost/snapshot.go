package cronhost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Snapshot is everything below a host's folder at one moment: for each path its kind and permissions,
// and for files also size, time of change and content hash.
type Snapshot map[string]string

// Snapshot reads the host's folder: home, crontab, programs, mail. What cron itself writes (its log,
// mail) is left out, and so is everything below the paths in skip, which are relative to the folder
// ("home/out"). A file that vanishes meanwhile is not in it.
func (h *Host) Snapshot(skip ...string) (Snapshot, error) {
	skip = append([]string{"var/cron/log", "var/mail", "lock"}, skip...)
	snap := make(Snapshot)
	err := filepath.WalkDir(h.cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(h.cfg.Dir, path)
		if err != nil {
			return err
		}
		if slices.Contains(skip, filepath.ToSlash(rel)) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		text, err := describe(path, d)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		snap[rel] = text
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cronhost: snapshot of %s: %w", h.cfg.Dir, err)
	}
	return snap, nil
}

// describe puts into words what a path holds.
func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return "link to " + target, err
	case !info.Mode().IsRegular():
		return info.Mode().String(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return "", err
	}
	stamp := info.ModTime().UTC().Format("2006-01-02T15:04:05.000000000Z")
	return fmt.Sprintf("%s %d bytes %s sha256:%s", info.Mode(), n, stamp, hex.EncodeToString(sum.Sum(nil))), nil
}

// Diff says, a line a path, how after differs; nothing if it does not.
func (s Snapshot) Diff(after Snapshot) []string {
	var out []string
	for path, was := range s {
		is, there := after[path]
		switch {
		case !there:
			out = append(out, "gone: "+path)
		case is != was:
			out = append(out, fmt.Sprintf("changed: %s: was %s, is %s", path, was, is))
		}
	}
	for path := range after {
		if _, there := s[path]; !there {
			out = append(out, "new: "+path)
		}
	}
	slices.Sort(out)
	return out
}

// Sum is one hash over everything in the snapshot.
func (s Snapshot) Sum() string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%q %q\n", path, s[path])
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
