package sqlite

import (
	"context"

	"signalbox/federation/chain"
	"signalbox/federation/store"
)

const intentColumns = `SELECT token, chain, business_date, cycle, node, attempt, source, job, state,
	run_source, run_job, run_native, run_epoch, note, receipt, created, updated FROM intent `

// Intents implements [store.View].
func (r *Reader) Intents(ctx context.Context, f store.IntentFilter) ([]store.Intent, error) {
	return list(ctx, r, "read intents", scanIntent, intentQuery(&f))
}

func intentQuery(f *store.IntentFilter) *query {
	q := ask(intentColumns + "WHERE true")
	if unfinished(f.States) {
		q.and("state IN ('pending', 'sent')") // the words of the partial index: restart costs what is open
	}
	if len(f.States) > 0 {
		in(q, "+state", f.States)
	}
	if f.Token != "" {
		q.and("token = ?", f.Token)
	}
	if k := f.Key; k != (chain.Key{}) {
		q.and("chain = ? AND business_date = ? AND cycle = ?", k.Chain, k.BusinessDate, k.Cycle)
	}
	if k := f.Run; !k.IsZero() {
		q.and("run_native <> '' AND run_source = ? AND run_native = ? AND run_job = ? AND run_epoch = ?", k.Source, k.Native, k.Job, k.Epoch)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	q.add(" ORDER BY id LIMIT ?", limit)
	return q
}

// unfinished tells whether only intents are asked for that may still be sent.
func unfinished(states []chain.Send) bool {
	for _, s := range states {
		if s != chain.SendPending && s != chain.SendSent {
			return false
		}
	}
	return len(states) > 0
}

func scanIntent(row scanner) (in store.Intent, err error) {
	var created, updated int64
	var receipt []byte
	err = row.Scan(&in.Token, &in.Key.Chain, &in.Key.BusinessDate, &in.Key.Cycle, &in.Node, &in.Attempt,
		&in.Job.Source, &in.Job.Job, &in.State, &in.Run.Source, &in.Run.Job, &in.Run.Native, &in.Run.Epoch,
		&in.Note, &receipt, &created, &updated)
	if err != nil {
		return in, err
	}
	in.Created, in.Updated = moment(created), moment(updated)
	in.Receipt, err = hashOf(receipt)
	return in, err
}

const sqlEdges = `SELECT down_token, up_source, up_native, up_job, up_epoch, up_attempt, evidence, receipt
	FROM edge WHERE down_token = ?`

// Edges implements [store.Recovery].
func (r *Reader) Edges(ctx context.Context, token string) ([]store.Edge, error) {
	return list(ctx, r, "read edges of "+token, scanEdge, ask(sqlEdges, token))
}

func scanEdge(row scanner) (e store.Edge, err error) {
	var evidence, receipt []byte
	err = row.Scan(&e.DownToken, &e.Up.Source, &e.Up.Native, &e.Up.Job, &e.Up.Epoch, &e.UpAttempt, &evidence, &receipt)
	if err != nil {
		return e, err
	}
	if e.Evidence, err = hashOf(evidence); err != nil {
		return e, err
	}
	e.Receipt, err = hashOf(receipt)
	return e, err
}
