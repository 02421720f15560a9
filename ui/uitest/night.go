package uitest

import (
	"fmt"
	"strings"
	"time"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// seen is one observation in short.
type seen struct {
	state     job.State
	ago       float64 // minutes, of the sighting
	began     float64 // minutes ago; 0 = not told
	ended     float64
	end       job.End
	reason    job.Reason
	over      bool
	native    string
	detail    string
	token     string
	cause     job.Cause
	offsetMS  int64
	weak      bool
	outputs   []job.Output
	withPlans bool
}

// run records observations of one run and gives its projection, with the hash of the last record.
func (r *richSite) run(k job.RunKey, all ...seen) (job.Run, job.Hash) {
	var last job.Hash
	for i, s := range all {
		o := job.Observation{
			Run: k, Attempt: 1, State: s.state, Reason: s.reason, Over: s.over, NativeState: s.native, Detail: s.detail, End: s.end,
			Token: s.token, Cause: s.cause, Confidence: job.Confirmed, Outputs: s.outputs, Seq: int64(i) + 1,
			Sighting: job.Sighting{Node: "box-1", Seen: at(s.ago), OffsetMS: &s.offsetMS, Payload: job.Sum([]byte(fmt.Sprint(k, i)))},
		}
		if s.weak {
			o.Confidence, o.Seq = job.Logged, 0
		}
		if s.began > 0 {
			o.Started = job.At(at(s.began))
		}
		if s.withPlans {
			o.Planned = job.At(at(s.began).Truncate(time.Minute))
		}
		if s.ended > 0 {
			o.Ended = job.At(at(s.ended))
		}
		last = r.Store.Observe(o)
	}
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	return r.Store.runs[k], last
}

// receipt appends a receipt and gives its hash.
func (r *richSite) receipt(c chain.Receipt, ago float64) job.Hash {
	c.DecidedAt, c.Version = at(ago), r.versions[c.Instance.Chain]
	if c.Cause.Record.IsZero() {
		c.Cause.Clock = true
	}
	rec, err := job.Seal(chain.KindReceipt, c)
	return r.Store.Append(at(ago), store.InstanceSubject(c.Instance), rec, err)
}

func (r *richSite) open(k chain.Key, ago float64) chain.Instance {
	r.receipt(chain.Receipt{Instance: k, Verdict: chain.Opened, Reason: "business date " + k.BusinessDate + " began"}, ago)
	return chain.Instance{Key: k, Opened: at(ago), Version: r.versions[k.Chain]}
}

func input(node string, run job.Run, h job.Hash, v chain.Value) chain.Input {
	return chain.Input{
		Node: node, On: chain.OnSuccess, Run: run.Key, Attempt: 1, Evidence: h, Seen: run.Latest.Sighting.Seen,
		OffsetMS: run.Latest.Sighting.OffsetMS, State: run.State(), Value: v,
	}
}

// close is the chain that matters: load runs, rates ended with an outcome that nobody knows, so marts
// waits.
func (r *richSite) close() {
	k := chain.Key{Chain: "financial-close", BusinessDate: date}
	in := r.open(k, 625)
	extract, proof := r.run(
		job.RunKey{Source: "finhost", Job: "gl-extract", Native: "20261125T073000Z-4711"},
		seen{state: job.Running, ago: 115.4, began: 115.5, native: "begin", cause: job.CauseSchedule, offsetMS: 180, withPlans: true},
		seen{
			state: job.Succeeded, ago: 62.2, began: 115.5, ended: 62.3, end: job.End{Kind: job.ExitCode, Code: "0"}, native: "end 0", offsetMS: 181,
			cause: job.CauseSchedule, withPlans: true, outputs: []job.Output{{Name: "records", Type: "int", Value: "1284551"}},
		},
	)
	token := "sb-k3v9x2-7fj0qm4a"
	ref := job.Ref{Source: "finhost", Job: "gl-load"}
	rel := r.receipt(chain.Receipt{
		Instance: k, Node: "load", Attempt: 1, Stage: chain.Drive, Job: &ref, Verdict: chain.Released, Token: token, Cause: chain.Cause{Record: proof},
		Inputs: []chain.Input{input("extract", extract, proof, chain.Met)}, Reason: "extract succeeded",
	}, 62.19)
	loadKey := job.RunKey{Source: "finhost", Job: "gl-load", Native: "20261125T082320Z-5190"}
	load, _ := r.run(
		loadKey,
		seen{state: job.Running, ago: 62.1, began: 62.15, native: "begin", token: token, cause: job.CauseBridge, offsetMS: 179, detail: "pid 5190"},
	)
	r.Store.PutIntent(store.Intent{
		Token: token, Key: k, Node: "load", Attempt: 1, Job: ref, State: chain.SendConfirmed, Run: loadKey, Receipt: rel,
		Note: "started as pid 5190", Created: at(62.19), Updated: at(62.18),
	})
	rates, ratesProof := r.run(
		job.RunKey{Source: "ratesvr", Job: "fetch-rates", Native: "log:20261125T040000:881"},
		seen{state: job.Running, ago: 25.2, began: 25.5, native: "CMD", cause: job.CauseSchedule, offsetMS: 424000, weak: true},
		seen{
			state: job.Unknown, reason: job.OutcomeUnknown, over: true, ago: 24.8, began: 25.5, ended: 24.9, native: "CMDEND", weak: true,
			cause: job.CauseSchedule, offsetMS: 424000, detail: "the wrapper is not installed: cron's log tells that it ended, not how",
		},
	)
	waits := input("rates", rates, ratesProof, chain.Unclear)
	in.Nodes = []chain.NodeState{
		{Name: "extract", Attempt: 1, Run: &extract},
		{Name: "load", Attempt: 1, Run: &load, Send: chain.SendConfirmed, Token: token, Released: at(62.19)},
		{Name: "marts", Attempt: 1},
		{Name: "post", Attempt: 1},
		{Name: "rates", Attempt: 1, Run: &rates},
		{Name: "report", Attempt: 1, Held: true},
	}
	r.Store.Put(in)
	r.command(k, "report", chain.Hold, "the auditors look at the margin tables until 07:00", 48)
	r.Engine.Reasons[k] = []chain.Explanation{
		{Node: "extract", State: job.Succeeded, Value: chain.Met, Reason: "run 20261125T073000Z-4711 succeeded"},
		{Node: "load", State: job.Running, Value: chain.Met, Reason: "run 20261125T082320Z-5190 running", Inputs: []chain.Input{input("extract", extract, proof, chain.Met)}},
		{
			Node: "marts", State: job.Waiting, Value: chain.Unclear, NotBefore: now.Add(-85*time.Minute - 31*time.Second), GiveUpAt: now.Add(79*time.Minute + 29*time.Second),
			Reason: "waits for load (on success): running; rates (on success): its outcome is unknown, which never releases",
			Inputs: []chain.Input{{Node: "load", On: chain.OnSuccess, Run: load.Key, Attempt: 1, State: job.Running, Value: chain.NotMet, Seen: at(62.1)}, waits},
		},
		{Node: "post", State: job.Waiting, Value: chain.NotMet, Reason: "waits for marts (on success): waiting", Inputs: []chain.Input{{Node: "marts", On: chain.OnSuccess, State: job.Waiting, Value: chain.NotMet}}},
		{Node: "rates", State: job.Unknown, Value: chain.Met, Reason: "run log:20261125T040000:881 unknown (outcome unknown)"},
		{Node: "report", State: job.Held, Value: chain.NotMet, Reason: "held by a person", Inputs: []chain.Input{{Node: "marts", On: chain.OnAny, State: job.Waiting, Value: chain.NotMet}}},
	}
	r.Engine.Logs[loadKey] = federation.RunLog{Truncated: true, Text: logText()}
}

func logText() string {
	var s strings.Builder
	for i := range 40 {
		fmt.Fprintf(&s, "03:%02d:%02d INFO  gl_load: ledger GL batch %d of 212: %d rows\n", 24+i, (i*7)%60, 100+i, 6000+i*37)
	}
	return s.String() + "04:24:58 WARN  gl_load: batch 141 took 8.2 s <slow & steady>\n"
}

func (r *richSite) command(k chain.Key, node string, verb chain.Verb, reason string, ago float64) {
	c := chain.Command{Actor: "token/anna", At: at(ago), Instance: k, Node: node, Verb: verb, Reason: reason}
	rec, err := job.Seal(chain.KindCommand, c)
	h := r.Store.Append(at(ago), store.InstanceSubject(k), rec, err)
	r.receipt(chain.Receipt{Instance: k, Node: node, Attempt: 1, Verdict: chain.Overridden, Cause: chain.Cause{Record: h}, Reason: string(verb) + " by token/anna: " + reason}, ago)
}

// customers: the first job failed, so the second can never go.
func (r *richSite) customers() {
	k := chain.Key{Chain: "customer-sync", BusinessDate: date}
	in := r.open(k, 620)
	ref := job.Ref{Source: "finhost", Job: "export customers & partners"}
	token := "sb-k3v9x2-1aa0cc7d"
	rel := r.receipt(chain.Receipt{Instance: k, Node: "export", Attempt: 1, Stage: chain.Drive, Job: &ref, Verdict: chain.Released, Token: token, Reason: "nothing to wait for"}, 205)
	key := job.RunKey{Source: ref.Source, Job: ref.Job, Native: "20261125T060010Z-812"}
	run, proof := r.run(
		key,
		seen{state: job.Running, ago: 204.9, began: 205, token: token, cause: job.CauseBridge, native: "begin", offsetMS: 180},
		seen{
			state: job.Failed, ago: 201, began: 205, ended: 201.1, token: token, cause: job.CauseBridge, native: "end 3",
			end: job.End{Kind: job.ExitCode, Code: "3"}, offsetMS: 180,
		},
	)
	r.Store.PutIntent(store.Intent{Token: token, Key: k, Node: "export", Attempt: 1, Job: ref, State: chain.SendConfirmed, Run: key, Receipt: rel, Created: at(205), Updated: at(205)})
	r.Engine.Logs[key] = federation.RunLog{Complete: true, Text: "exporting region 1 of 9\nexporting region 2 of 9\nORA-01653: unable to extend table CRM.EXP_STAGE\n"}
	in.Nodes = []chain.NodeState{{Name: "export", Attempt: 1, Run: &run, Send: chain.SendConfirmed, Token: token, Released: at(205)}, {Name: "import", Attempt: 1}}
	r.Store.Put(in)
	r.Engine.Reasons[k] = []chain.Explanation{
		{Node: "export", State: job.Failed, Value: chain.Met, Reason: "run 20261125T060010Z-812 failed, exit_code 3"},
		{Node: "import", State: job.Waiting, Value: chain.Never, Reason: "waits for export (on success): failed", Inputs: []chain.Input{input("export", run, proof, chain.Never)}},
	}
}

// replica: a start of which the answer was lost.
func (r *richSite) replica() {
	k := chain.Key{Chain: "replica-check", BusinessDate: date, Cycle: "20261125T090000Z-5e0f90d1"}
	in := r.open(k, 25)
	run, proof := r.run(
		job.RunKey{Source: "finhost", Job: "backup-db", Native: "20261125T090001Z-6021"},
		seen{state: job.Running, ago: 25.4, began: 25.5, native: "begin", cause: job.CauseSchedule, offsetMS: 180},
		seen{state: job.Succeeded, ago: 14, began: 25.5, ended: 14.05, native: "end 0", end: job.End{Kind: job.ExitCode, Code: "0"}, cause: job.CauseSchedule, offsetMS: 180},
	)
	ref := job.Ref{Source: "martbox", Job: "replica-check"}
	token := "sb-k3v9x2-9e02b1f4"
	rel := r.receipt(chain.Receipt{
		Instance: k, Node: "verify", Attempt: 1, Stage: chain.Drive, Job: &ref, Verdict: chain.Released, Token: token, Cause: chain.Cause{Record: proof},
		Inputs: []chain.Input{input("backup", run, proof, chain.Met)}, Reason: "backup succeeded",
	}, 13.99)
	r.Store.PutIntent(store.Intent{Token: token, Key: k, Node: "verify", Attempt: 1, Job: ref, State: chain.SendInDoubt, Receipt: rel, Note: "the connection broke before the answer came", Created: at(13.99), Updated: at(13.5)})
	in.Nodes = []chain.NodeState{
		{Name: "backup", Attempt: 1, Run: &run},
		{Name: "verify", Attempt: 1, Send: chain.SendInDoubt, SendNote: "the connection broke before the answer came", Token: token, Released: at(13.99)},
	}
	r.Store.Put(in)
	r.Engine.Reasons[k] = []chain.Explanation{
		{Node: "backup", State: job.Succeeded, Value: chain.Met, Reason: "run 20261125T090001Z-6021 succeeded"},
		{
			Node: "verify", State: job.Unknown, Value: chain.Met, Inputs: []chain.Input{input("backup", run, proof, chain.Met)},
			Reason: "the answer to the start was lost and the source cannot say whether it happened: a person must decide (rerun, mark OK or skip)",
		},
	}
}

// backups are instances that went well, and one that overlapped.
func (r *richSite) backups() {
	ref := job.Ref{Source: "martbox", Job: "replica-check"}
	for i := range 24 {
		ago := 25 + 60*float64(i+1)
		k := chain.Key{Chain: "replica-check", BusinessDate: date, Cycle: at(ago).Format("20060102T150405Z") + "-5e0f90d1"}
		in := r.open(k, ago)
		up, proof := r.run(
			job.RunKey{Source: "finhost", Job: "backup-db", Native: fmt.Sprintf("%s-%d", k.Cycle, 5000+i)},
			seen{state: job.Succeeded, ago: ago - 11, began: ago, ended: ago - 11, native: "end 0", end: job.End{Kind: job.ExitCode, Code: "0"}, cause: job.CauseSchedule},
		)
		token := fmt.Sprintf("sb-k3v9x2-%08x", i)
		rel := r.receipt(chain.Receipt{
			Instance: k, Node: "verify", Attempt: 1, Stage: chain.Drive, Job: &ref, Verdict: chain.Released, Token: token, Cause: chain.Cause{Record: proof},
			Inputs: []chain.Input{input("backup", up, proof, chain.Met)}, Reason: "backup succeeded",
		}, ago-11)
		key := job.RunKey{Source: "martbox", Job: "replica-check", Native: fmt.Sprintf("%s-%d", k.Cycle, 9000+i)}
		state, code := job.Succeeded, "0"
		if i == 3 {
			state, code = job.Warned, "1"
		}
		down, _ := r.run(key, seen{state: state, ago: ago - 18, began: ago - 11.2, ended: ago - 18, native: "end " + code, end: job.End{Kind: job.ExitCode, Code: code}, token: token, cause: job.CauseBridge})
		r.Store.PutIntent(store.Intent{Token: token, Key: k, Node: "verify", Attempt: 1, Job: ref, State: chain.SendConfirmed, Run: key, Receipt: rel, Created: at(ago - 11), Updated: at(ago - 11)})
		r.receipt(chain.Receipt{Instance: k, Verdict: chain.Closed, Reason: "every node is settled"}, ago-18)
		in.Closed = at(ago - 18)
		in.Nodes = []chain.NodeState{{Name: "backup", Attempt: 1, Run: &up}, {Name: "verify", Attempt: 1, Run: &down, Send: chain.SendConfirmed, Token: token, Released: at(ago - 11)}}
		r.Store.Put(in)
	}
}
