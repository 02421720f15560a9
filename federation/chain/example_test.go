package chain_test

import (
	"fmt"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// An engine feeds Decide what it sees, keeps what comes out, and carries out the intents.
func ExampleDecide() {
	def := chain.Definition{
		Chain: "close", DayCut: "00:00", KeepOpen: 72 * 3600, Timezone: "UTC",
		Nodes: []chain.Node{
			{Name: "extract", Job: job.Ref{Source: "hosta", Job: "extract"}, Stage: chain.Watch},
			{
				Name: "load", Job: job.Ref{Source: "hostb", Job: "load"}, Stage: chain.Drive,
				After: []chain.Dependency{{Node: "extract", On: chain.OnSuccess}},
			},
		},
	}
	now := time.Date(2026, 11, 22, 4, 7, 0, 0, time.UTC)
	end := job.Observation{
		Run: job.RunKey{Source: "hosta", Job: "extract", Native: "r1"}, Attempt: 1, State: job.Succeeded,
		Started: job.At(now.Add(-7 * time.Minute)), Ended: job.At(now), Sighting: job.Sighting{Seen: now},
	}
	evidence, err := end.Seal()
	if err != nil {
		fmt.Println(err)
		return
	}
	run, _ := job.Merge(job.Run{}, &end, evidence.Hash)

	state := chain.NewState("the name of this installation")
	for _, event := range []chain.Event{chain.Defined{Definition: def}, chain.Observed{Run: run, Record: evidence.Hash}} {
		outcome, err := chain.Decide(state, event, now)
		if err == nil {
			err = state.Apply(&outcome)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range outcome.Receipts {
			fmt.Println(r.Instance, r.Node, r.Verdict+":", r.Reason)
		}
		for _, in := range outcome.Intents {
			fmt.Println("start", in.Job)
		}
	}
	// Output:
	// close:2026-11-22  opened: business date 2026-11-22 began
	// close:2026-11-22 load released: all it depends on is met
	// start hostb/load
}
