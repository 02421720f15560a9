package memory

import (
	"encoding/json"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// translate makes an observation of a line that tells a run.
func (a *Adapter) translate(l Answer) (job.Observation, error) {
	raw, err := json.Marshal(l)
	if err != nil {
		return job.Observation{}, adapters.Errorf(adapters.Malformed, "poll", a.cfg.Source, "%w", err)
	}
	o := job.Observation{
		Run: a.key(l), Attempt: l.Attempt, NativeState: l.Word, Seq: int64(l.N), Token: l.Token,
		Confidence: job.Confirmed, Sighting: job.Sighting{Payload: job.Sum(raw)},
	}
	o.State, o.Reason = stateOf(l.Word)
	if l.Code != "" {
		o.End = job.End{Kind: job.ExitCode, Code: l.Code}
	}
	if l.Token != "" {
		o.Cause = job.CauseBridge
	}
	if o.At, err = a.moment(l.At); err != nil {
		return job.Observation{}, err
	}
	if o.Started, err = a.moment(l.Started); err != nil {
		return job.Observation{}, err
	}
	if o.Terminal() { // before the end an end time is at most an estimate
		if o.Ended, err = a.moment(l.Ended); err != nil {
			return job.Observation{}, err
		}
	}
	return o, nil
}

func stateOf(word string) (job.State, job.Reason) {
	switch word {
	case WordReady:
		return job.Queued, job.None
	case WordActive:
		return job.Running, job.None
	case WordHeld:
		return job.Held, job.UserHold
	case WordDone:
		return job.Succeeded, job.None
	case WordError:
		return job.Failed, job.None
	case WordKilled:
		return job.Cancelled, job.Killed
	}
	return job.Unknown, job.NativeUnknown
}

func (a *Adapter) moment(text string) (job.Moment, error) {
	if text == "" {
		return job.Moment{}, nil
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return job.Moment{}, adapters.Errorf(adapters.Malformed, "poll", a.cfg.Source, "%w", err)
	}
	return job.Moment{At: t.UTC(), Text: text, Zone: a.cfg.Zone}, nil
}
