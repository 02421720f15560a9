package lineage

import (
	"context"
	"errors"
	"fmt"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

const (
	defaultDepth        = 20
	defaultRuns         = 200
	defaultObservations = 100
	pageSize            = 500
)

// Why goes from a run back to every observation and decision that led to it. A run that is not stored
// gives store.ErrNotFound. What is missing further back, or was altered, does not end the answer: it
// is named in the Faults of the step that needed it.
func Why(ctx context.Context, r Reader, k job.RunKey, limits Limits) (*Step, error) {
	t := tracer{r: r, limits: limits.filled(), seen: map[job.RunKey]bool{k: true}}
	root, err := t.step(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("why %s: %w", k, err)
	}
	// Nearest first: with the limits used up, what is left out is what is furthest away.
	for level, depth := []*Step{root}, 1; len(level) > 0; depth++ {
		var next []*Step
		for _, s := range level {
			up, err := t.upstream(ctx, s, depth)
			if err != nil {
				return nil, fmt.Errorf("why %s: %w", k, err)
			}
			next = append(next, up...)
		}
		level = next
	}
	return root, nil
}

func (l Limits) filled() Limits {
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	if l.Runs <= 0 {
		l.Runs = defaultRuns
	}
	if l.Observations <= 0 {
		l.Observations = defaultObservations
	}
	return l
}

// tracer is one answer under way.
type tracer struct {
	r      Reader
	limits Limits
	seen   map[job.RunKey]bool
}

// step reads one run, without what is upstream.
func (t *tracer) step(ctx context.Context, k job.RunKey) (*Step, error) {
	run, err := t.r.Run(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", k, err)
	}
	s := &Step{Run: run}
	if err := t.observations(ctx, s); err != nil {
		return nil, err
	}
	if err := t.release(ctx, s); err != nil {
		return nil, err
	}
	s.Origin, s.Sentence = origin(s)
	return s, nil
}

// observations reads what was seen of a run: the latest, if there are more than the limit.
func (t *tracer) observations(ctx context.Context, s *Step) error {
	var seq int64
	for {
		entries, err := t.r.About(ctx, store.RunSubject(s.Run.Key), seq, pageSize)
		if err != nil {
			return fmt.Errorf("observations of %s: %w", s.Run.Key, err)
		}
		for _, e := range entries {
			seq = e.Seq
			if e.Kind != job.KindObservation {
				continue
			}
			o, err := observation(e)
			if err != nil {
				s.Faults = append(s.Faults, err.Error())
				continue
			}
			s.Observations = append(s.Observations, *o)
		}
		if over := len(s.Observations) - t.limits.Observations; over > 0 {
			s.Observations, s.MoreObservations = append([]Observation(nil), s.Observations[over:]...), true
		}
		if len(entries) < pageSize {
			return nil
		}
	}
}

// release finds the decision that started a run, by the token that the run carries, or by the start
// that was answered with this run.
func (t *tracer) release(ctx context.Context, s *Step) error {
	filter := store.IntentFilter{Token: s.Run.Token}
	if s.Run.Token == "" {
		filter = store.IntentFilter{Run: s.Run.Key}
	}
	intents, err := t.r.Intents(ctx, filter)
	if err != nil {
		return fmt.Errorf("starts of %s: %w", s.Run.Key, err)
	}
	if len(intents) == 0 {
		if s.Run.Token != "" {
			s.Faults = append(s.Faults, "the run carries token "+s.Run.Token+", of which no start is stored: another installation may have started it")
		}
		return nil
	}
	return t.receipt(ctx, s, intents[len(intents)-1])
}

func (t *tracer) receipt(ctx context.Context, s *Step, in store.Intent) error {
	s.ours = true
	rel := &Release{Intent: in}
	entry, fault, err := t.record(ctx, in.Receipt, chain.KindReceipt, &rel.Receipt)
	if err != nil || fault != "" {
		s.fault("the receipt of the release", fault)
		return err
	}
	rel.Place = placeOf(entry)
	s.Release = rel
	def, err := t.r.Definition(ctx, rel.Receipt.Version)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.fault("the definition", "version "+rel.Receipt.Version.Short()+" is not stored")
		return nil
	case err != nil:
		return fmt.Errorf("definition %s: %w", rel.Receipt.Version.Short(), err)
	}
	s.Definition = &Definition{Version: rel.Receipt.Version, Definition: def}
	return nil
}

