package chain

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// records gives one of each record kind, with every field filled, and once with as little as there may be.
func records() []struct {
	name, kind string
	value      any
} {
	at := time.Date(2026, 11, 22, 4, 7, 0, 123_000_000, time.UTC)
	offset := int64(-420_000)
	key := Key{BusinessDate: "2026-11-22", Chain: "close", Cycle: "20261122T041000Z"}
	ref := job.Ref{Job: "GL <extract> & load", Source: "hosta"}
	run := job.RunKey{Epoch: "2026-11-22T04:00:00Z", Job: ref.Job, Native: "r1", Source: "hosta"}
	hash := job.Sum([]byte("evidence"))
	node := Node{
		After: []Dependency{{Node: "extract", On: OnAny}}, GiveUpAfter: 7200, GiveUpAt: "05:45", Job: ref, Name: "load",
		NotBefore: "03:00", Stage: Drive,
	}
	return []struct {
		name, kind string
		value      any
	}{
		{"definition", KindDefinition, &Definition{
			Chain: "close", DayCut: "18:00", KeepOpen: 259200, Repeat: "extract", Service: "Financial close", Timezone: "America/New_York",
			Nodes: []Node{{Job: ref, Name: "extract", Stage: Watch}, node},
		}},
		{"definition, least", KindDefinition, &Definition{
			Chain: "close", DayCut: "00:00", KeepOpen: 1, Timezone: "UTC", Nodes: []Node{{Job: ref, Name: "extract", Stage: Rehearse}},
		}},
		{"receipt", KindReceipt, &Receipt{
			Attempt: 2, Cause: Cause{Record: hash}, DecidedAt: at, Instance: key, Job: &ref, Node: "load", NotBefore: at.Add(-time.Hour),
			Reason: "all it depends on is met", Stage: Drive, Token: "sb-k3sxu3", Verdict: Released, Version: hash,
			Inputs: []Input{{
				Attempt: 1, Evidence: hash, Node: "extract", OffsetMS: &offset, On: OnSuccess, Run: run, Seen: at, State: job.Succeeded, Value: Met,
			}, {Node: "rates", On: OnSuccess, Settled: SettledSkipped, Value: Met}},
		}},
		{"receipt, least", KindReceipt, &Receipt{
			Cause: Cause{Clock: true}, DecidedAt: at, Instance: Key{BusinessDate: "2026-11-22", Chain: "close"}, Reason: "every job is done",
			Verdict: Closed,
		}},
		{"command", KindCommand, &Command{Actor: "ops", At: at, Instance: key, Node: "load", Reason: "the bank – called\u2028twice", Verb: Force}},
		{"effect", KindEffect, &Effect{At: at, Note: "started as 17", Run: run, Send: SendConfirmed, Token: "sb-k3sxu3"}},
		{"effect, least", KindEffect, &Effect{At: at, Send: SendSent, Token: "sb-k3sxu3"}},
		{"contact", KindContact, &Contact{At: at, Blind: true, Error: "connection refused", Kind: "unavailable", Since: at, Source: "hosta"}},
		{"contact, least", KindContact, &Contact{At: at, Source: "hosta"}},
		{"activation", KindActivation, &Activation{At: at, Chain: "close", Version: hash}},
		{"site", KindSite, &Site{Created: at, Name: "K5QZ2"}},
		{"retirement", KindRetirement, &Retirement{At: at, Chain: "close"}},
	}
}

// TestRecords holds the encoding of every record kind to testdata/records.txt. A difference here means that
// what was recorded before can no longer be computed again: then the kind needs a new version instead.
func TestRecords(t *testing.T) {
	t.Parallel()
	const golden = "testdata/records.txt"
	want, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	var got strings.Builder
	got.WriteString("# Canonical bytes and hash of one record of each kind. They must not change under one version.\n")
	for _, r := range records() {
		rec, err := job.Seal(r.kind, r.value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "\n%s\n%s %s\n%s\n", r.name, rec.Kind, rec.Hash, rec.Body)
		back := reflect.New(reflect.TypeOf(r.value).Elem())
		if err := rec.Open(r.kind, back.Interface()); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if again, err := job.Seal(r.kind, back.Interface()); err != nil || string(again.Body) != string(rec.Body) {
			t.Errorf("%s: read back and written again it is %s, want %s (%v)", r.name, again.Body, rec.Body, err)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(want) {
		t.Errorf("the encoding changed:\n%s", firstDifference(string(want), got.String()))
	}
}

// TestRecordKeys checks that the fields of everything that is recorded are declared in ascending order of
// their JSON keys, at every level, which is what makes the encoding canonical.
func TestRecordKeys(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	for _, r := range records() {
		ascending(t, reflect.TypeOf(r.value), seen)
	}
	for _, v := range []any{Instance{}, NodeState{}, Explanation{}, job.Run{}, job.Observation{}} { // stored or shown in the same way
		ascending(t, reflect.TypeOf(v), seen)
	}
	if len(seen) < 12 {
		t.Errorf("only %d structs were looked at", len(seen))
	}
}

func ascending(t *testing.T, typ reflect.Type, seen map[reflect.Type]bool) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() || seen[typ] {
		return
	}
	seen[typ] = true
	last := ""
	for f := range typ.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || f.Anonymous:
			t.Errorf("%s.%s: a record has exported, named fields only", typ, f.Name)
		case key == "" || key == "-" || key != strings.ToLower(key):
			t.Errorf("%s.%s: json key %q, want one in snake_case", typ, f.Name, key)
		case key <= last:
			t.Errorf("%s.%s: key %q stands behind %q", typ, f.Name, key, last)
		}
		last = key
		if f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Float64 || f.Type.Kind() == reflect.Interface {
			t.Errorf("%s.%s: a %s has no canonical encoding", typ, f.Name, f.Type.Kind())
		}
		ascending(t, f.Type, seen)
	}
}

// TestVersion checks that a definition's version depends on everything in it.
func TestVersion(t *testing.T) {
	t.Parallel()
	versions := map[job.Hash]string{}
	for _, change := range []func(*Definition){
		func(*Definition) {},
		func(d *Definition) { d.DayCut = "18:00" },
		func(d *Definition) { d.Nodes[0].Stage = Rehearse },
		func(d *Definition) { d.Nodes[0].NotBefore = "03:00" },
		func(d *Definition) { d.KeepOpen++ },
		func(d *Definition) { d.Service = "Close" },
	} {
		d := Definition{Chain: "close", DayCut: "00:00", KeepOpen: 1, Timezone: "UTC", Nodes: []Node{{Name: "a", Stage: Watch}}}
		change(&d)
		rec, err := d.Seal()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(d)
		if other, twice := versions[rec.Hash]; twice {
			t.Errorf("%s and %s have one version", other, text)
		}
		versions[rec.Hash] = string(text)
	}
}
