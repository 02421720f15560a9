package storetest

import (
	"errors"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

func projectionCases() []Case {
	return []Case{
		{"basic/a source is replaced as a whole", sourceReplaced},
		{"basic/a listing replaces all jobs of its source", listingReplaced},
		{"basic/a run is replaced, by its whole key", runReplaced},
		{"basic/definitions have one current version, and keep the others", definitionVersions},
		{"basic/an instance keeps its nodes unless they are given", instanceNodes},
		{"basic/one node is changed without the others", nodeChanged},
		{"basic/an intent is written, moved and found", intentMoved},
		{"basic/edges are kept once", edgesOnce},
	}
}

func second[V any](_ V, err error) error { return err }

func notFound(t T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s that is not there: %v, want %v", what, err, store.ErrNotFound)
	}
}

func sourceReplaced(t T, o Opener) {
	l := open(t, o)
	rich := store.Source{
		Name: "findb", Cursor: adapters.Cursor("42\x00\xff"), CursorAt: minute(1), ListedAt: minute(2),
		Contact: adapters.Contact{Blind: true, Since: minute(3), Kind: adapters.Denied, Error: "no", Fix: "yes"},
		Offset:  new(-7 * time.Minute),
		Properties: adapters.Properties{
			Peer: "cron (Debian)", Start: adapters.StartSearchable, Rights: []adapters.Right{{Name: "read", Granted: adapters.GrantYes}},
			Budget: adapters.Budget{CallTimeout: time.Second}, KnownGaps: []string{"a", "b"}, Confidence: job.Confirmed,
		},
		Problems: []adapters.Problem{{Where: "line 12", What: "minute 75", Fix: "60"}},
		Gaps:     []adapters.Gap{{What: "spool", Since: minute(4), Until: minute(5)}},
	}
	bare := store.Source{Name: "a"}
	l.commit(store.Batch{Sources: []store.Source{rich, bare}})
	got := must[[]store.Source](t)(l.Sources(t.Context()))
	same(t, "sources by name", got, []store.Source{bare, rich})
	if len(got) > 0 && got[0].Cursor != nil {
		t.Errorf("a source that was never read has cursor %q, want none", got[0].Cursor)
	}
	poor := store.Source{Name: "findb", Cursor: adapters.Cursor("43")}
	l.commit(store.Batch{Sources: []store.Source{rich, poor}})
	same(t, "sources after the change", must[[]store.Source](t)(l.Sources(t.Context())), []store.Source{bare, poor})
}

func listingReplaced(t T, o Opener) {
	l := open(t, o)
	one := func(source, name, title string) job.Job {
		return job.Job{Ref: job.Ref{Source: source, Job: name}, Title: title, Enabled: true, NextRun: job.At(minute(1))}
	}
	l.commit(store.Batch{Listings: []store.Listing{
		{Source: "b", Jobs: []job.Job{one("b", "x", "1"), one("b", "y/z", "1")}},
		{Source: "a", Jobs: []job.Job{one("a", "x", "1")}},
	}})
	l.commit(store.Batch{Listings: []store.Listing{{Source: "b", Jobs: []job.Job{one("b", "new", "1"), one("b", "x", "2")}}}})
	jobs := must[[]job.Job](t)(l.Jobs(t.Context(), store.JobFilter{}))
	same(t, "jobs", jobs, []job.Job{one("a", "x", "1"), one("b", "new", "1"), one("b", "x", "2")})
	l.commit(store.Batch{Listings: []store.Listing{{Source: "b"}}})
	same(t, "jobs at last", must[[]job.Job](t)(l.Jobs(t.Context(), store.JobFilter{})), jobs[:1])
	if _, err := l.try(store.Batch{Listings: []store.Listing{{Source: "b", Jobs: []job.Job{one("a", "x", "3")}}}}); err == nil {
		t.Errorf("a listing of b was taken with a job of a")
	}
}

func runReplaced(t T, o Opener) {
	l := open(t, o)
	first := told(t, running(1))
	l.commit(store.Batch{Runs: []job.Run{first}})
	same(t, "run", must[job.Run](t)(l.Run(t.Context(), first.Key)), first)
	later := told(t, running(1), ended(1))
	again := ended(1)
	again.Run.Epoch = "2026-11-23T00:00:00Z" // the native id came round again
	other := told(t, again)
	l.commit(store.Batch{Runs: []job.Run{first, later, other}})
	same(t, "run at its end", must[job.Run](t)(l.Run(t.Context(), first.Key)), later)
	same(t, "run of another epoch", must[job.Run](t)(l.Run(t.Context(), other.Key)), other)
	same(t, "number of runs", len(must[[]job.Run](t)(l.Runs(t.Context(), store.RunFilter{}))), 2)
}

func definitionVersions(t T, o Opener) {
	l := open(t, o)
	a := chain.Definition{Chain: "close", Timezone: "UTC", Nodes: []chain.Node{{Name: "n", Stage: chain.Watch}}}
	b := a
	b.Service = "Financial close"
	other := chain.Definition{Chain: "another"}
	check := func(want ...chain.Definition) {
		t.Helper()
		same(t, "current definitions", must[[]chain.Definition](t)(l.Definitions(t.Context())), want)
	}
	l.commit(store.Batch{Definitions: []chain.Definition{a, other}})
	check(other, a)
	l.commit(store.Batch{Definitions: []chain.Definition{b}})
	check(other, b)
	l.commit(store.Batch{Definitions: []chain.Definition{a}}) // taken back
	check(other, a)
	l.commit(store.Batch{Retired: []string{"close"}})
	check(other)
	for _, d := range []chain.Definition{a, b, other} {
		r, err := d.Seal()
		if err != nil {
			t.Fatalf("seal: %v", err)
		}
		same(t, "version of "+d.Chain, must[chain.Definition](t)(l.Definition(t.Context(), r.Hash)), d)
	}
}

