package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Path is a path of a file that need not exist yet; its folder must. It is made absolute: a relative
// one starts at the folder of the file that names it.
func Path(into *string) Value {
	v := &scalar[string]{into: into, words: "the path of a file", tag: "!!str"}
	v.parse = func(f *file, text string) (string, error) {
		path, err := f.resolve(text)
		if err != nil {
			return "", err
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return "", wrong("", "%s is a folder", path)
		}
		folder := filepath.Dir(path)
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return "", wrong("create it with: mkdir -p "+folder, "the folder %s does not exist", folder)
		}
		return path, nil
	}
	return v
}

// ReadableFile is a path of a file that exists and can be read, made absolute like a [Path].
func ReadableFile(into *string) Value { return readable(into, nil) }

// PrivateFile is a [ReadableFile] that others should not be able to read: else there is a warning.
func PrivateFile(into *string) Value { return readable(into, warnOpenMode) }

func readable(into *string, after func(*file, *yaml.Node, string)) Value {
	return &scalar[string]{
		into: into, words: "the path of a file that can be read", tag: "!!str", after: after,
		parse: func(f *file, text string) (string, error) {
			path, err := f.resolve(text)
			if err != nil {
				return "", err
			}
			if err := tryRead(path); err != nil {
				return "", wrong("", "cannot read %s: %s", path, cause(err))
			}
			return path, nil
		},
	}
}

// tryRead opens a regular file and closes it again.
func tryRead(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a file")
	}
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	return r.Close()
}

// warnOpenMode warns of a file that others can read.
func warnOpenMode(f *file, n *yaml.Node, path string) {
	info, err := os.Stat(path)
	if err != nil {
		return // reported where it is read
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		f.warn(n, "chmod 600 "+path, "others may read %s (mode %04o)", path, mode)
	}
}

// resolve makes a path absolute.
func (f *file) resolve(text string) (string, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", wrong("", "want a path, not empty text")
	case strings.HasPrefix(text, "~"):
		hint := ""
		if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(text, "~/") {
			hint = meant(filepath.Join(home, text[2:]))
		}
		return "", wrong(hint, "~ is not expanded here: write the whole path")
	case strings.ContainsRune(text, 0):
		return "", errWanted
	case filepath.IsAbs(text):
		return filepath.Clean(text), nil
	}
	return filepath.Join(f.dir, text), nil
}
