package api

import (
	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/lineage"
)

// JobOf gives a job as the API tells it.
func JobOf(j job.Job) Job { return jobOf(j) }

// RunOf gives a run as the API tells it.
func RunOf(r job.Run) Run { return runOf(r) }

// ChainOf gives a chain as the API tells it.
func ChainOf(d chain.Definition, version job.Hash) Chain { return chainOf(d, version) }

// InstanceOf gives an instance as the API tells it; def and why may be nil.
func InstanceOf(in chain.Instance, def *chain.Definition, why []chain.Explanation) Instance {
	return instanceOf(in, def, why)
}

// StepOf gives an answer of lineage as the API tells it.
func StepOf(s *lineage.Step) *Step { return stepOf(s) }
