package uitest

import (
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// now is 04:25:31 in New York, on the morning after the business date 2026-11-24.
var now = time.Date(2026, 11, 25, 9, 25, 31, 0, time.UTC)

const (
	date = "2026-11-24"
	zone = "America/New_York"
)

// at is so many minutes before now.
func at(minutesAgo float64) time.Time {
	return now.Add(-time.Duration(minutesAgo * float64(time.Minute))).Truncate(time.Second)
}

// Rich is a site in the middle of a bad night: every state is on the board, one source is out of sight
// and one refuses the login.
func Rich() *Site {
	s := Empty()
	r := richSite{Site: s, versions: map[string]job.Hash{}}
	r.sources()
	r.jobs()
	r.definitions()
	r.close()
	r.customers()
	r.replica()
	r.backups()
	return s
}

// richSite builds it.
type richSite struct {
	*Site
	versions map[string]job.Hash
}

func (r *richSite) sources() {
	offset, late := 180*time.Millisecond, 7*time.Minute+4*time.Second
	good := []federation.RightStatus{
		{Name: "read own crontab", Why: "to list the jobs", Granted: "yes", Needed: true},
		{Name: "write ~/.signalbox", Why: "to keep the spool of ends", Granted: "yes", Needed: true},
	}
	gaps := []string{"runs that start and end between two polls of a job without the wrapper are not seen", "the reason why cron skipped a slot is not told by cron"}
	r.Engine.Status = []federation.SourceStatus{
		{
			Name: "erp01", Peer: "cron (Debian)", Address: "batch@erp01.example.net:22", StartClass: "searchable", Rights: []federation.RightStatus{
				{Name: "log in with the key", Why: "nothing works without it", Granted: "no", Needed: true, Fix: "ssh-copy-id -i /etc/signalbox/erp01.pub batch@erp01.example.net"},
			},
			KnownGaps: gaps, Blind: true, Since: at(611), LastSeen: at(611), ErrorKind: "denied", Stopped: true,
			Error: "poll erp01.example.net:22: ssh: unable to authenticate, attempted methods [none publickey]",
			Fix:   "Add the public key to ~batch/.ssh/authorized_keys on erp01, then poll again.", Polls: 12044, Failures: 1, Jobs: 3,
		},
		{
			Name: "finhost", Peer: "cron (Debian)", Address: "ops@finhost.example.net:22", Zone: zone, StartClass: "searchable", Confidence: "confirmed",
			HostKey: "SHA256:dEmEgBWKtSKaOLqQoQyXJlHbSUxX5GdVFDO9nHQq3Fg", Rights: good, KnownGaps: gaps,
			LastSeen: now.Add(-2 * time.Second), Since: at(8000), NextPoll: now.Add(time.Second), Interval: time.Second, Fast: true, Watching: true,
			Offset: &offset, Polls: 86400, Failures: 3, Jobs: 6,
		},
		{
			Name: "martbox", Peer: "cron (RHEL)", Address: "etl@martbox.example.net:2222", Zone: "UTC", StartClass: "searchable", Confidence: "confirmed",
			HostKey: "SHA256:q1tF8mPVh2BJ0yQ2WpO9Gx0d0cX7Q4w1b5QeT0H7jvE", Rights: good, KnownGaps: gaps, Blind: true, Since: at(13.5), LastSeen: at(13.5),
			Error: "poll martbox.example.net:2222: dial tcp 10.20.0.17:2222: connect: connection refused", ErrorKind: "unavailable",
			Fix: "Is sshd running on martbox? Try: ssh -p 2222 etl@martbox.example.net true", NextPoll: now.Add(21 * time.Second),
			Interval: 30 * time.Second, Polls: 40233, Failures: 27, Jobs: 5,
		},
		{
			Name: "ratesvr", Peer: "cron (Alpine)", Address: "rates@ratesvr.example.net:22", Zone: "Europe/London", StartClass: "searchable", Confidence: "logged",
			HostKey: "SHA256:Zk2a0Jm1eWQq6bU0nYb8fCq0oD0wS8L7y6m9b2xH3rA", KnownGaps: gaps, Weaknesses: []string{"the wrapper is not installed for 2 of 3 jobs: their ends are unknown"},
			Rights: append(good[:1:1], federation.RightStatus{
				Name: "read /var/log/cron.log", Why: "to see starts of jobs without the wrapper", Granted: "no", Fix: "usermod -aG adm rates",
			}),
			Problems: []federation.Problem{{Where: "crontab of rates, line 12", What: "minute 75 is out of range: cron ignores the line", Fix: "Write the minute as 0 to 59: 15 5 * * *"}},
			LastSeen: now.Add(-11 * time.Second), Since: at(1440), NextPoll: now.Add(19 * time.Second), Interval: 30 * time.Second, Offset: &late,
			Polls: 2881, Failures: 0, Jobs: 3, Gaps: []federation.Gap{{What: "spool overwritten: 12 records lost", Since: at(900), Until: at(870)}},
		},
	}
	for i := range r.Engine.Status {
		st := &r.Engine.Status[i]
		r.Engine.Able[st.Name] = federation.Ability{Log: true, Cancel: true, Start: true}
		r.Store.PutSource(store.Source{Name: st.Name, CursorAt: st.LastSeen, ListedAt: at(20), Properties: adapters.Properties{Peer: st.Peer}})
	}
}

func (r *richSite) jobs() {
	add := func(source, name, schedule, command string, more ...string) {
		j := job.Job{
			Ref: job.Ref{Source: source, Job: name}, Command: command, Owner: "ops", Schedule: schedule, Zone: zone,
			Enabled: true, Wrapped: true, Startable: true, Place: "crontab of ops",
		}
		if len(more) > 0 {
			j.Problems, j.Enabled, j.Wrapped = more, false, false
		}
		r.Store.PutJobs(j)
	}
	add("finhost", "gl-extract", "30 2 * * 1-5", "/opt/fin/bin/gl_extract --ledger=GL")
	add("finhost", "gl-load", "15 3 * * 1-5", "/opt/fin/bin/gl_load --from=/var/spool/gl")
	add("finhost", "post-journals", "0 5 * * 1-5", "/opt/fin/bin/post_journals")
	add("finhost", "export customers & partners", "0 1 * * *", `/opt/crm/export.sh "all regions" > /var/spool/crm/out.csv`)
	add("finhost", "backup-db", "@hourly", "/usr/local/sbin/backup-db --incremental")
	add("martbox", "build-marts", "30 4 * * 1-5", "/srv/etl/run marts")
	add("martbox", "import-customers", "30 1 * * *", "/srv/etl/run customers")
	add("martbox", "replica-check", "*/30 * * * *", "/srv/etl/run replica-check")
	add("ratesvr", "fetch-rates", "0 4 * * *", "/home/rates/fetch.py --source ecb")
	add("ratesvr", "tidy", "75 4 * * *", "find /tmp/rates -mtime +3 -delete", "minute 75 is out of range: cron ignores the line")
	add("erp01", "margin-report", "0 6 * * 1-5", "/opt/erp/margin_report.sh")
}

func (r *richSite) define(d chain.Definition) {
	d.DayCut, d.Timezone, d.KeepOpen = "18:00", zone, 86400
	r.versions[d.Chain] = r.Store.Define(at(9000), d)
}

func (r *richSite) definitions() {
	ref := func(source, name string) job.Ref { return job.Ref{Source: source, Job: name} }
	on := func(node string, on chain.On) chain.Dependency { return chain.Dependency{Node: node, On: on} }
	r.define(chain.Definition{Chain: "financial-close", Service: "Financial close", Nodes: []chain.Node{
		{Name: "extract", Job: ref("finhost", "gl-extract"), Stage: chain.Watch},
		{Name: "load", Job: ref("finhost", "gl-load"), Stage: chain.Drive, After: []chain.Dependency{on("extract", chain.OnSuccess)}},
		{
			Name: "marts", Job: ref("martbox", "build-marts"), Stage: chain.Drive, NotBefore: "03:00", GiveUpAt: "05:45",
			After: []chain.Dependency{on("load", chain.OnSuccess), on("rates", chain.OnSuccess)},
		},
		{Name: "post", Job: ref("finhost", "post-journals"), Stage: chain.Rehearse, After: []chain.Dependency{on("marts", chain.OnSuccess)}},
		{Name: "rates", Job: ref("ratesvr", "fetch-rates"), Stage: chain.Watch},
		{Name: "report", Job: ref("erp01", "margin-report"), Stage: chain.Drive, After: []chain.Dependency{on("marts", chain.OnAny)}},
	}})
	r.define(chain.Definition{Chain: "customer-sync", Service: "Customer master data", Nodes: []chain.Node{
		{Name: "export", Job: ref("finhost", "export customers & partners"), Stage: chain.Drive},
		{Name: "import", Job: ref("martbox", "import-customers"), Stage: chain.Drive, After: []chain.Dependency{on("export", chain.OnSuccess)}},
	}})
	r.define(chain.Definition{Chain: "replica-check", Repeat: "backup", Nodes: []chain.Node{
		{Name: "backup", Job: ref("finhost", "backup-db"), Stage: chain.Watch},
		{Name: "verify", Job: ref("martbox", "replica-check"), Stage: chain.Drive, After: []chain.Dependency{on("backup", chain.OnSuccess)}},
	}})
	r.define(chain.Definition{Chain: "year-end", Service: "Year end", Nodes: []chain.Node{{Name: "freeze", Job: ref("erp01", "margin-report"), Stage: chain.Watch}}})
}
