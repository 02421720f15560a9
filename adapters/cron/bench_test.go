package cron_test

import (
	"fmt"
	"testing"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/test/peer"
)

// BenchmarkPoll measures a poll that finds nothing new, and BenchmarkStart a start until the host has
// claimed the token, both over a real SSH server.
func BenchmarkPoll(b *testing.B) {
	a := benchAdapter(b)
	first, err := a.Poll(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Poll(b.Context(), first.Next); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is described at BenchmarkPoll.
func BenchmarkStart(b *testing.B) {
	a := benchAdapter(b)
	n := 0
	for b.Loop() {
		n++
		if _, err := a.Start(b.Context(), adapters.StartRequest{Token: fmt.Sprintf("bench-%d-%d", b.N, n), Job: "a"}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchAdapter(b *testing.B) *cron.Adapter {
	b.Helper()
	h := peer.Start(b, peer.Options{})
	h.SetCrontab(b, "# Name: a\n@daily true\n")
	a, err := cron.New(cron.Options{Source: "etl", Host: "127.0.0.1", Port: h.Port, User: h.User, KeyFile: h.KeyFile, KnownHosts: h.KnownHosts})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close() })
	if _, err := a.Deploy(b.Context(), false); err != nil {
		b.Fatal(err)
	}
	return a
}
