package pages

import (
	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/lineage"
)

type runView struct {
	Ref       string
	RefURL    string
	Native    string
	Key       string
	SourceURL string
	Source    string
	Chip      chip
	Blind     string // why its source cannot be seen
	Since     when
	Latest    job.Observation
	Attempt   int
	Cause     string
	Token     string
	Planned   momentView
	Started   momentView
	Ended     momentView
	Took      string
	Seen      when
	Offset    string
	Evidence  job.Hash
	EvURL     string
	Seens     []seenRow
	MoreSeen  bool
	Why       whyView
	Uses      []useRow
	Up        []upRow
	MoreUp    bool
	LogURL    string
	HasLog    bool
	CancelURL string // empty = it cannot be stopped from here
}

// momentView is a time as the source told it.
type momentView struct {
	when
	Inferred bool
	Text     string
	Zone     string
}

// seenRow is one observation.
type seenRow struct {
	Seq        int64
	Seen       when
	Chip       chip
	Native     string
	Confidence string
	Told       when // what the source's clock said
	Offset     string
	Hash       job.Hash
	URL        string
	Detail     string
	Attempt    int
}

// useRow is an instance of a chain in which the run counts.
type useRow struct {
	Name    string
	URL     string
	Node    string
	Stage   chain.Stage
	Verdict string // of a watched handoff
	Reason  string
	Receipt string
}

// whyView says why the run started.
type whyView struct {
	Sentence string
	Origin   string
	Receipt  *receiptView
	Faults   []string
}

// upRow is one run upstream, indented by how far it is away.
type upRow struct {
	Depth    int
	Node     string
	Value    string
	On       chain.On
	Ref      string
	Native   string
	URL      string
	Chip     chip
	Sentence string
	Evidence job.Hash
	EvURL    string
	Seen     when
	Receipt  string // address of the receipt that released it
	Again    bool
	More     bool
	Faults   []string
}

func (p *Pages) run(c echo.Context, f *frame) (any, error) {
	k, err := runParam(c)
	if err != nil {
		return nil, err
	}
	step, err := lineage.Why(c.Request().Context(), p.store, k, lineage.Limits{Depth: 10, Runs: 60, Observations: 200})
	if err != nil {
		return nil, err
	}
	v := p.runView(step)
	able := p.engine.Abilities(k.Source)
	v.HasLog, v.LogURL = able.Log, runURL(k)+"/log"
	if able.Cancel && !step.Run.Terminal() {
		v.CancelURL = runURL(k) + "/cancel"
	}
	for _, o := range step.Observations {
		v.Seens = append(v.Seens, p.seenRow(&o))
	}
	v.MoreSeen = step.MoreObservations
	v.Why = p.whyView(step)
	v.Up = p.upRows(step, 0)
	uses, err := lineage.Uses(c.Request().Context(), p.store, &step.Run)
	if err != nil {
		return nil, err
	}
	v.Uses = useRows(uses)
	f.Title, f.Section, f.Refresh = k.Ref().String(), "runs", 30
	f.Live = []string{"run:" + k.String(), "source:" + k.Source}
	f.Announce = v.Ref + ": " + v.Chip.Word
	f.Flash = flashDone(c, "cancel", "The source was asked to stop the run; what becomes of it shows here.")
	return v, nil
}

func (p *Pages) runView(s *lineage.Step) runView {
	r := &s.Run
	blind := blindOf(p.engine.Sources())
	v := runView{
		Ref: r.Key.Ref().String(), RefURL: runsURL(r.Key.Ref()), Native: r.Key.Native, Key: r.Key.String(), Source: r.Key.Source,
		SourceURL: sourceURL(r.Key.Source), Chip: p.runChip(r, blind), Latest: r.Latest, Attempt: r.Latest.Attempt,
		Cause: causeText(r.Cause), Token: r.Token, Planned: p.moment(r.Planned), Started: p.moment(r.Started),
		Ended: p.moment(r.Latest.Ended), Took: took(r), Seen: p.when(r.Latest.Sighting.Seen), Evidence: r.Evidence, EvURL: recordURL(r.Evidence),
	}
	if b, ok := blind[r.Key.Source]; ok && !r.Terminal() {
		v.Blind, v.Since = b.Error, p.when(b.Since)
	}
	if ms := r.Latest.Sighting.OffsetMS; ms != nil {
		v.Offset = offsetText(millis(*ms))
	}
	return v
}

func (p *Pages) moment(m job.Moment) momentView {
	return momentView{when: p.when(m.At), Inferred: m.Inferred, Text: m.Text, Zone: m.Zone}
}

func (p *Pages) seenRow(o *lineage.Observation) seenRow {
	row := seenRow{
		Seq: o.Seq, Seen: p.when(o.Said.Sighting.Seen), Native: o.Said.NativeState, Confidence: words(o.Said.Confidence),
		Chip: chip{Shape: string(o.Said.State), Word: string(o.Said.State), Note: runNote(&o.Said)}, Hash: o.Hash, URL: recordURL(o.Hash),
		Detail: o.Said.Detail, Attempt: o.Said.Attempt, Told: p.when(told(&o.Said)),
	}
	if ms := o.Said.Sighting.OffsetMS; ms != nil {
		row.Offset = offsetText(millis(*ms))
	}
	return row
}

func useRows(uses []lineage.Use) []useRow {
	var out []useRow
	for _, u := range uses {
		row := useRow{Name: instanceName(u.Key), URL: instanceURL(u.Key), Node: u.Node, Stage: u.Stage}
		if u.Judged != nil {
			row.Verdict, row.Reason, row.Receipt = words(u.Judged.Receipt.Verdict), u.Judged.Receipt.Reason, receiptURL(u.Judged.Hash)
		}
		out = append(out, row)
	}
	return out
}

func (p *Pages) whyView(s *lineage.Step) whyView {
	w := whyView{Sentence: s.Sentence, Origin: string(s.Origin), Faults: s.Faults}
	if s.Release != nil {
		r := p.receiptView(s.Release.Place, &s.Release.Receipt)
		r.Send, r.SendNote, r.SentAt = words(s.Release.Intent.State), s.Release.Intent.Note, p.when(s.Release.Intent.Updated)
		w.Receipt = &r
	}
	return w
}

// upRows flattens what is upstream into rows, nearest first below each run.
func (p *Pages) upRows(s *lineage.Step, depth int) []upRow {
	var out []upRow
	for i := range s.Inputs {
		in := &s.Inputs[i]
		row := upRow{
			Depth: min(depth, maxIndent), Node: in.Node, Value: words(in.Value), On: in.On, Again: in.Again, More: in.More,
			Evidence: in.Input.Evidence, Seen: p.when(in.Seen), Chip: chip{Shape: string(in.State), Word: string(in.State)},
		}
		if in.Settled != "" {
			row.Sentence = words(in.Settled) + " by a person's decision or a window, not by a run"
		}
		if !in.Run.IsZero() {
			row.Ref, row.Native, row.URL = in.Run.Ref().String(), in.Run.Native, runURL(in.Run)
		}
		if !in.Input.Evidence.IsZero() {
			row.EvURL = recordURL(in.Input.Evidence)
		}
		if in.Step != nil {
			row.Sentence, row.Faults = in.Step.Sentence, in.Step.Faults
			if in.Step.Release != nil {
				row.Receipt = receiptURL(in.Step.Release.Hash)
			}
		}
		out = append(out, row)
		if in.Step != nil {
			out = append(out, p.upRows(in.Step, depth+1)...)
		}
	}
	return out
}

// maxIndent is how far rows are moved to the right at most.
const maxIndent = 6
