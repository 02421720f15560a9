package storetest

import (
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

func recoveryCases() []Case {
	return []Case{
		{"recovery/everything is there after a restart", afterRestart},
		{"recovery/open instances and closed keys", openAndClosed},
	}
}

func afterRestart(t T, o Opener) {
	l := open(t, o)
	for n := range 3 {
		l.commit(everything(t, n))
	}
	before := contents(l)
	l.close()
	l = open(t, o)
	if after := contents(l); after != before {
		t.Errorf("after the restart:\n got %s\nwant %s", after, before)
	}
	if last := l.commit(everything(t, 3)); last != 4 {
		t.Errorf("the next record got place %d, want 4", last)
	}
}

func openAndClosed(t T, o Opener) {
	l := open(t, o)
	const n = 12
	var live []chain.Instance
	var closed []chain.Key
	for i := range n {
		in := instance(i)
		in.Nodes[0].Run = new(told(t, running(i)))
		if i%3 > 0 {
			in.Closed = minute(100)
			if i >= 4 {
				closed = append(closed, in.Key)
			}
		} else {
			live = append(live, in)
		}
		l.commit(store.Batch{Instances: []chain.Instance{in}})
	}
	same(t, "open instances", must[[]chain.Instance](t)(l.OpenInstances(t.Context())), live)
	same(t, "closed keys", must[[]chain.Key](t)(l.ClosedKeys(t.Context(), minute(4))), closed)
	done := live[0]
	done.Closed, done.Nodes = minute(200), nil
	l.commit(store.Batch{Instances: []chain.Instance{done}})
	l.close()
	l = open(t, o)
	same(t, "open instances at last", must[[]chain.Instance](t)(l.OpenInstances(t.Context())), live[1:])
	same(t, "all closed keys", len(must[[]chain.Key](t)(l.ClosedKeys(t.Context(), minute(0)))), n-len(live)+1)
	same(t, "no closed keys", must[[]chain.Key](t)(l.ClosedKeys(t.Context(), minute(n))), []job.RunKey{})
}
