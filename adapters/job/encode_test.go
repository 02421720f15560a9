package job_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"signalbox/adapters/job"
)

// TestEncoderAgrees: the encoder for observations writes what the general one writes.
func TestEncoderAgrees(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 5))
	all := []job.Observation{{}, full()}
	for range 2000 {
		o := random(r)
		if r.IntN(3) == 0 {
			o = full()
		}
		for _, text := range []*string{
			&o.Detail, &o.NativeState, &o.Token, &o.Run.Job, &o.Run.Native, &o.Run.Epoch, &o.At.Text, &o.End.Code, &o.BusinessDate,
		} {
			if r.IntN(3) == 0 {
				*text = ugly(r)
			}
		}
		for range r.IntN(3) {
			o.Outputs = append(o.Outputs, job.Output{Name: ugly(r), Type: "string", Value: ugly(r)})
		}
		o.Started.At = o.Started.At.Add(time.Duration(r.Int64N(1e9))).In(time.FixedZone("", r.IntN(20)*1800-18000))
		all = append(all, o)
	}
	for i := range all {
		want, err := job.Seal(job.KindObservation, &all[i])
		if err != nil {
			t.Fatal(err)
		}
		got, err := all[i].Seal()
		if err != nil || got.Hash != want.Hash || !bytes.Equal(got.Body, want.Body) {
			t.Fatalf("seed %d: %v\n%s\nwant\n%s", seed, err, got.Body, want.Body)
		}
		all[i].Sighting = job.Sighting{}
		want, err = job.Seal(job.KindObservation, &all[i])
		if err != nil || all[i].Fingerprint() != want.Hash {
			t.Fatalf("seed %d: fingerprint of %s: %v", seed, want.Body, err)
		}
	}
}

// TestEncoderRefuses: what the general encoder cannot write is an error here too.
func TestEncoderRefuses(t *testing.T) {
	t.Parallel()
	o := full()
	o.Ended.At = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := o.Seal(); err == nil {
		t.Error("a year of five digits was written")
	}
	if !o.Fingerprint().IsZero() {
		t.Error("what cannot be written has a fingerprint")
	}
}

func BenchmarkFingerprint(b *testing.B) {
	o := full()
	o.Detail = ""
	for b.Loop() {
		o.Fingerprint()
	}
}
