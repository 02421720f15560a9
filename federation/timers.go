package federation

import (
	"cmp"
	"container/heap"
	"time"

	"signalbox/federation/chain"
)

// timers is a queue of what is due when. The zero value is empty. It is not safe for concurrent use.
type timers struct{ queue timerQueue }

// idle is how long the committer sleeps when nothing is due; any positive time would do.
const idle = time.Hour

func (t *timers) add(timer chain.Timer) { heap.Push(&t.queue, timer) }

// due takes out everything due at now, in order.
func (t *timers) due(now time.Time) []chain.Timer {
	var out []chain.Timer
	for len(t.queue) > 0 && !t.queue[0].At.After(now) {
		out = append(out, heap.Pop(&t.queue).(chain.Timer)) // the queue holds nothing else
	}
	return out
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
	a, b := q[i], q[j]
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key.String(), b.Key.String()), cmp.Compare(a.Node, b.Node)) < 0
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
