package config

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"signalbox/federation/chain"
)

// Config is everything that is configured, checked, with all defaults filled in and all paths absolute.
type Config struct {
	Path     string // of the file it came from
	Listen   string // host:port
	Database string // path
	Node     string // name of this node
	Log      Log
	API      API
	Sources  []Source           // sorted by name
	Chains   []chain.Definition // sorted by name
	Warnings []Fault            // what works but deserves a look, sorted by place
}

// Log says what is logged and how.
type Log struct {
	Level  slog.Level
	Format string // text or json
}

// API says who may use the API.
type API struct {
	Token Secret // zero = no token: only loopback is served, and nothing can be changed
}

// Load reads the file at path and the chain files that it names. Kinds are the kinds of sources that
// exist; the list is in adapters/all. On error there is no Config, and the error is a [Faults] with
// everything that is wrong in all of the files. It reads files and the environment and changes nothing.
func Load(path string, kinds []Kind) (*Config, error) {
	return newLoader(kinds).load(path)
}

// loader reads one configuration.
type loader struct {
	kinds []Kind
	glob  func(pattern string) ([]string, error)
	found *findings

	level    string
	api      *block
	named    *named // the sources
	patterns []pattern
	sources  []*Source // in the order of the file
	chains   []*chainDraft
}

// pattern is where chain files are.
type pattern struct {
	text string
	at   Place
}

func newLoader(kinds []Kind) *loader {
	return &loader{kinds: kinds, glob: filepath.Glob, found: &findings{}}
}

// load reads all files, however much is wrong in the first ones.
func (l *loader) load(path string) (*Config, error) {
	cfg := &Config{}
	f, ok := l.open(path, path)
	if ok {
		cfg.Path = filepath.Join(f.dir, filepath.Base(path))
		l.readMain(f, cfg)
	}
	if len(l.found.faults) > 0 {
		return nil, Faults(sorted(l.found.faults))
	}
	cfg.Sources = l.finishedSources(cfg.Node)
	cfg.Chains = l.definitions()
	cfg.Warnings = sorted(l.found.warnings)
	return cfg, nil
}

// open prepares a file; base is the file from whose folder relative paths start.
func (l *loader) open(name, base string) (*file, bool) {
	dir, err := filepath.Abs(filepath.Dir(base))
	if err != nil {
		l.found.fault(Place{File: name}, "", "cannot tell its folder: %v", err)
		return nil, false
	}
	return &file{name: name, dir: dir, found: l.found}, true
}

// readMain reads signalbox.yaml, then the chain files that it names, and then judges everything together.
func (l *loader) readMain(f *file, cfg *Config) {
	docs, whole := f.documents()
	for _, extra := range docs[min(1, len(docs)):] {
		f.fault(extra, "chains stand in files of their own", "a second document: this file has one")
	}
	if len(docs) == 0 {
		return
	}
	b := &block{settings: l.settings(cfg)}
	if f.plain(docs[0]) {
		b.read(f, "the file", docs[0])
	}
	l.checkListen(b, cfg)
	if len(l.sources) == 0 && len(l.found.faults) == 0 {
		l.found.warn(b.at("sources"), "", "no sources: there is nothing to see")
	}
	if err := cfg.Log.Level.UnmarshalText([]byte(l.level)); err != nil && l.level != "" {
		l.found.fault(b.at("log"), "", "level: %v", err)
	}
	// A job at an unknown source is no news where the sources themselves are at fault.
	known := l.named.known || (!b.given("sources") && len(l.found.faults) == 0)
	l.readChains(f, cfg.Path)
	l.checkChains(whole && known)
}

// settings declares signalbox.yaml.
func (l *loader) settings(cfg *Config) []Setting {
	l.api = &block{settings: []Setting{{
		Name: "token", Into: SecretRef(&cfg.API.Token), Example: "file:token", Absent: "no token: nothing can be changed",
		Help: "Bearer token for everything that changes something, and for everything once listen is not a loopback address.",
	}}}
	return []Setting{
		{
			Name: "listen", Into: HostPort(&cfg.Listen), Default: "127.0.0.1:8440",
			Help: "Address of the web page and the API. Anything but a loopback address needs api.token.",
		},
		{
			Name: "database", Into: Path(&cfg.Database), Default: "signalbox.db",
			Help: "File of the ledger. A relative path starts at the folder of this file.",
		},
		{
			Name: "node", Into: l.node(&cfg.Node), Absent: "the name of the host", Example: "box1",
			Help: "Name of this node; it stands beside everything that the node saw.",
		},
		{
			Name: "log", Help: "What is logged to standard error.",
			Into: Block(
				Setting{
					Name: "level", Into: Choice(&l.level, "debug", "info", "warn", "error"), Default: "info",
					Help: "Least severity that is logged.",
				},
				Setting{
					Name: "format", Into: Choice(&cfg.Log.Format, "text", "json"), Default: "text",
					Help: "Form of the lines.",
				},
			),
		},
		{Name: "api", Help: "Who may use the API.", Into: l.api},
		l.sourcesSetting(),
		l.chainsSetting(),
	}
}

// node is text that defaults to the name of the host.
func (l *loader) node(into *string) Value {
	if name, err := os.Hostname(); err == nil {
		*into = name
	} else {
		*into = "signalbox"
	}
	return Text(into, "a name")
}

// chainsSetting declares where the chains are, and remembers where each pattern stands.
func (l *loader) chainsSetting() Setting {
	return Setting{
		Name: "chains", Example: "[chains/*.yaml]", Absent: "no chains: sources are only watched",
		Help: "Patterns of the files with chains; each must match a file. Relative ones start at the folder of this " +
			"file; hidden files are left out.",
		Into: items("a list of patterns such as [chains/*.yaml]",
			func(s *string) Value { return Text(s, "a pattern such as chains/*.yaml", checkPattern) },
			func(text string, at Place) { l.patterns = append(l.patterns, pattern{text: text, at: at}) }),
	}
}

// checkPattern refuses ** too: it would silently mean the same as *.
func checkPattern(text string) error {
	if strings.Contains(text, "**") {
		return wrong("name each folder: [a/*.yaml, b/*.yaml]", "%s: ** is not known here", quote(text))
	}
	if _, err := filepath.Match(text, ""); err != nil {
		return wrong("a [ needs its ]", "%s is not a pattern", quote(text))
	}
	return nil
}

// checkListen refuses to serve others without a token.
func (l *loader) checkListen(b *block, cfg *Config) {
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil || loopback(host) || l.api.given("token") {
		return
	}
	l.found.fault(b.at("listen"), "set api: {token: file:PATH}, or listen on 127.0.0.1",
		"listen: %s can be reached from other hosts, and there is no api.token", cfg.Listen)
}

// loopback does not resolve names: what a name means can change after the check.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// finishedSources gives the sources as they are used.
func (l *loader) finishedSources(node string) []Source {
	out := make([]Source, 0, len(l.sources))
	for _, s := range l.sources {
		s.Options.Node = node
		out = append(out, *s)
	}
	return out
}
