package federation

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"signalbox/federation/chain"
)

// timers is a queue of what is due when. The zero value is empty. It is not safe for concurrent use.
type timers struct{ queue timerQueue }

// idle is how long the committer sleeps at most. A clock that was set forward, or a machine that slept,
// is noticed after this.
const idle = 15 * time.Second

func (t *timers) add(timer chain.Timer) { heap.Push(&t.queue, timer) }

// due takes out everything due at now, in order.
func (t *timers) due(now time.Time) []chain.Timer {
	var out []chain.Timer
	for len(t.queue) > 0 && !t.queue[0].At.After(now) {
		out = append(out, heap.Pop(&t.queue).(chain.Timer)) // the queue holds nothing else
	}
	return out
}

// prune drops every timer that is not to be kept.
func (t *timers) prune(keep func(chain.Timer) bool) {
	t.queue = slices.DeleteFunc(t.queue, func(timer chain.Timer) bool { return !keep(timer) })
	heap.Init(&t.queue)
}

// wait says how long to sleep until the next one.
func (t *timers) wait(now time.Time) time.Duration {
	if len(t.queue) == 0 {
		return idle
	}
	return min(idle, max(0, t.queue[0].At.Sub(now)))
}

type timerQueue []chain.Timer

func (q timerQueue) Len() int { return len(q) }
func (q timerQueue) Less(i, j int) bool {
	a, b := &q[i], &q[j]
	if c := a.At.Compare(b.At); c != 0 {
		return c < 0
	}
	return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Key.Chain, b.Key.Chain),
		cmp.Compare(a.Key.BusinessDate, b.Key.BusinessDate), cmp.Compare(a.Key.Cycle, b.Key.Cycle), cmp.Compare(a.Node, b.Node)) < 0
}
func (q timerQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *timerQueue) Push(x any) { *q = append(*q, x.(chain.Timer)) }

// Pop implements heap.Interface.
func (q *timerQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
