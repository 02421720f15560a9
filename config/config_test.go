package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signalbox/adapters"
)

var update = flag.Bool("update", false, "write the expected messages anew")

// boxKind is a kind of source for tests, with a setting of every type that a kind can use.
func boxKind() Kind {
	return Kind{
		Name: "box", Help: "A box.", Sample: "hosta",
		Declare: func() ([]Setting, Open) {
			var o boxOptions
			settings := []Setting{
				{Name: "host", Into: Host(&o.host), Required: true, Example: "box.example.org", Help: "Where it is."},
				{Name: "port", Into: Int(&o.port, 1, 65535), Default: "22", Help: "TCP port."},
				{Name: "user", Into: Text(&o.user, "an account"), Default: "ops", Help: "Account there."},
				{Name: "key_file", Into: PrivateFile(&o.key), Absent: "none", Example: "keys/id", Help: "Private key."},
				{Name: "known_hosts", Into: ReadableFile(&o.known), Absent: "none", Example: "known_hosts", Help: "Host keys."},
				{Name: "login", Help: "How to log in.", Into: Block(
					Setting{Name: "passphrase", Into: SecretRef(&o.passphrase), Absent: "none", Example: "file:keys/passphrase", Help: "Of the key."},
					Setting{Name: "strict", Into: YesNo(&o.strict), Default: "true", Help: "Check host keys."},
				)},
			}
			return settings, func(source string, _ *slog.Logger) (adapters.Adapter, error) {
				if o.host == "broken.example.org" {
					return nil, errors.New("a broken box")
				}
				return &boxAdapter{source: source, boxOptions: o}, nil
			}
		},
	}
}

type boxOptions struct {
	host, user, key, known string
	port                   int
	passphrase             Secret
	strict                 bool
}

type boxAdapter struct {
	adapters.Adapter

	source string
	boxOptions
}

func kinds() []Kind {
	return []Kind{boxKind(), {Name: "crate", Help: "A crate.", Sample: "hostc", Declare: func() ([]Setting, Open) {
		return nil, func(string, *slog.Logger) (adapters.Adapter, error) { return &boxAdapter{}, nil }
	}}}
}

// put writes a file into dir; its folder is made.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder makes a folder with the files that configurations of the tests refer to.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "keys/id", "not a key\n")
	put(t, dir, "keys/passphrase", "open sesame\n")
	put(t, dir, "keys/empty", "\n")
	put(t, dir, "known_hosts", "box.example.org ssh-ed25519 AAAA\n")
	put(t, dir, "token", "a token\n")
	return dir
}

// TestCorpus loads every file below testdata/main as signalbox.yaml, and every one below
// testdata/chain as a chain file beside testdata/chain/signalbox.yaml. What is expected stands beside
// it, in NAME.txt.
func TestCorpus(t *testing.T) {
	t.Parallel()
	around, err := os.ReadFile("testdata/chain/signalbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"main", "chain"} {
		paths, err := filepath.Glob(filepath.Join("testdata", room, "*.*.yaml"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no corpus in %s: %v", room, err)
		}
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".yaml")
			t.Run(room+"/"+name, func(t *testing.T) {
				t.Parallel()
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				dir := folder(t)
				main := put(t, dir, "signalbox.yaml", string(text))
				if room == "chain" {
					main = put(t, dir, "signalbox.yaml", string(around))
					put(t, dir, "chains/"+name+".yaml", string(text))
				} else {
					put(t, dir, "chains/one.yaml", oneChain)
				}
				got := outcome(t, dir, main, strings.HasSuffix(name, ".good"))
				expect(t, strings.TrimSuffix(path, ".yaml")+".txt", got)
			})
		}
	}
}

const oneChain = "chain: one\ntimezone: UTC\njobs: {only: {job: hosta/only}}\n"

// outcome loads and tells what came of it, without the temporary folder.
func outcome(t *testing.T, dir, main string, good bool) string {
	t.Helper()
	cfg, err := Load(main, kinds())
	text := ""
	switch {
	case err != nil && good:
		t.Fatalf("a good file has faults:\n%v", err)
	case err == nil && !good:
		t.Fatal("a bad file has no fault")
	case err != nil:
		text = checkFaults(t, cfg, err)
	default:
		text = tell(t, cfg)
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, dir+"/", ""), dir, ".")
}

// checkFaults checks what holds for all faults, and gives them as text with their summary.
func checkFaults(t *testing.T, cfg *Config, err error) string {
	t.Helper()
	var faults Faults
	if !errors.As(err, &faults) || len(faults) == 0 || cfg != nil {
		t.Fatalf("Load gave %T %v and a Config %v", err, err, cfg)
	}
	for _, f := range faults {
		if f.File == "" || f.Line < 1 || f.Column < 1 {
			t.Errorf("no place: %s", f)
		}
	}
	return faults.Error() + "\n" + faults.Summary() + "\n"
}

