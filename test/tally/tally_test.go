package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string // of the golden file
		input  string
		strict string
		code   int
	}{
		{name: "failures", input: "failures.json", code: 1},
		{name: "green", input: "green.json", code: 0},
		{name: "cut", input: "cut.json", code: 1},
		{name: "strict", input: "green.json", strict: "example/... # all\nexample/gone\n", code: 1},
		{name: "strict-accepted", input: "green.json", strict: "example/...\naccept cron is not # here\n", code: 0},
		{name: "strict-reason", input: "green.json", strict: "example/...\naccept is not installed\n", code: 1},
		{name: "strict-elsewhere", input: "green.json", strict: "\n# only b\nexample/b\n", code: 0},
		{name: "nothing", input: "/dev/null", code: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var args []string
			if c.strict != "" {
				list := filepath.Join(t.TempDir(), "list")
				if err := os.WriteFile(list, []byte(c.strict), 0o600); err != nil {
					t.Fatal(err)
				}
				args = []string{"-no-skip", list}
			}
			path := c.input
			if !filepath.IsAbs(path) {
				path = filepath.Join("testdata", path)
			}
			in, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close() }()
			var out, errs strings.Builder
			if code := run(args, in, &out, &errs); code != c.code || errs.Len() > 0 {
				t.Errorf("exit code %d, want %d; errors: %q", code, c.code, errs.String())
			}
			golden(t, filepath.Join("testdata", c.name+".txt"), out.String())
		})
	}
}

func TestRunWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-no-skip", "/does/not/exist"}, {"-what"}} {
		var out, errs strings.Builder
		if code := run(args, strings.NewReader(""), &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%v: exit code %d, want 2; errors: %q", args, code, errs.String())
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}
