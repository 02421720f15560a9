package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/adaptertest/memory"
	"signalbox/adapters/job"
)

// printer is a sink that prints what it takes.
type printer struct{ listed chan struct{} }

func (printer) Take(_ context.Context, source string, b adapters.Batch) error {
	for _, o := range b.Observations {
		fmt.Println(o.Run, o.State, o.NativeState)
	}
	fmt.Println(source, "is read up to", string(b.Next))
	return nil
}

func (p printer) TakeListing(_ context.Context, _ string, l adapters.Listing) error {
	fmt.Println("its jobs:", l.Jobs)
	close(p.listed)
	return nil
}

func (printer) TakeContact(_ context.Context, source string, c adapters.Contact) error {
	fmt.Println(source, "blind:", c.Blind)
	return nil
}

func exampleSource(opt adapters.SourceOptions) (*memory.Peer, *adapters.Source, error) {
	peer := memory.NewPeer(memory.Options{Zone: time.UTC, Jobs: []string{"GLEXTR"}, Dedupes: true})
	a := memory.New(peer, memory.Config{
		Source: opt.Name, Start: adapters.StartDeduplicated, Kind: adapters.EventSource, Log: slog.New(slog.DiscardHandler),
	})
	src, err := adapters.NewSource(a, opt)
	return peer, src, err
}

// A Source polls its peer and delivers what is new, until its context ends.
func ExampleSource_Run() {
	peer, src, err := exampleSource(adapters.SourceOptions{Name: "mvs"})
	if err != nil {
		fmt.Println(err)
		return
	}
	peer.Set(peer.StartNative("GLEXTR", memory.WordActive), memory.WordDone, "0")

	ctx, cancel := context.WithCancel(context.Background())
	sink := printer{listed: make(chan struct{})}
	go func() {
		<-sink.listed
		cancel()
	}()
	fmt.Println(src.Run(ctx, nil, sink), src.Close())
	// Output:
	// mvs blind: false
	// mvs/GLEXTR#1 queued READY
	// mvs/GLEXTR#1 running ACTIVE
	// mvs/GLEXTR#1 succeeded DONE
	// mvs is read up to 3
	// its jobs: [mvs/GLEXTR]
	// <nil> <nil>
}

// The error of a start says whether anything may have happened.
func ExampleSource_Start() {
	peer, src, err := exampleSource(adapters.SourceOptions{Name: "mvs"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	req := adapters.StartRequest{Token: "sb-01", Job: "GLEXTR"}
	peer.Break(memory.DroppedAfterEffect)
	_, err = src.Start(ctx, req)
	fmt.Printf("%v; effect %q\n", err, adapters.EffectOf(err))
	peer.Break(memory.Sound)

	fmt.Println(src.Properties().Start)
	_, err = src.Start(ctx, req) // this peer de-duplicates by our token: send again
	fmt.Println(err, peer.StartsOf(req.Token))
	// Output:
	// start mvs: connection cut; effect ""
	// deduplicated
	// <nil> 1
}

// Poll outside the loop is what a probe uses: it delivers and keeps nothing.
func ExampleSource_Poll() {
	peer, src, err := exampleSource(adapters.SourceOptions{Name: "mvs", ReadOnly: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	peer.StartNative("GLEXTR", "ACTIVE")
	b, err := src.Poll(context.Background(), nil)
	fmt.Println(len(b.Observations), b.Observations[1].State, err)
	fmt.Println(src.Cancel(context.Background(), job.RunKey{Source: "mvs", Job: "GLEXTR", Native: "1"}))
	// Output:
	// 2 running <nil>
	// cancel mvs/GLEXTR#1: the source is read-only
}

func ExampleSource_Abilities() {
	_, src, err := exampleSource(adapters.SourceOptions{Name: "mvs"})
	if err != nil {
		fmt.Println(err)
		return
	}
	can := src.Abilities()
	fmt.Println("start:", can.Start, "hold:", can.Hold)
	err = src.Hold(context.Background(), "GLEXTR")
	fmt.Println(adapters.KindOf(err), err)
	// Output:
	// start: true hold: false
	// unsupported hold GLEXTR: the adapter cannot do this
}

func ExampleKindOf() {
	err := fmt.Errorf("reading the spool: %w", adapters.Errorf(adapters.Denied, "log in", "web1", "host key changed"))
	fmt.Println(adapters.KindOf(err))
	fmt.Println(adapters.KindOf(errors.New("connection reset"))) // what nobody sorted is worth another try
	// Output:
	// denied
	// unavailable
}