// tell shows a configuration, all defaults filled in.
func tell(t *testing.T, cfg *Config) string {
	t.Helper()
	var out strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&out, format+"\n", a...) }
	node := cfg.Node
	if host, err := os.Hostname(); err == nil && node == host {
		node = "as the host"
	}
	say("listen %s, database %s, node %s, log %s %s, token %q", cfg.Listen, cfg.Database, node, cfg.Log.Level, cfg.Log.Format, cfg.API.Token)
	for _, s := range cfg.Sources {
		o := s.Options
		if o.Node != cfg.Node || o.Name != s.Name {
			t.Errorf("source %s: options %+v", s.Name, o)
		}
		say("source %s: %s, %s, fast %s, slow %s, timeout %s, polls %d, read only %t", s.Name, s.Kind, s.Place, o.Fast, o.Slow, o.Timeout, o.PollsPerMinute, o.ReadOnly)
		for _, q := range o.Quiet {
			say("  quiet %s to %s %s", q.From, q.Until, q.Location)
		}
	}
	for _, c := range cfg.Chains {
		nodes := c.Nodes
		c.Nodes = nil
		say("chain %s", encode(t, c))
		for _, n := range nodes {
			say("  node %s", encode(t, n))
		}
	}
	for _, w := range cfg.Warnings {
		say("warning %s", w)
	}
	return out.String()
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func expect(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s says something else (go test -update writes it anew):\n--- got\n%s--- want\n%s", path, got, want)
	}
}

// fails loads and expects one fault that contains what.
func fails(t *testing.T, main, what string) Fault {
	t.Helper()
	_, err := Load(main, kinds())
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(faults[0].String(), what) {
		t.Fatalf("Load: %v; want one fault with %q", err, what)
	}
	return faults[0]
}

func TestLoadUnreadable(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	missing := filepath.Join(dir, "nothing.yaml")
	if f := fails(t, missing, missing+": cannot read: no such file"); f.Line != 0 {
		t.Errorf("a missing file has a line: %v", f)
	}
	fails(t, dir, "cannot read: it is a folder")

	put(t, dir, "chains/inner/x", "")
	main := put(t, dir, "signalbox.yaml", "chains: [\"chains/*\"]\n")
	fails(t, main, "chains/inner: cannot read: it is a folder")

	big := put(t, dir, "big.yaml", "listen: 127.0.0.1:1\n#"+strings.Repeat("x", maxFile))
	fails(t, big, "more than the 1048576 that a configuration may have")
}

func TestLoadPermissions(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	main := put(t, dir, "signalbox.yaml", "listen: 0.0.0.0:8440\napi: {token: \"file:token\"}\n"+
		"sources: {hosta: {kind: box, host: h, key_file: keys/id}}\n")
	cfg, err := Load(main, kinds())
	if err != nil || len(cfg.Warnings) != 0 {
		t.Fatalf("mode 0600: %v, %v", err, cfg)
	}
	for _, name := range []string{"token", "keys/id"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err = Load(main, kinds())
	if err != nil || len(cfg.Warnings) != 2 {
		t.Fatalf("mode 0640: %v, %+v", err, cfg)
	}
	want := main + ":2:14: others may read " + dir + "/token (mode 0640); chmod 600 " + dir + "/token"
	if got := cfg.Warnings[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoadMatchesEachFileOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), "odd [name]*") // special in patterns, but not here
	put(t, dir, "chains/one.yaml", oneChain)
	put(t, dir, "chains/.one.yaml.swp", "an editor's")
	main := put(t, dir, "signalbox.yaml",
		"sources: {hosta: {kind: crate}}\nchains: [chains/*, chains/one.yaml, \""+strings.NewReplacer("[", `\\[`, "*", `\\*`).Replace(dir)+"/chains/*.yaml\"]\n")
	cfg, err := Load(main, kinds())
	if err != nil || len(cfg.Chains) != 1 {
		t.Fatalf("%v, %+v", err, cfg)
	}
	if cfg.Path != main {
		t.Errorf("path %s, want %s", cfg.Path, main)
	}
}

func TestLoadManyFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	put(t, dir, "chains/a.yaml", "chain: same\ntimezone: UTC\njobs:\n  load: {job: hosta/load}\nstage: drive\n")
	put(t, dir, "chains/b.yaml", "chain: same\ntimezone: UTC\njobs:\n  load: {job: hosta/load, stage: drive}\n")
	put(t, dir, "chains/c.yaml", "chain: [\n")
	put(t, dir, "chains/d.yaml", "")
	main := put(t, dir, "signalbox.yaml", "lisen: 1\nsources: {hosta: {kind: crate}}\nchains: [chains/*.yaml]\n")
	_, err := Load(main, kinds())
	want := `chains/b.yaml:1:8: the chain name "same" is taken already (chains/a.yaml:1); give one of them another name
chains/b.yaml:4:3: two masters for one job: hosta/load is driven here by same/load and by same/load (chains/a.yaml:4); only one of them may be in stage drive
chains/c.yaml:1:8: broken YAML: a value was expected here
chains/d.yaml:1:1: the file is empty: it holds no settings
signalbox.yaml:1:1: unknown setting "lisen"; did you mean listen?`
	if got := strings.ReplaceAll(fmt.Sprint(err), dir+"/", ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestNoEchoes breaks the sources: the jobs in them are not judged then.
func TestNoEchoes(t *testing.T) {
	t.Parallel()
	for _, sources := range []string{"sources: [hosta]", "sources:", "source: {hosta: {kind: crate}}", "sources: hosta", "sources: &a {hosta: {kind: crate}}"} {
		dir := folder(t)
		put(t, dir, "chains/one.yaml", oneChain)
		fails(t, put(t, dir, "signalbox.yaml", sources+"\nchains: [chains/*.yaml]\n"), "signalbox.yaml:1:")
	}
	dir := folder(t)
	put(t, dir, "chains/one.yaml", oneChain)
	fails(t, put(t, dir, "signalbox.yaml", "sources: {}\nchains: [chains/*.yaml]\n"), `one.yaml:3:20: job: there is no source "hosta"`)
	fails(t, put(t, dir, "signalbox.yaml", "chains: [chains/*.yaml]\n"), `one.yaml:3:20: job: there is no source "hosta"`)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	main := put(t, dir, "signalbox.yaml", "node: n1\nsources:\n  hosta: {kind: box, host: box.example.org, login: {passphrase: \"file:keys/passphrase\"}}\n"+
		"  hostb: {kind: box, host: broken.example.org}\n")
	cfg, err := Load(main, kinds())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	a, opts, err := cfg.Sources[0].Open(log)
	if err != nil {
		t.Fatal(err)
	}
	box, ok := a.(*boxAdapter)
	if !ok || box.source != "hosta" || box.port != 22 || !box.strict || box.host != "box.example.org" {
		t.Errorf("adapter %+v", a)
	}
	if opts.Name != "hosta" || opts.Node != "n1" || opts.Log != log || len(opts.Redact) != 1 || opts.Redact[0] != "open sesame" {
		t.Errorf("options %+v", opts)
	}
	if len(cfg.Sources[0].Options.Redact) != 0 {
		t.Error("the secret stays in the configuration")
	}
	if _, _, err = cfg.Sources[1].Open(log); err == nil || err.Error() != "open source hostb: a broken box" {
		t.Errorf("broken: %v", err)
	}
	put(t, dir, "keys/passphrase", "\n")
	if _, _, err = cfg.Sources[0].Open(log); err == nil || !strings.Contains(err.Error(), "open source hosta: secret file:") {
		t.Errorf("emptied secret: %v", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	f := Faults(sorted([]Fault{
		{Place: Place{File: "b", Line: 1, Column: 1}, What: "x"},
		{Place: Place{File: "a", Line: 10, Column: 2}, What: "y", Hint: "z"},
		{Place: Place{File: "a", Line: 2, Column: 1}, What: "y"},
		{Place: Place{File: "a", Line: 2, Column: 1}, What: "y"},
		{Place: Place{File: "a"}, What: "w"},
	}))
	want := "a: w\na:2:1: y\na:10:2: y; z\nb:1:1: x"
	if f.Error() != want || f.Files() != 2 || f.Summary() != "4 faults in 2 files" {
		t.Errorf("%s\n%s", f.Error(), f.Summary())
	}
	if s := f[:1].Summary(); s != "1 fault in 1 file" {
		t.Error(s)
	}
}

// TestDefinitionsSeal checks that what was loaded can be stored, and that its version does not depend
// on the order or the form in which people wrote it.
func TestDefinitionsSeal(t *testing.T) {
	t.Parallel()
	forms := []string{
		"chain: c\ntimezone: UTC\nstage: {b: drive}\njobs:\n  a: {job: hosta/a}\n  b: {job: hosta/b, after: [a]}\n",
		"jobs:\n  b: {job: hosta/b, after: [{job: a, on: success}], stage: drive}\n  a: {job: hosta/a, stage: watch}\n" +
			"timezone: UTC\nkeep_open: 4320m\nservice: c\nchain: c\nday_cut: 00:00\n",
	}
	hashes := map[string]bool{}
	for _, form := range forms {
		dir := folder(t)
		put(t, dir, "chains/c.yaml", form)
		cfg, err := Load(put(t, dir, "signalbox.yaml", "sources: {hosta: {kind: crate}}\nchains: [chains/c.yaml]\n"), kinds())
		if err != nil {
			t.Fatal(err)
		}
		r, err := cfg.Chains[0].Seal()
		if err != nil {
			t.Fatal(err)
		}
		hashes[r.Hash.String()] = true
	}
	if len(hashes) != 1 {
		t.Errorf("one meaning, %d versions", len(hashes))
	}
}

func TestClosest(t *testing.T) {
	t.Parallel()
	names := []string{"listen", "database", "not_before", "give_up_at", "give_up_after", "on"}
	for given, want := range map[string]string{
		"lsten": "listen", "Listen": "listen", "not-before": "not_before", "notbefore": "not_before", "databsae": "database",
		"give_up_aftr": "give_up_after", "data": "database", "listening": "listen", "zebra": "", "": "",
	} {
		if got := closest(given, names); got != want {
			t.Errorf("closest(%q) = %q, want %q", given, got, want)
		}
	}
	if d := distance("ca", "abc"); d != 3 { // optimal string alignment
		t.Errorf("distance %d", d)
	}
}
