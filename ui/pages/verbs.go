package pages

import (
	"signalbox/adapters/job"
	"signalbox/federation/chain"
)

// verbsFor gives the commands that can make a difference to a node as it stands. The engine has the
// last word: its rules are these, and it says why it refuses.
func verbsFor(n *chain.NodeState, stage chain.Stage) []verbChoice {
	var out []verbChoice
	for _, v := range allVerbs() {
		if makesSense(v.Verb, n, stage) {
			out = append(out, v)
		}
	}
	return out
}

func makesSense(v chain.Verb, n *chain.NodeState, stage chain.Stage) bool {
	ours := stage == chain.Drive // else its start is not our business
	switch v {
	case chain.Hold:
		return ours && isUntouched(n) && !n.Held
	case chain.Unhold:
		return n.Held
	case chain.Rerun:
		return ours && mayBeOver(n)
	case chain.Force:
		return ours && mayBeSettled(n)
	case chain.Skip, chain.MarkOK:
		return !isSettled(n) && (mayBeSettled(n) || n.Send == chain.SendPending)
	}
	return false
}

func isUntouched(n *chain.NodeState) bool { return n.Run == nil && n.Settled == "" && n.Send == "" }

// mayBeSettled tells whether a person may decide how a node ends, or that it goes ahead.
func mayBeSettled(n *chain.NodeState) bool {
	return (isUntouched(n) || mayBeOver(n)) && !isGood(n)
}

// isGood tells whether a node's run ended well: a rerun is all that is left.
func isGood(n *chain.NodeState) bool { return n.Settled == "" && n.Run != nil && n.Run.State().Good() }

// isSettled tells whether a node was settled for good.
func isSettled(n *chain.NodeState) bool { return n.Settled != "" && n.Settled != chain.SettledGaveUp }

// mayBeOver tells whether nothing more will come of a node by itself, or nobody can say whether it will.
func mayBeOver(n *chain.NodeState) bool {
	if n.Run != nil {
		return n.Settled != "" || n.Run.Terminal() || n.Run.State() == job.Unknown
	}
	return n.Settled != "" || n.Send == chain.SendRefused || n.Send == chain.SendInDoubt
}

func allVerbs() []verbChoice {
	return []verbChoice{
		{Verb: chain.Hold, Label: "Hold", About: "Do not release it until unheld."},
		{Verb: chain.Unhold, Label: "Unhold", About: "Let it go when its dependencies are met."},
		{Verb: chain.Rerun, Label: "Rerun", About: "Release it again with a new token.", Sharp: true},
		{Verb: chain.Force, Label: "Force", About: "Release it now, although its dependencies or its window say no.", Sharp: true},
		{Verb: chain.MarkOK, Label: "Mark OK", About: "Declare it good; what waits for it goes on.", Sharp: true},
		{Verb: chain.Skip, Label: "Skip", About: "Pass over it once; what waits for it goes on.", Sharp: true},
	}
}
