package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"signalbox/adapters"
)

// Kind is a kind of source: which peer, and the settings that only it has.
type Kind struct {
	Name   string // as written behind "kind:"
	Help   string // one sentence for the reference
	Sample string // a name for its source in the reference
	// Declare makes fresh variables, the settings that are read into them, and the function that makes
	// an adapter of what was read. It is called once per source, and for the reference.
	Declare func() ([]Setting, Open)
}

// Open makes the adapter of a source. It makes no call to the peer. It resolves the secrets that the
// adapter needs, so it may fail although the configuration is good.
type Open func(source string, log *slog.Logger) (adapters.Adapter, error)

// Source is one configured source.
type Source struct {
	Name    string
	Kind    string
	Place   Place                  // of its name
	Options adapters.SourceOptions // all but Log and Redact, which Open adds

	open    Open
	secrets []*Secret
}

// Open makes the adapter, and the options for its [adapters.Source], complete with its secrets to
// redact. It makes no call to the peer. It may be called again after the adapter was closed.
func (s *Source) Open(log *slog.Logger) (adapters.Adapter, adapters.SourceOptions, error) {
	opts := s.Options
	opts.Log = log
	for _, secret := range s.secrets {
		text, err := secret.Resolve()
		if err != nil {
			return nil, opts, fmt.Errorf("open source %s: %w", s.Name, err)
		}
		if text != "" {
			opts.Redact = append(slices.Clip(opts.Redact), text)
		}
	}
	adapter, err := s.open(s.Name, log.With(slog.String("source", s.Name)))
	if err != nil {
		return nil, opts, fmt.Errorf("open source %s: %w", s.Name, err)
	}
	return adapter, opts, nil
}

// sourceDraft is a source while it is read.
type sourceDraft struct {
	Source
	poll *block
	zone string
}

// sourcesSetting declares the sources; the reference shows one of each kind.
func (l *loader) sourcesSetting() Setting {
	m := &named{words: "sources by name", each: l.readSource}
	l.named = m
	for i, k := range l.kinds {
		own, _ := k.Declare()
		common := l.common(&sourceDraft{}, k.Name)
		if i > 0 {
			common = common[:1] // the others are explained already
		}
		m.samples = append(m.samples, sample{name: k.Sample, help: k.Help, settings: append(common, own...)})
	}
	return Setting{
		Name: "sources", Into: m, Absent: "no sources: nothing can be seen",
		Help: "The schedulers to watch, each under a name of its own: a-z, 0-9, dot, dash, underscore. Chains name " +
			"jobs as SOURCE/JOB.",
	}
}

// common declares the settings that every source has.
func (l *loader) common(d *sourceDraft, example string) []Setting {
	names := make([]string, len(l.kinds))
	for i, k := range l.kinds {
		names[i] = k.Name
	}
	opts := &d.Options
	d.poll = &block{settings: d.pollSettings()}
	return []Setting{
		{Name: "kind", Into: Choice(&d.Kind, names...), Required: true, Example: example, Help: "What the source is."},
		{
			Name: "read_only", Into: YesNo(&opts.ReadOnly), Default: "false",
			Help: "Refuse everything that would change something at the source; its jobs cannot be driven.",
		},
		{
			Name: "timeout", Into: Duration(&opts.Timeout, time.Second, time.Hour), Absent: "as fits the kind", Example: "30s",
			Help: "Longest time for one call to the source.",
		},
		{Name: "poll", Into: d.poll, Help: "How often the source is read."},
		{
			Name: "budget", Help: "What may be asked of the source.",
			Into: Block(Setting{
				Name: "polls_per_minute", Into: Int(&d.Options.PollsPerMinute, 1, 600), Absent: "as fits the kind", Example: "60",
				Help: "Most polls in a minute, whatever waits.",
			}),
		},
	}
}

