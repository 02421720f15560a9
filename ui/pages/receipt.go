package pages

import (
	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/lineage"
	"signalbox/ui/fault"
)

// receiptView is a receipt, readable.
type receiptView struct {
	Seq        int64
	At         when
	Hash       job.Hash
	URL        string
	Instance   string
	InstURL    string
	Node       string
	Attempt    int
	Verdict    string
	Reason     string
	Decided    when
	Job        string
	JobURL     string
	Stage      chain.Stage
	Token      string
	NotBefore  when
	Version    job.Hash
	VersionURL string
	Clock      bool
	Cause      job.Hash
	CauseURL   string
	Inputs     []inputRow
	Send       string
	SendNote   string
	SentAt     when
	Sealed     sealed
}

// sealed is a record's canonical bytes.
type sealed struct {
	Kind    string
	Body    string
	Subject string
	Hash    job.Hash
	Matches bool // the bytes have that hash
}

func sealedOf(e store.Entry) sealed {
	return sealed{Kind: e.Kind, Body: string(e.Body), Subject: e.Subject, Hash: e.Hash, Matches: job.HashOf(e.Kind, e.Body) == e.Hash}
}

func (p *Pages) receiptView(at lineage.Place, r *chain.Receipt) receiptView {
	v := receiptView{
		Seq: at.Seq, At: p.when(at.At), Hash: at.Hash, URL: receiptURL(at.Hash), Instance: instanceName(r.Instance), InstURL: instanceURL(r.Instance),
		Node: r.Node, Attempt: r.Attempt, Verdict: words(r.Verdict), Reason: r.Reason, Decided: p.when(r.DecidedAt), Stage: r.Stage,
		Token: r.Token, NotBefore: p.when(r.NotBefore), Version: r.Version, VersionURL: recordURL(r.Version), Clock: r.Cause.Clock,
		Cause: r.Cause.Record, Inputs: p.inputRows(r.Inputs),
	}
	if r.Job != nil {
		v.Job, v.JobURL = r.Job.String(), runsURL(*r.Job)
	}
	if !r.Cause.Record.IsZero() {
		v.CauseURL = recordURL(r.Cause.Record)
	}
	return v
}

func (p *Pages) entry(c echo.Context) (store.Entry, error) {
	h, err := hashParam(c)
	if err != nil {
		return store.Entry{}, err
	}
	return p.store.ByHash(c.Request().Context(), h)
}

func (p *Pages) receipt(c echo.Context, f *frame) (any, error) {
	e, err := p.entry(c)
	if err != nil {
		return nil, err
	}
	if e.Kind != chain.KindReceipt {
		return nil, fault.NotFound("receipt %s: the record of this hash is of kind %s", e.Hash.Short(), e.Kind).WithFix("Open it at /records/" + e.Hash.String())
	}
	var r chain.Receipt
	if err := e.Open(chain.KindReceipt, &r); err != nil {
		return nil, err
	}
	v := p.receiptView(lineage.Place{Seq: e.Seq, At: e.At, Hash: e.Hash}, &r)
	v.Sealed = sealedOf(e)
	f.Title, f.Section = "Receipt "+e.Hash.Short(), "chains"
	return v, nil
}

// recordView is any record.
type recordView struct {
	Seq    int64
	At     when
	Seen   *seenRow // it is an observation
	RunURL string
	Run    string
	Token  string
	About  string
	Link   string // of its subject
	Sealed sealed
}

func (p *Pages) record(c echo.Context, f *frame) (any, error) {
	e, err := p.entry(c)
	if err != nil {
		return nil, err
	}
	v := recordView{Seq: e.Seq, At: p.when(e.At), Sealed: sealedOf(e)}
	v.About, v.Link = subjectLink(e.Subject)
	if e.Kind == chain.KindReceipt {
		v.Link = receiptURL(e.Hash)
	}
	var o job.Observation
	if err := e.Open(job.KindObservation, &o); err == nil {
		row := p.seenRow(&lineage.Observation{Place: lineage.Place{Seq: e.Seq, At: e.At, Hash: e.Hash}, Said: o})
		v.Seen, v.Run, v.RunURL, v.Token = &row, o.Run.String(), runURL(o.Run), o.Token
	}
	f.Title, f.Section = "Record "+e.Hash.Short(), ""
	return v, nil
}
