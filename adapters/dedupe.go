package adapters

import "signalbox/adapters/job"

// smallestMemory is how many runs are remembered at least.
const smallestMemory = 4096

// memory remembers the last observation delivered of each run, so that a source whose polls repeat
// the present state causes no writes while nothing changes. It keeps two generations: what was not
// touched for one whole generation is forgotten, which costs one write more and nothing else. A
// generation holds the largest batch seen.
type memory struct {
	young, old map[job.RunKey]job.Hash
	limit      int
}

func newMemory() *memory {
	return &memory{young: map[job.RunKey]job.Hash{}, limit: smallestMemory}
}

// fresh gives the observations that say something new, in their order, and what to remember once they
// are durable.
func (m *memory) fresh(all []job.Observation) (news []job.Observation, after map[job.RunKey]job.Hash) {
	m.limit = max(m.limit, len(all))
	for i := range all {
		o := &all[i]
		sum := o.Fingerprint()
		last, known := after[o.Run]
		if !known {
			last, known = m.recall(o.Run)
		}
		if known && last == sum {
			continue
		}
		if after == nil {
			after = make(map[job.RunKey]job.Hash)
		}
		after[o.Run] = sum
		news = append(news, *o)
	}
	return news, after
}

// remember keeps what was delivered.
func (m *memory) remember(delivered map[job.RunKey]job.Hash) {
	for k, sum := range delivered {
		m.keep(k, sum)
	}
}

func (m *memory) recall(k job.RunKey) (job.Hash, bool) {
	if sum, ok := m.young[k]; ok {
		return sum, true
	}
	sum, ok := m.old[k]
	if ok {
		m.keep(k, sum)
	}
	return sum, ok
}

func (m *memory) keep(k job.RunKey, sum job.Hash) {
	if _, ok := m.young[k]; !ok && len(m.young) >= m.limit {
		m.young, m.old = make(map[job.RunKey]job.Hash), m.young
	}
	m.young[k] = sum
}
