package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secret is a reference to a secret: the name of an environment variable or the path of a file. The
// zero Secret refers to nothing. It never holds the secret itself, so it may be printed and logged.
type Secret struct {
	env  string
	path string // absolute
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// String gives the reference.
func (s Secret) String() string {
	switch {
	case s.env != "":
		return "env:" + s.env
	case s.path != "":
		return "file:" + s.path
	}
	return ""
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// maxSecret bounds a secret's file.
const maxSecret = 64 << 10

// Resolve reads the secret, each time anew, so that a changed file takes effect. Line ends behind it are
// cut off. The zero Secret gives empty text; a secret that is empty is an error.
func (s Secret) Resolve() (string, error) {
	switch {
	case s.IsZero():
		return "", nil
	case s.env != "":
		text := os.Getenv(s.env)
		if text == "" {
			return "", fmt.Errorf("secret %s: the environment variable is not set or empty", s)
		}
		return text, nil
	}
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return "", fmt.Errorf("secret %s: cannot read: %s", s, cause(err))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("secret %s: cannot read: it is not a file", s)
	case info.Size() > maxSecret:
		return "", fmt.Errorf("secret %s: the file has %d bytes: that is no secret", s, info.Size())
	}
	raw, err := os.ReadFile(s.path)
	if err != nil {
		return "", fmt.Errorf("secret %s: cannot read: %s", s, cause(err))
	}
	text := strings.TrimRight(string(raw), "\r\n")
	if strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("secret %s: the file is empty", s)
	}
	return text, nil
}

// secretValue reads a reference. Its messages never repeat what was written.
type secretValue struct{ into *Secret }

// SecretRef is a reference to a secret. A source's secrets are also made known to its redaction.
func SecretRef(into *Secret) Value { return &secretValue{into: into} }

func (s *secretValue) want() string { return "a reference to a secret, env:NAME or file:PATH" }

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (s *secretValue) read(f *file, name string, n *yaml.Node) {
	const hint = "write file:PATH of a file that only its owner can read, or env:NAME"
	ref, err := s.reference(f, n)
	switch {
	case err != nil:
		f.fault(n, hint, "%s: %v", name, err)
		return
	case ref.env != "" && os.Getenv(ref.env) == "":
		f.warn(n, "it must be where signalbox runs", "%s: the environment variable %s is not set here", name, ref.env)
	case ref.path != "":
		if _, err := ref.Resolve(); err != nil {
			f.fault(n, "", "%s: %v", name, err)
			return
		}
		warnOpenMode(f, n, ref.path)
	}
	*s.into = ref
}

var (
	errLiteral = errors.New("want a reference, not the secret itself")
	errEnvName = errors.New("the part behind env: is not the name of an environment variable")
	errNoPath  = errors.New("the part behind file: is not a path")
)

// reference reads env:NAME or file:PATH. Its errors do not repeat what was written.
func (s *secretValue) reference(f *file, n *yaml.Node) (Secret, error) {
	if n.Kind != yaml.ScalarNode {
		return Secret{}, errLiteral
	}
	scheme, rest, _ := strings.Cut(n.Value, ":")
	rest = strings.TrimSpace(rest)
	switch scheme {
	case "env":
		if !envName.MatchString(rest) {
			return Secret{}, errEnvName
		}
		return Secret{env: rest}, nil
	case "file":
		path, err := f.resolve(rest)
		if err != nil {
			return Secret{}, errNoPath
		}
		return Secret{path: path}, nil
	}
	return Secret{}, errLiteral
}
