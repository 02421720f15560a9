package adapters

import (
	"context"
	"errors"
	"strings"
	"time"

	"signalbox/adapters/job"
)

// Abilities are the optional abilities that an adapter offers.
type Abilities struct {
	List    bool `json:"list"`
	Start   bool `json:"start"`
	Find    bool `json:"find"`
	Cancel  bool `json:"cancel"`
	Hold    bool `json:"hold"`
	ReadLog bool `json:"read_log"`
	Watch   bool `json:"watch"`
	Deploy  bool `json:"deploy"`
}

// Abilities tells what the adapter offers, whether or not the source is configured read-only.
func (s *Source) Abilities() Abilities { return AbilitiesOf(s.adapter, s.Properties()) }

// AbilitiesOf tells what an adapter with these properties offers.
func AbilitiesOf(a Adapter, p Properties) Abilities {
	var can Abilities
	_, can.List = a.(Lister)
	_, can.Start = a.(Starter)
	_, can.Find = a.(Finder)
	_, can.Cancel = a.(Canceller)
	_, can.Hold = a.(Holder)
	_, can.ReadLog = a.(LogReader)
	_, can.Watch = a.(Watcher)
	_, can.Deploy = a.(Deployer)
	can.Start = can.Start && p.Start != StartNone
	return can
}

// List reads all definitions, sorted by key. It changes nothing at the source.
func (s *Source) List(ctx context.Context) (Listing, error) {
	l, ok := s.adapter.(Lister)
	all, err := use(ctx, s, ability{ok: ok, op: "list", subject: s.opt.Name}, func(ctx context.Context) (Listing, error) {
		return l.List(ctx)
	})
	if err != nil {
		return Listing{}, err
	}
	return s.acceptListing(all)
}

// Start asks the source to start a job once. It is never retried here. Once sent, the call is not cut
// off by the end of ctx, only by the timeout: a lost answer would be a doubt. The Effect of the error
// says whether anything may have happened.
func (s *Source) Start(ctx context.Context, req StartRequest) (Started, error) {
	starter, ok := s.adapter.(Starter)
	ok = ok && s.Properties().Start != StartNone
	if err := req.check(); err != nil {
		return Started{}, &Error{Kind: Rejected, Op: "start", Subject: req.Job, Effect: EffectNone, Err: err}
	}
	st, err := use(ctx, s, ability{ok: ok, op: "start", subject: req.Job, changes: true}, func(ctx context.Context) (Started, error) {
		return starter.Start(ctx, req)
	})
	st.Detail = s.secrets.text(st.Detail)
	return st, err
}

// Find tells what became of a start with this token. It changes nothing at the source.
func (s *Source) Find(ctx context.Context, token string) (Finding, error) {
	f, ok := s.adapter.(Finder)
	found, err := use(ctx, s, ability{ok: ok, op: "find", subject: token}, func(ctx context.Context) (Finding, error) {
		return f.Find(ctx, token)
	})
	if err != nil {
		return Finding{}, err
	}
	found.Detail = s.secrets.text(found.Detail)
	switch found.Found {
	case FoundAbsent, FoundPresent, FoundUnclear:
		return found, nil
	}
	return Finding{}, s.convert("find", token, Errorf(Malformed, "find", token, "the adapter answered %q", found.Found))
}

// Cancel asks the source to stop a run, softly.
func (s *Source) Cancel(ctx context.Context, run job.RunKey) error {
	c, ok := s.adapter.(Canceller)
	return s.change(ctx, ability{ok: ok, op: "cancel", subject: run.String()}, func(ctx context.Context) error {
		return c.Cancel(ctx, run)
	})
}

// Hold keeps the native clock from starting the job.
func (s *Source) Hold(ctx context.Context, jobKey string) error {
	h, ok := s.adapter.(Holder)
	return s.change(ctx, ability{ok: ok, op: "hold", subject: jobKey}, func(ctx context.Context) error {
		return h.Hold(ctx, jobKey)
	})
}

// Unhold restores the native schedule.
func (s *Source) Unhold(ctx context.Context, jobKey string) error {
	h, ok := s.adapter.(Holder)
	return s.change(ctx, ability{ok: ok, op: "unhold", subject: jobKey}, func(ctx context.Context) error {
		return h.Unhold(ctx, jobKey)
	})
}