// upstream fills the inputs of a step and gives the new steps among them.
func (t *tracer) upstream(ctx context.Context, s *Step, depth int) ([]*Step, error) {
	if s.Release == nil {
		return nil, nil
	}
	var next []*Step
	for _, in := range s.Release.Receipt.Inputs {
		got := Input{Input: in}
		if err := t.evidence(ctx, s, &got); err != nil {
			return nil, err
		}
		if err := t.input(ctx, s, &got, depth); err != nil {
			return nil, err
		}
		if got.Step != nil {
			next = append(next, got.Step)
		}
		s.Inputs = append(s.Inputs, got)
	}
	return next, nil
}

// input follows one dependency to its run, within the limits.
func (t *tracer) input(ctx context.Context, s *Step, in *Input, depth int) error {
	switch {
	case in.Run.IsZero():
		return nil
	case t.seen[in.Run]:
		in.Again = true
		return nil
	case depth > t.limits.Depth || len(t.seen) >= t.limits.Runs:
		in.More = true
		return nil
	}
	t.seen[in.Run] = true
	up, err := t.step(ctx, in.Run)
	if errors.Is(err, store.ErrNotFound) {
		s.fault("the upstream run "+in.Run.String(), "it is not stored")
		return nil
	}
	in.Step = up
	return err
}

// evidence reads the very record that the decision saw.
func (t *tracer) evidence(ctx context.Context, s *Step, in *Input) error {
	if in.Input.Evidence.IsZero() {
		return nil
	}
	var o job.Observation
	entry, fault, err := t.record(ctx, in.Input.Evidence, job.KindObservation, &o)
	if err != nil {
		return err
	}
	if fault != "" {
		s.fault("the evidence for "+in.Node, fault)
		return nil
	}
	in.Evidence = &Observation{Place: placeOf(entry), Said: o}
	return nil
}

// record reads and decodes one record. fault says that it is not there or not what it should be.
func (t *tracer) record(ctx context.Context, h job.Hash, kind string, v any) (e store.Entry, fault string, err error) {
	e, err = t.r.ByHash(ctx, h)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e, "record " + h.Short() + " is not in the ledger", nil
	case err != nil:
		return e, "", fmt.Errorf("record %s: %w", h.Short(), err)
	case e.Hash != h:
		return e, "the ledger gave record " + e.Hash.Short() + " for " + h.Short(), nil
	}
	if err := e.Open(kind, v); err != nil {
		return e, err.Error(), nil //nolint:nilerr // an altered record is part of the answer
	}
	return e, "", nil
}

func (s *Step) fault(what, why string) {
	if why != "" {
		s.Faults = append(s.Faults, what+": "+why)
	}
}

func observation(e store.Entry) (*Observation, error) {
	o := Observation{Place: placeOf(e)}
	if err := e.Open(job.KindObservation, &o.Said); err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	return &o, nil
}

func placeOf(e store.Entry) Place { return Place{Seq: e.Seq, At: e.At, Hash: e.Hash} }

// origin says who started the run, and puts it into a sentence.
func origin(s *Step) (Origin, string) {
	switch {
	case s.Release != nil:
		r := s.Release.Receipt
		return BySignalbox, "started by Signalbox for " + r.Node + " of " + r.Instance.String() + ": " + r.Reason
	case s.ours:
		return BySignalbox, "started by Signalbox, but the receipt cannot be read"
	case s.Run.Token != "":
		return BySignalbox, "started with a token of Signalbox of which this ledger holds no release"
	}
	switch s.Run.Cause {
	case job.CauseSchedule:
		return BySchedule, "started by the native schedule of " + s.Run.Key.Source
	case job.CauseManual:
		return ByPerson, "started by a person or a program at " + s.Run.Key.Source
	case job.CauseBridge:
		return ByUnknown, s.Run.Key.Source + " says that Signalbox started it; this ledger holds no such start"
	case job.CauseUnknown:
	}
	return ByUnknown, s.Run.Key.Source + " does not tell who started it; this Signalbox did not"
}
