package job_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"signalbox/adapters/job"
)

// full is an observation with every field filled.
func full() job.Observation {
	releases, offset := true, int64(-421_007)
	moment := func(s int, text string) job.Moment {
		return job.Moment{At: base.Add(time.Duration(s)*time.Second + 120*time.Millisecond), Inferred: true, Text: text, Zone: "Europe/Berlin"}
	}
	return job.Observation{
		At: moment(60, "30.03.2025 03:01:00,12"), Attempt: 2, BusinessDate: "2025-03-29", Cause: job.CauseBridge,
		Confidence: job.Confirmed, Detail: "<a> & \"b\"\n\u2028 ü", End: job.End{Code: "S0C7", Kind: job.Abend},
		Ended: moment(60, "03:01"), NativeState: "ABENDED", Outputs: []job.Output{{Name: "records", Type: "int", Value: "12"}},
		Over: true, Planned: moment(0, "03:00"), Reason: job.SystemError, Releases: &releases, Result: job.ResultError,
		Run: job.RunKey{Epoch: "2025-03-30T01:00:00Z", Job: "GL EXTR", Native: "JOB00042", Source: "mvs"}, Seq: 17,
		Sighting: job.Sighting{Node: "n1", OffsetMS: &offset, Payload: job.Sum([]byte("raw")), Seen: base},
		Started:  moment(1, "03:00:01"), State: job.Failed, Token: "sb-1",
	}
}

// TestFrozenEncoding: the bytes and the hash of version 1 never change. If this test fails, the change
// needs a new version of the kind, not a new golden file.
func TestFrozenEncoding(t *testing.T) {
	t.Parallel()
	o := full()
	r := seal(t, &o)
	want, err := os.ReadFile("testdata/observation-1.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Kind + "\n" + r.Hash.String() + "\n" + string(r.Body) + "\n"; got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if err := filled(reflect.ValueOf(o), "Observation"); err != "" {
		t.Errorf("the golden observation leaves %s empty: it freezes less than everything", err)
	}
}

// filled names the first field that is zero.
func filled(v reflect.Value, path string) string {
	switch {
	case v.IsZero():
		return path
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			if empty := filled(v.Field(i), path+"."+v.Type().Field(i).Name); empty != "" {
				return empty
			}
		}
	case v.Kind() == reflect.Slice && v.Len() > 0:
		return filled(v.Index(0), path+"[0]")
	}
	return ""
}

// TestKeysAscend: the JSON keys of every struct reachable from an observation are declared in
// ascending order, which is what makes the encoding canonical.
func TestKeysAscend(t *testing.T) {
	t.Parallel()
	checked := make(map[reflect.Type]bool)
	var check func(reflect.Type)
	check = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			check(typ.Elem())
			return
		case reflect.Map, reflect.Interface, reflect.Float32, reflect.Float64, reflect.Chan, reflect.Func:
			t.Errorf("%s in a record: its encoding is not canonical", typ)
			return
		}
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() || checked[typ] {
			return
		}
		checked[typ] = true
		last := ""
		for f := range typ.Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if key == "" || key == "-" || f.Anonymous || !f.IsExported() {
				t.Errorf("%s.%s has no JSON key of its own", typ, f.Name)
			}
			if key <= last {
				t.Errorf("%s: key %q is declared behind %q", typ, key, last)
			}
			last = key
			check(f.Type)
		}
	}
	check(reflect.TypeFor[job.Observation]())
	check(reflect.TypeFor[job.Run]())
	for _, typ := range []reflect.Type{reflect.TypeFor[job.RunKey](), reflect.TypeFor[job.Sighting](), reflect.TypeFor[job.Output]()} {
		if !checked[typ] {
			t.Errorf("%s was not reached: the test looks at too little", typ)
		}
	}
}

