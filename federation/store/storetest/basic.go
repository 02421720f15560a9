package storetest

import (
	"fmt"
	"slices"

	"signalbox/adapters/job"
	"signalbox/federation/store"
)

func basicCases() []Case {
	return []Case{
		{"basic/an empty ledger is empty", emptyLedger},
		{"basic/records come back as they were, in order", recordsComeBack},
		{"basic/records are found by place, subject and hash", recordsAreFound},
		{"basic/an equal record is stored once and takes no place", equalRecordOnce},
		{"basic/bytes that do not match their hash are refused", wrongHash},
		{"basic/records are never altered", recordsStay},
		{"basic/a large batch is one batch", largeBatch},
		{"basic/a closed ledger says so", closedLedger},
	}
}

func emptyLedger(t T, o Opener) {
	l := open(t, o)
	same(t, "last", must[int64](t)(l.Last(t.Context())), 0)
	same(t, "records", must[[]store.Entry](t)(l.After(t.Context(), 0, 10)), []int{})
	same(t, "runs", must[[]job.Run](t)(l.Runs(t.Context(), store.RunFilter{})), []int{})
	same(t, "commit of nothing", l.commit(store.Batch{}), 0)
	for what, err := range map[string]error{
		"record":     second(l.ByHash(t.Context(), job.Sum(nil))),
		"run":        second(l.Run(t.Context(), running(1).Run)),
		"instance":   second(l.Instance(t.Context(), day(1))),
		"definition": second(l.Definition(t.Context(), job.Sum(nil))),
	} {
		notFound(t, what, err)
	}
}

// story gives the records of n runs, two each.
func story(t T, n int) []store.Entry {
	t.Helper()
	var out []store.Entry
	for i := range n {
		a, b := running(i), ended(i)
		out = append(out, entry(t, &a), entry(t, &b))
	}
	return out
}

// numbered gives entries the places that they must have got.
func numbered(all []store.Entry) []store.Entry {
	out := slices.Clone(all)
	for i := range out {
		out[i].Seq = int64(i + 1)
	}
	return out
}

func recordsComeBack(t T, o Opener) {
	l := open(t, o)
	all := story(t, 10)
	if last := l.commit(store.Batch{Records: all[:7]}); last != 7 {
		t.Errorf("commit gave %d as the last place, want 7", last)
	}
	l.commit(store.Batch{Records: all[7:8]})
	l.commit(store.Batch{Records: all[8:]})
	same(t, "records", must[[]store.Entry](t)(l.After(t.Context(), 0, 100)), numbered(all))
	same(t, "last", must[int64](t)(l.Last(t.Context())), 20)
	same(t, "last by an empty commit", l.commit(store.Batch{}), 20)
	for _, e := range must[[]store.Entry](t)(l.After(t.Context(), 0, 100)) {
		var seen job.Observation
		if err := e.Open(job.KindObservation, &seen); err != nil {
			t.Errorf("record %d: %v", e.Seq, err)
		}
	}
}

func recordsAreFound(t T, o Opener) {
	l := open(t, o)
	all := numbered(story(t, 10))
	l.commit(store.Batch{Records: all})
	same(t, "after 5, 3 of them", must[[]store.Entry](t)(l.After(t.Context(), 5, 3)), all[5:8])
	same(t, "after the last", must[[]store.Entry](t)(l.After(t.Context(), 20, 3)), []int{})
	same(t, "about a run", must[[]store.Entry](t)(l.About(t.Context(), all[4].Subject, 0, 10)), all[4:6])
	same(t, "about a run, the first", must[[]store.Entry](t)(l.About(t.Context(), all[4].Subject, 0, 1)), all[4:5])
	same(t, "about a run, behind the first", must[[]store.Entry](t)(l.About(t.Context(), all[4].Subject, 5, 10)), all[5:6])
	same(t, "about nothing", must[[]store.Entry](t)(l.About(t.Context(), "run:none", 0, 10)), []int{})
	for i := range all {
		same(t, "by hash", must[store.Entry](t)(l.ByHash(t.Context(), all[i].Hash)), all[i])
	}
}

func equalRecordOnce(t T, o Opener) {
	l := open(t, o)
	all := story(t, 3)
	l.commit(store.Batch{Records: []store.Entry{all[0], all[1], all[0]}})
	again := all[1]
	again.At = minute(99) // resent later
	if last := l.commit(store.Batch{Records: []store.Entry{again, all[2], again, all[3]}}); last != 4 {
		t.Errorf("commit gave %d as the last place, want 4", last)
	}
	same(t, "records", must[[]store.Entry](t)(l.After(t.Context(), 0, 100)), numbered(all[:4]))
}

func wrongHash(t T, o Opener) {
	l := open(t, o)
	all := story(t, 1)
	bent := all[1]
	bent.Body = append(slices.Clone(bent.Body), ' ')
	if _, err := l.try(store.Batch{Records: []store.Entry{all[0], bent}}); err == nil {
		t.Errorf("a record was taken although its bytes do not match its hash")
	}
	same(t, "last", must[int64](t)(l.Last(t.Context())), 0)
}

func recordsStay(t T, o Opener) {
	l := open(t, o)
	all := numbered(story(t, 5))
	l.commit(store.Batch{Records: all})
	for n := range 5 {
		l.commit(store.Batch{Runs: []job.Run{told(t, running(n), ended(n))}, Records: all[n : n+1]})
	}
	same(t, "records", must[[]store.Entry](t)(l.After(t.Context(), 0, 100)), all)
}

func largeBatch(t T, o Opener) {
	l := open(t, o)
	const n = 1003 // no multiple of anything
	all := story(t, n)
	runs := make([]job.Run, n)
	for i := range runs {
		runs[i] = told(t, running(i), ended(i))
	}
	if last := l.commit(store.Batch{Records: all, Runs: runs}); last != 2*n {
		t.Errorf("commit gave %d as the last place, want %d", last, 2*n)
	}
	same(t, "records", must[[]store.Entry](t)(l.After(t.Context(), 0, 3*n)), numbered(all))
	for i := range runs {
		same(t, fmt.Sprint("run ", i), must[job.Run](t)(l.Run(t.Context(), runs[i].Key)), runs[i])
	}
}

func closedLedger(t T, o Opener) {
	l := open(t, o)
	l.commit(store.Batch{Records: story(t, 1)})
	l.close()
	l.close() // twice is allowed
	if _, err := l.try(store.Batch{}); err == nil {
		t.Errorf("a closed ledger took a commit")
	}
	if _, err := l.Last(t.Context()); err == nil {
		t.Errorf("a closed ledger answered")
	}
}
