package config

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretsAreNotRepeated puts a secret where people put it by mistake, and finds it in no message.
func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	const mark = "hunter2"
	secrets := []string{
		mark, mark + "!", "*" + mark, "&" + mark, "!" + mark, "@" + mark, "%" + mark, "{" + mark, "[" + mark, "{" + mark + "}", "[" + mark + "]",
		`"` + mark, "'" + mark + "'", mark + ": " + mark, "- " + mark, "|\n    " + mark, "\n    " + mark, "\n  " + mark, "\n    - " + mark,
		"\n          " + mark + ": 1", "~ " + mark, "env:" + mark + "-x", "env:" + mark + " x", "\"file:\\n" + mark, "? " + mark, "<<: " + mark, "\t" + mark,
		mark + "\n  - x", mark + "\n   x: y", "\"" + mark + "\x01\"", mark + "\xff", "<<<<<<< " + mark, "!!binary " + mark, "!!int " + mark,
	}
	forms := []string{
		"api:\n  token: %s\n", "api:\n  token:%s\n", "api: {token: %s}\n", "api: {token:%s}\n", "api: {token %s}\n", "api: {%s}\n",
		"api: {tokn: %s}\n", "token: %s\n", "api: %s\n",
		"sources:\n  hosta:\n    kind: box\n    host: h\n    login:\n      passphrase: %s\n",
		"sources: {hosta: {kind: box, host: h, login: {passphrase: %s}}}\n",
		"sources: {hosta: {kind: box, host: h, login: {passphrase=%s}}}\n",
		"sources: {hosta: {kind: box, host: h, passphrase: %s}}\n",
		"sources: {hosta: {kind: box, host: h, login: %s}}\n",
	}
	dir := folder(t)
	for i, form := range forms {
		for j, secret := range secrets {
			main := put(t, dir, fmt.Sprintf("%d-%d.yaml", i, j), fmt.Sprintf(form, secret))
			cfg, err := Load(main, kinds())
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("%q:\n%v", fmt.Sprintf(form, secret), err)
			}
			if err == nil {
				t.Errorf("%q has no fault; warnings %v", fmt.Sprintf(form, secret), cfg.Warnings)
			}
		}
	}
}

func TestSecretResolve(t *testing.T) {
	dir := folder(t)
	t.Setenv("SIGNALBOX_TEST_SECRET", "from the environment")
	file := func(name, text string) Secret { return Secret{path: put(t, dir, name, text)} }
	for _, c := range []struct {
		name   string
		secret Secret
		want   string
		err    string
	}{
		{name: "none"},
		{name: "environment", secret: Secret{env: "SIGNALBOX_TEST_SECRET"}, want: "from the environment"},
		{name: "unset", secret: Secret{env: "SIGNALBOX_TEST_UNSET"}, err: "secret env:SIGNALBOX_TEST_UNSET: the environment variable is not set or empty"},
		{name: "file", secret: file("plain", "abc"), want: "abc"},
		{name: "line end", secret: file("line", "  a b \r\n"), want: "  a b "},
		{name: "empty", secret: file("none", ""), err: "the file is empty"},
		{name: "blank", secret: file("blank", " \n\n"), err: "the file is empty"},
		{name: "folder", secret: Secret{path: dir}, err: "cannot read: it is not a file"},
		{name: "missing", secret: Secret{path: filepath.Join(dir, "nothing")}, err: "nothing: cannot read: no such file"},
		{name: "large", secret: file("large", strings.Repeat("x", maxSecret+1)), err: "that is no secret"},
	} {
		got, err := c.secret.Resolve()
		if got != c.want || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestSecretPrints(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]Secret{"": {}, "env:A": {env: "A"}, "file:/a": {path: "/a"}} {
		if s.String() != want || s.LogValue().Kind() != slog.KindString || s.LogValue().String() != want || s.IsZero() != (want == "") {
			t.Errorf("%#v: %s", s, s)
		}
	}
}