// TestSealOpen: what was sealed opens to the same and seals to the same bytes, also when texts were not
// UTF-8.
func TestSealOpen(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	for range 500 {
		o := random(r)
		o.Detail = ugly(r)
		o.NativeState = ugly(r)
		one := seal(t, &o)
		if !json.Valid(one.Body) || !utf8.Valid(one.Body) || bytes.ContainsAny(one.Body, "\n\t") {
			t.Fatalf("seed %d: not canonical: %q", seed, one.Body)
		}
		var back job.Observation
		if err := one.Open(job.KindObservation, &back); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if two := seal(t, &back); !bytes.Equal(one.Body, two.Body) || one.Hash != two.Hash {
			t.Fatalf("seed %d: sealed again it differs:\n%s\n%s", seed, one.Body, two.Body)
		}
		if back.Fingerprint() != o.Fingerprint() {
			t.Fatalf("seed %d: another fingerprint after opening", seed)
		}
	}
}

func ugly(r *rand.Rand) string {
	pieces := []string{"a", `\`, `"`, "\xff", "\uFFFD", `\ufffd`, "\u2028", "<", "&", "\x00", "\x1b", "\n", "ü", "\xc3", "𝄞", "\x7f"}
	var text strings.Builder
	for range r.IntN(6) {
		text.WriteString(pieces[r.IntN(len(pieces))])
	}
	return text.String()
}

// TestFingerprint: who saw it and when does not matter; everything else does.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	o := full()
	other := full()
	other.Sighting = job.Sighting{Seen: base.Add(time.Hour)}
	if o.Fingerprint() != other.Fingerprint() {
		t.Errorf("another sighting of one fact has another fingerprint")
	}
	if seal(t, &o).Hash == seal(t, &other).Hash {
		t.Errorf("two sightings have one record")
	}
	typ := reflect.TypeFor[job.Observation]()
	for i := range typ.NumField() {
		if typ.Field(i).Name == "Sighting" {
			continue
		}
		changed := full()
		reflect.ValueOf(&changed).Elem().Field(i).SetZero()
		if changed.Fingerprint() == o.Fingerprint() {
			t.Errorf("the fingerprint does not depend on %s", typ.Field(i).Name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	o := full()
	good := seal(t, &o)
	remade := func(body string) job.Record {
		return job.Record{Kind: good.Kind, Body: []byte(body), Hash: job.HashOf(good.Kind, []byte(body))}
	}
	altered := good
	altered.Body = bytes.Replace(good.Body, []byte("failed"), []byte("warned"), 1)
	for name, tc := range map[string]struct {
		record job.Record
		kind   string
		text   string
	}{
		"another kind": {good, "receipt/1", `kind "observation/1", want "receipt/1"`},
		"altered":      {altered, good.Kind, "do not match the hash"},
		"unknown key":  {remade(`{"attempt":1,"zeal":2}`), good.Kind, "unknown field"},
		"more text":    {remade(string(good.Body) + " {}"), good.Kind, "text behind the record"},
		"not JSON":     {remade(`attempt`), good.Kind, "invalid character"},
	} {
		var back job.Observation
		if err := tc.record.Open(tc.kind, &back); err == nil || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %v, want %q", name, err, tc.text)
		}
	}
	if _, err := job.Seal("bad/1", struct{ F func() }{}); err == nil {
		t.Errorf("sealing what JSON cannot encode gave no error")
	}
}

func TestHashText(t *testing.T) {
	t.Parallel()
	h := job.Sum([]byte("x"))
	text, err := h.MarshalText()
	if err != nil || len(text) != 64 || !strings.HasPrefix(string(text), h.Short()) {
		t.Errorf("%s, %v", text, err)
	}
	var back job.Hash
	if err := back.UnmarshalText(text); err != nil || back != h {
		t.Errorf("%s, %v", back, err)
	}
	if err := back.UnmarshalText(nil); err != nil || !back.IsZero() || back.String() != "" || back.Short() != "" {
		t.Errorf("the empty text: %s, %v", back, err)
	}
	for _, bad := range []string{"ab", strings.Repeat("g", 64)} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q gave no error", bad)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	o := full()
	b.ReportAllocs()
	for b.Loop() {
		seal(b, &o)
	}
}
