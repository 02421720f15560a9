package pages

import (
	"time"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// since is when a node came into the state that it shows, as far as that is known; zero if not.
func since(n *chain.NodeState) time.Time {
	switch {
	case n.Settled != "":
		return n.SettledAt
	case n.Run != nil:
		o := &n.Run.Latest
		if o.Terminal() && !o.Ended.IsZero() {
			return o.Ended.At
		}
		if !o.Terminal() && !n.Run.Started.IsZero() {
			return n.Run.Started.At
		}
		return store.Activity(n.Run)
	}
	return n.Released
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// told is the source's own time of what an observation says; zero if it did not tell one.
func told(o *job.Observation) time.Time {
	switch {
	case !o.At.IsZero():
		return o.At.At
	case o.Terminal() && !o.Ended.IsZero():
		return o.Ended.At
	}
	return o.Started.At
}