func instanceNodes(t T, o Opener) {
	l := open(t, o)
	in := instance(1)
	in.Nodes[0].Run = new(told(t, running(1)))
	l.commit(store.Batch{Instances: []chain.Instance{in, instance(2)}})
	same(t, "instance", must[chain.Instance](t)(l.Instance(t.Context(), in.Key)), in)
	head := in
	head.Nodes, head.Closed = nil, minute(9)
	l.commit(store.Batch{Instances: []chain.Instance{head}})
	in.Closed = head.Closed
	same(t, "closed instance", must[chain.Instance](t)(l.Instance(t.Context(), in.Key)), in)
	in.Nodes = in.Nodes[1:]
	l.commit(store.Batch{Instances: []chain.Instance{in}})
	same(t, "instance of fewer nodes", must[chain.Instance](t)(l.Instance(t.Context(), in.Key)), in)
	same(t, "the other instance", must[chain.Instance](t)(l.Instance(t.Context(), day(2))), instance(2))
}

func nodeChanged(t T, o Opener) {
	l := open(t, o)
	in := instance(1)
	state := func(n int) chain.NodeState { return chain.NodeState{Name: "load", Attempt: n, Send: chain.SendPending} }
	l.commit(store.Batch{Instances: []chain.Instance{in, instance(2)}, Nodes: []store.NodeChange{{Key: in.Key, Index: 1, State: state(2)}}})
	in.Nodes[1] = state(2)
	same(t, "instance", must[chain.Instance](t)(l.Instance(t.Context(), in.Key)), in)
	l.commit(store.Batch{Nodes: []store.NodeChange{{Key: in.Key, Index: 1, State: state(3)}, {Key: in.Key, Index: 1, State: state(4)}}})
	in.Nodes[1] = state(4)
	same(t, "instance after two changes in a batch", must[chain.Instance](t)(l.Instance(t.Context(), in.Key)), in)
	same(t, "the other instance", must[chain.Instance](t)(l.Instance(t.Context(), day(2))), instance(2))
	l.refuse(store.ErrNotFound, store.Batch{Nodes: []store.NodeChange{{Key: day(3), State: state(1)}}})
	l.refuse(store.ErrNotFound, store.Batch{Nodes: []store.NodeChange{{Key: in.Key, Index: 2, State: state(1)}}})
}

func intentMoved(t T, o Opener) {
	l := open(t, o)
	want := intent(1)
	l.commit(store.Batch{Intents: []store.Intent{want}, Moves: []store.Move{claim(1)}})
	get := func() store.Intent {
		t.Helper()
		found := must[[]store.Intent](t)(l.Intents(t.Context(), store.IntentFilter{Token: want.Token}))
		if len(found) != 1 {
			t.Fatalf("%d intents, want 1", len(found))
		}
		return found[0]
	}
	want.State = chain.SendSent
	same(t, "claimed", get(), want)
	l.commit(store.Batch{Moves: []store.Move{{
		Token: want.Token, From: chain.SendSent, To: chain.SendInDoubt, Run: running(1).Run, Note: "no answer", At: minute(2),
	}}})
	want.State, want.Run, want.Note, want.Updated = chain.SendInDoubt, running(1).Run, "no answer", minute(2)
	same(t, "in doubt", get(), want)
	l.commit(store.Batch{Moves: []store.Move{{Token: want.Token, From: chain.SendInDoubt, To: chain.SendConfirmed, At: minute(3)}}})
	want.State, want.Updated = chain.SendConfirmed, minute(3)
	same(t, "confirmed, with run and note as they were", get(), want)
	l.refuse(store.ErrConflict, store.Batch{Moves: []store.Move{claim(1)}})
	l.refuse(store.ErrNotFound, store.Batch{Moves: []store.Move{claim(2)}})
	sameToken, samePlace := intent(2), intent(1)
	sameToken.Token, samePlace.Token = want.Token, "another"
	l.refuse(store.ErrConflict, store.Batch{Intents: []store.Intent{sameToken}})
	l.refuse(store.ErrConflict, store.Batch{Intents: []store.Intent{samePlace}})
	rerun := samePlace
	rerun.Attempt = 2
	l.commit(store.Batch{Intents: []store.Intent{rerun}})
	same(t, "confirmed, at last", get(), want)
}

func edgesOnce(t T, o Opener) {
	l := open(t, o)
	edge := func(n int) store.Edge {
		return store.Edge{DownToken: "t", Up: running(n).Run, UpAttempt: 1, Evidence: job.Sum([]byte{1}), Receipt: job.Sum([]byte{2})}
	}
	l.commit(store.Batch{Edges: []store.Edge{edge(1), edge(2), edge(1)}})
	other := edge(3)
	other.DownToken = "u"
	l.commit(store.Batch{Edges: []store.Edge{edge(2), other}})
	same(t, "edges", must[[]store.Edge](t)(l.Edges(t.Context(), "t")), []store.Edge{edge(1), edge(2)})
	same(t, "edges of another", must[[]store.Edge](t)(l.Edges(t.Context(), "u")), []store.Edge{other})
	same(t, "edges of none", must[[]store.Edge](t)(l.Edges(t.Context(), "v")), []int{})
}