// pollSettings declares the pace. Its bounds keep a mistyped unit from hammering a peer.
func (d *sourceDraft) pollSettings() []Setting {
	opts := &d.Options
	return []Setting{
		{
			Name: "fast", Into: Duration(&opts.Fast, 100*time.Millisecond, time.Hour), Default: "1s",
			Help: "Time between polls while a chain waits on a run there.",
		},
		{
			Name: "slow", Into: Duration(&opts.Slow, 100*time.Millisecond, 24*time.Hour), Default: "30s",
			Help: "Time between polls otherwise.",
		},
		{
			Name: "quiet", Example: `["22:00-23:00"]`, Absent: "none",
			Help: "Times of day in which it is polled only while a chain waits on it, local to poll.timezone.",
			Into: items(`a list of windows such as ["22:00-23:00"]`, quietWindow,
				func(w adapters.QuietWindow, _ Place) { opts.Quiet = append(opts.Quiet, w) }),
		},
		{
			Name: "timezone", Into: Zone(&d.zone), Example: "Europe/Berlin", Absent: "none; quiet needs one",
			Help: "Zone of the quiet windows.",
		},
	}
}

// quietWindow reads "22:00-23:00".
func quietWindow(into *adapters.QuietWindow) Value {
	return &scalar[adapters.QuietWindow]{
		into: into, words: `a window such as "22:00-23:00"`, tag: "!!str",
		parse: func(_ *file, text string) (adapters.QuietWindow, error) {
			from, until, _ := strings.Cut(text, "-")
			a, errA := minutes(strings.TrimSpace(from))
			b, errB := minutes(strings.TrimSpace(until))
			switch {
			case errA != nil || errB != nil:
				return adapters.QuietWindow{}, errWanted
			case a == b:
				return adapters.QuietWindow{}, wrong("", "the window %s is empty", quote(text))
			}
			return adapters.QuietWindow{From: time.Duration(a) * time.Minute, Until: time.Duration(b) * time.Minute}, nil
		},
	}
}

// readSource reads one source with the settings of its kind. A source with faults counts as a source, so
// that the chains that name it are not at fault too.
func (l *loader) readSource(f *file, key, value *yaml.Node) {
	d := &sourceDraft{Source: Source{Name: key.Value, Place: f.place(key)}}
	d.Options.Name = d.Name
	b := &block{settings: l.common(d, "")}
	kind, ok := l.kindOf(value)
	if ok {
		own, open := kind.Declare()
		b.settings = append(b.settings, own...)
		d.open, d.secrets = open, secretsOf(own)
	}
	b.lenient = !ok
	b.read(f, "source "+key.Value, value)
	d.check(l.found)
	l.sources = append(l.sources, &d.Source)
	slices.SortFunc(l.sources, func(a, b *Source) int { return cmp.Compare(a.Name, b.Name) })
}

// kindOf looks ahead for the kind, since it says which settings there are.
func (l *loader) kindOf(n *yaml.Node) (Kind, bool) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "kind" {
			continue
		}
		for _, k := range l.kinds {
			if k.Name == n.Content[i+1].Value {
				return k, true
			}
		}
	}
	return Kind{}, false
}

// secretsOf finds the secrets among the settings of a kind: they are redacted in whatever the source says.
func secretsOf(settings []Setting) []*Secret {
	var out []*Secret
	for _, s := range settings {
		switch v := s.Into.(type) {
		case *secretValue:
			out = append(out, v.into)
		case *block:
			out = append(out, secretsOf(v.settings)...)
		}
	}
	return out
}

// check finds what does not fit together.
func (d *sourceDraft) check(found *findings) {
	opts := &d.Options
	if opts.Fast > opts.Slow && opts.Slow > 0 {
		at := d.poll.at("fast")
		if !d.poll.given("fast") {
			at = d.poll.at("slow")
		}
		found.fault(at, "", "poll.fast (%s) is longer than poll.slow (%s)", brief(opts.Fast), brief(opts.Slow))
	}
	if len(opts.Quiet) == 0 {
		return
	}
	location, err := time.LoadLocation(d.zone)
	switch {
	case !d.poll.given("timezone"):
		found.fault(d.poll.at("quiet"), "write timezone: Europe/Berlin or timezone: UTC beside it",
			"quiet windows need poll.timezone: nobody can tell which 22:00 is meant")
	case err == nil && d.zone != "":
		for i := range opts.Quiet {
			opts.Quiet[i].Location = location
		}
	}
}

// source finds a source by name.
func (l *loader) source(name string) *Source {
	for _, s := range l.sources {
		if s.Name == name {
			return s
		}
	}
	return nil
}