// ReadLog gives at most limit bytes from the end of a run's output, without secrets.
func (s *Source) ReadLog(ctx context.Context, run job.RunKey, limit int) (Log, error) {
	r, ok := s.adapter.(LogReader)
	if limit <= 0 {
		return Log{}, Errorf(Rejected, "read log", run.String(), "limit %d: want a positive number of bytes", limit)
	}
	out, err := use(ctx, s, ability{ok: ok, op: "read log", subject: run.String()}, func(ctx context.Context) (Log, error) {
		return r.ReadLog(ctx, run, limit)
	})
	if out.Truncated {
		out.Text = s.secrets.tail(out.Text)
	}
	out.Text = s.secrets.text(out.Text)
	if len(out.Text) > limit {
		out.Text, out.Truncated = strings.ToValidUTF8(out.Text[len(out.Text)-limit:], ""), true
	}
	return out, err
}

// Deploy installs the wrapper at the source or says what that would do. A dry run is allowed also to a
// read-only source.
func (s *Source) Deploy(ctx context.Context, dryRun bool) (Change, error) {
	d, ok := s.adapter.(Deployer)
	c, err := use(ctx, s, ability{ok: ok, op: "deploy", subject: s.opt.Name, changes: !dryRun}, func(ctx context.Context) (Change, error) {
		return d.Deploy(ctx, dryRun)
	})
	return s.clean(c), err
}

// Undeploy removes the wrapper or says what that would do.
func (s *Source) Undeploy(ctx context.Context, dryRun bool) (Change, error) {
	d, ok := s.adapter.(Deployer)
	c, err := use(ctx, s, ability{ok: ok, op: "undeploy", subject: s.opt.Name, changes: !dryRun}, func(ctx context.Context) (Change, error) {
		return d.Undeploy(ctx, dryRun)
	})
	return s.clean(c), err
}

func (s *Source) clean(c Change) Change {
	c.Steps, c.Diff = s.secrets.texts(c.Steps), s.secrets.text(c.Diff)
	return c
}

// ability is one use of an optional ability.
type ability struct {
	ok      bool // the adapter has it
	op      string
	subject string
	changes bool
}

func (s *Source) change(ctx context.Context, a ability, fn func(context.Context) error) error {
	a.changes = true
	_, err := use(ctx, s, a, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// use calls an ability, unless it is missing, forbidden, or the peer has denied us.
func use[T any](ctx context.Context, s *Source, a ability, fn func(context.Context) (T, error)) (T, error) {
	var zero T
	refuse := func(kind Kind, fix string, err error) (T, error) {
		return zero, s.convert(a.op, a.subject, &Error{Kind: kind, Op: a.op, Subject: a.subject, Effect: EffectNone, Fix: fix, Err: err})
	}
	if !a.ok {
		return refuse(Unsupported, "", errors.New("the adapter cannot do this"))
	}
	if a.changes && s.opt.ReadOnly {
		return refuse(Rejected, "configure the source without read_only to allow it", errors.New("the source is read-only"))
	}
	s.mu.Lock()
	denied := s.refusal
	s.mu.Unlock()
	if denied != nil {
		return refuse(Denied, denied.Fix, errors.New("not sent: the peer denied an earlier call, and failed logins lock accounts: "+denied.Error()))
	}
	return invoke(ctx, s, call{op: a.op, subject: a.subject, changes: a.changes, gates: []chan struct{}{s.slots}}, fn)
}

// check refuses a start that the contract does not allow.
func (r StartRequest) check() error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	if r.Token == "" || len(r.Token) > 64 || strings.Trim(r.Token, letters) != "" {
		return errors.New("the token must be 1 to 64 of [A-Za-z0-9-]")
	}
	if r.Job == "" {
		return errors.New("no job is named")
	}
	if r.BusinessDate != "" {
		if _, err := time.Parse(time.DateOnly, r.BusinessDate); err != nil {
			return errors.New("the business date must be YYYY-MM-DD")
		}
	}
	return nil
}
