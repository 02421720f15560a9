package chain

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// TestCheck gives definitions with one fault each, and one with many: all are reported together.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Definition)
		want   []string
	}{
		"good":            {func(*Definition) {}, nil},
		"percent":         {func(d *Definition) { d.Chain, d.KeepOpen = "100%d", 0 }, []string{"chain 100%d: keep_open must be positive"}},
		"no name":         {func(d *Definition) { d.Chain = "" }, []string{`name "": want one without a colon`}},
		"colon":           {func(d *Definition) { d.Chain = "a:b" }, []string{`name "a:b": want one without a colon`}},
		"no jobs":         {func(d *Definition) { d.Nodes = nil }, []string{"it has no jobs"}},
		"kept for ever":   {func(d *Definition) { d.KeepOpen = 1 << 62 }, []string{"keep_open must be positive, and at most 1000 days"}},
		"twice":           {func(d *Definition) { d.Nodes[1].Name = "a" }, []string{"job a is there twice", `job c: waits for "b", which is not in the chain`}},
		"stage":           {func(d *Definition) { d.Nodes[0].Stage = "guess" }, []string{`job a: stage "guess" is not known`}},
		"on":              {func(d *Definition) { d.Nodes[1].After[0].On = "luck" }, []string{`job b: on "luck" is not known`}},
		"no source":       {func(d *Definition) { d.Nodes[0].Job.Source = "" }, []string{`job "a": name, source and job are required`}},
		"clock":           {func(d *Definition) { d.Nodes[0].NotBefore = "25:00" }, []string{`job a: time of day "25:00": want HH:MM`}},
		"negative":        {func(d *Definition) { d.Nodes[0].GiveUpAfter = -1 }, []string{"job a: give_up_after must not be negative"}},
		"waits twice":     {func(d *Definition) { d.Nodes[2].After = append(d.Nodes[2].After, Dependency{"a", OnAny}) }, []string{"job c: waits for a twice"}},
		"itself":          {func(d *Definition) { d.Nodes[0].After = []Dependency{{"a", OnSuccess}} }, []string{"jobs wait for each other: [a a]"}},
		"cycle":           {func(d *Definition) { d.Nodes[1].After = []Dependency{{"c", OnAny}} }, []string{"jobs wait for each other: [b c b]"}},
		"driven head":     {func(d *Definition) { d.Nodes[0].Stage, d.Repeat = Drive, "a" }, []string{`repeat: "a" must be a job of the chain`}},
		"waiting head":    {func(d *Definition) { d.Repeat = "b" }, []string{`repeat: "b" must be a job of the chain`}},
		"missing head":    {func(d *Definition) { d.Repeat = "z" }, []string{`repeat: "z" must be a job of the chain`}},
		"watched head":    {func(d *Definition) { d.Repeat = "a" }, nil},
		"several at once": {func(d *Definition) { d.KeepOpen, d.Nodes[0].Stage, d.Nodes[1].Job.Job = -1, "", "" }, []string{"keep_open", "job a: stage", `job "b"`}},
	} {
		def := threeJobs()
		c.change(&def)
		err := def.Check()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q", name, err, want)
			}
		}
	}
}

func threeJobs() Definition {
	ref := job.Ref{Source: "h", Job: "j"}
	return Definition{Chain: "close", DayCut: "00:00", KeepOpen: 3600, Timezone: "UTC", Nodes: []Node{
		{Name: "a", Job: ref, Stage: Watch},
		{Name: "b", Job: ref, Stage: Drive, After: []Dependency{{"a", OnSuccess}}},
		{Name: "c", Job: ref, Stage: Drive, After: []Dependency{{"a", OnSuccess}, {"b", OnFailure}}},
	}}
}

// TestRefusedDefinition checks that a definition that cannot be used leaves everything as it was.
func TestRefusedDefinition(t *testing.T) {
	t.Parallel()
	s := newShell(t, worldNow)
	before := snapshot(s.state)
	for name, change := range map[string]func(*Definition){
		"timezone": func(d *Definition) { d.Timezone = "Mars/Olympus" },
		"day cut":  func(d *Definition) { d.DayCut = "6 pm" },
		"stage":    func(d *Definition) { d.Nodes[0].Stage = "" },
	} {
		def := threeJobs()
		change(&def)
		if out, err := Decide(s.state, Defined{Definition: def}, s.now); err == nil || len(out.Opened)+len(out.Defined) > 0 {
			t.Errorf("%s: it was taken", name)
		}
		if _, err := Restored(site, Restore{Versions: []Definition{def}}); err == nil {
			t.Errorf("%s: it was restored", name)
		}
	}
	if snapshot(s.state) != before {
		t.Error("a refused definition changed the state")
	}
	in := Instance{Key: worldKey, Version: job.Sum(nil)}
	if _, err := Restored(site, Restore{Instances: []Instance{in}}); err == nil || !strings.Contains(err.Error(), worldKey.String()) {
		t.Errorf("an instance without its definition was restored: %v", err)
	}
}

// TestForget checks what may be forgotten about closed instances: nothing that could still open again.
func TestForget(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	keys := map[Key]bool{ // and whether it stays
		{Chain: "c", BusinessDate: "2026-11-22"}:                            true,
		{Chain: "c", BusinessDate: "2026-11-19"}:                            true,
		{Chain: "c", BusinessDate: "2026-11-18"}:                            false,
		{Chain: "r", BusinessDate: "2026-11-21", Cycle: "20261121T120000Z"}: true,
		{Chain: "r", BusinessDate: "2026-11-21", Cycle: "20261121T115959Z"}: false,
	}
	s, err := Restored(site, Restore{Closed: slices.Collect(maps.Keys(keys))})
	if err != nil {
		t.Fatal(err)
	}
	s.Forget(now.Add(-CatchUp))
	for k, stays := range keys {
		if s.closed[k] != stays {
			t.Errorf("%s stays: %v, want %v", k, s.closed[k], stays)
		}
	}
}

// TestAwaited checks for which sources a chain waits, and that a change of that is told once.
func TestAwaited(t *testing.T) {
	t.Parallel()
	p := newShell(t, worldNow)
	p.feed(Defined{Definition: parseDefinition(t, "w", []string{"  a = ha/a, watch", "  b = hb/b, drive, after a"})})
	turned := func(want ...string) {
		t.Helper()
		got := p.state.Turned()
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("turned: %v, want %v", got, want)
		}
	}
	see := func(source, name, token string, state job.State) {
		t.Helper()
		run, hash := p.merge(job.Observation{
			Run: job.RunKey{Source: source, Job: name, Native: "1"}, Attempt: 1, State: state, Started: job.At(worldNow), Token: token,
			Sighting: job.Sighting{Seen: worldNow},
		})
		p.feed(Observed{Run: run, Record: hash})
	}
	turned()
	see("ha", "a", "", job.Running)
	turned("ha")
	turned()
	see("ha", "a", "", job.Succeeded)
	turned("ha", "hb") // a has ended, b is about to be sent
	if p.state.Awaited("ha") || !p.state.Awaited("hb") {
		t.Error("b is waited for, a is not")
	}
	for token := range p.given {
		if k, i, ok := p.state.Place(token); !ok || k != worldKey || i != 1 {
			t.Errorf("the token was given to node %d of %s", i, k)
		}
		see("hb", "b", token, job.Succeeded)
	}
	turned("hb")
	if _, open := p.state.Instance(worldKey); open {
		t.Error("the instance is still open")
	}
}
