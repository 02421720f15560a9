package cron

import (
	"fmt"
	"strings"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/internal/remote"
	"signalbox/adapters/job"
)

// facts are what a probe told about the host.
type facts struct {
	login    int    // the login at which it was told; 0 = never
	home     string //
	user     string //
	dir      string // absolute folder of Signalbox
	writable bool   // the home folder
	daemon   string // command line of the cron daemon; empty = none runs
	dialect  crontab.Dialect
	version  string
	zone     string // IANA zone of the daemon; empty = not told
	location *time.Location
	tools    map[string]string // installed programs: checksum, and "x" if they can be run
	tableErr string            // why the crontab cannot be read; empty = it can
}

// readFacts reads the lines of sb_probe.
func readFacts(lines []string, dir string) facts {
	f := facts{tools: map[string]string{}, location: time.UTC}
	said := map[string]string{}
	var packages []string
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch word {
		case "tool":
			name, sum, _ := strings.Cut(rest, " ")
			f.tools[name] = sum
		case "package":
			packages = append(packages, rest)
		default:
			if _, twice := said[word]; !twice {
				said[word] = rest
			}
		}
	}
	f.home, f.user, f.daemon = said["home"], said["user"], said["daemon"]
	f.dir = f.home + "/" + dir
	f.writable = said["writable"] != ""
	f.dialect, f.version = flavour(said, packages)
	f.zone = zoneOf(said)
	if location, err := time.LoadLocation(f.zone); err == nil && f.zone != "" {
		f.location = location
	}
	return f
}

// flavour tells the family of the daemon and its version.
func flavour(said map[string]string, packages []string) (crontab.Dialect, string) {
	if rest, ok := strings.CutPrefix(said["says"], "cronie "); ok {
		return crontab.Cronie, rest
	}
	if strings.Contains(said["realcrontab"], "busybox") || strings.Contains(said["daemon"], "busybox") {
		return crontab.BusyBox, ""
	}
	dialects := map[string]crontab.Dialect{"cron": crontab.Debian, "cronie": crontab.Cronie, "systemd-cron": crontab.SystemdCron}
	for _, p := range packages {
		f := strings.Fields(p)
		if len(f) == 3 && f[2] == "installed" {
			if d, ok := dialects[f[0]]; ok {
				return d, f[1]
			}
		}
	}
	return crontab.Unknown, ""
}

// zoneOf tells the zone of the daemon's clock: its own TZ, else the system's. The TZ of our session is
// of no meaning.
func zoneOf(said map[string]string) string {
	if tz := said["tz"]; tz != "" {
		return tz
	}
	if _, zone, ok := strings.Cut(said["localtime"], "/zoneinfo/"); ok {
		return zone
	}
	return said["timezone"]
}

func (f *facts) known() bool { return f.login > 0 }

// deployed tells whether the wrapper is there, as this version of ours brings it or another one.
func (f *facts) deployed() bool {
	for _, name := range []string{"sbsh", "sbpoll", "sbstart"} {
		if !strings.HasSuffix(f.tools[name], " x") {
			return false
		}
	}
	return true
}

// current tells whether all programs on the host are exactly ours.
func (f *facts) current() bool {
	for _, t := range tools() {
		if f.tools[t.name] != t.sum.String()+" x" {
			return false
		}
	}
	return true
}

// wrapper is the path that the crontab's SHELL= line names.
func (f *facts) wrapper() string { return f.dir + "/bin/sbsh" }

// plain tells whether the host's programs can be called by their path through any login shell.
func (f *facts) plain() bool { return remote.Plain(f.dir) }

func (f *facts) peer() string {
	names := map[crontab.Dialect]string{
		crontab.Debian: "Debian", crontab.Cronie: "cronie", crontab.BusyBox: "BusyBox", crontab.SystemdCron: "systemd-cron",
	}
	if name, ok := names[f.dialect]; ok {
		return "cron (" + name + ")"
	}
	return "cron"
}

func (f *facts) confidence() job.Confidence {
	if f.deployed() {
		return job.Confirmed
	}
	return job.Scheduled
}

func (f *facts) rights(o Options) []adapters.Right {
	grant := func(yes bool) adapters.Granted {
		switch {
		case !f.known():
			return adapters.GrantUnknown
		case yes:
			return adapters.GrantYes
		}
		return adapters.GrantNo
	}
	return []adapters.Right{
		{
			Name: "log in over SSH with a key", Needed: true, Why: "everything goes over this connection", Granted: grant(true),
			Fix: fmt.Sprintf("add the line of %s.pub to ~/.ssh/authorized_keys of %s on %s", o.KeyFile, o.User, o.Host),
		},
		{
			Name: "run /bin/sh", Needed: true, Why: "scripts are sent to it", Granted: grant(true),
			Fix: fmt.Sprintf("give %s a login shell that runs commands: usermod -s /bin/sh %s", o.User, o.User),
		},
		{
			Name: "read the own crontab", Needed: true, Why: "it has the jobs", Granted: grant(f.tableErr == ""),
			Fix: fmt.Sprintf("allow the crontab command: add %s to /etc/cron.allow, or take it out of /etc/cron.deny", o.User),
		},
		{
			Name: "write in the own home folder", Needed: false, Granted: grant(f.writable),
			Why: "the wrapper and its trace live there; without them every end is unknown and nothing can be started",
			Fix: fmt.Sprintf("make the home folder of %s writable for it", o.User),
		},
	}
}

func (f *facts) gaps() []string {
	all := []string{
		"only the crontab of this account is read, no system tables and no other accounts",
		"what a run prints is kept only for runs that Signalbox started",
	}
	if !f.known() {
		return all
	}
	if !f.deployed() {
		all = append(all, "no wrapper is installed: schedules only, no run is seen, and every end is unknown")
	} else if !f.current() {
		all = append(all, "the wrapper on the host is not the one of this version of Signalbox: deploy it again")
	}
	if f.zone == "" {
		all = append(all, "the zone of the host could not be told")
	}
	return all
}
