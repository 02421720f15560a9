package story

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signalbox/test/peer"
)

const twoHosts = `chain: nightly
service: Nightly load
timezone: UTC
repeat: extract
keep_open: 10m
stage: watch
jobs:
  extract: {job: a/extract}
  load:    {job: b/load, after: [extract], stage: drive}
  report:  {job: b/report, after: [load], stage: drive}
  alarm:   {job: b/alarm, after: [{job: extract, on: failure}], stage: drive}
`

// TestRealCronToRealHost is the whole story: the real cron on host A starts a job by its own clock; host B's
// job starts because A's really ended. In the middle of it Signalbox is killed, and goes on.
func TestRealCronToRealHost(t *testing.T) {
	t.Parallel()
	a := peer.Start(t, peer.Options{RealCron: true})
	b := peer.Start(t, peer.Options{})
	dir := t.TempDir()
	ended, started := filepath.Join(dir, "a-ended"), filepath.Join(dir, "b-started")
	a.SetCrontab(t, "# Name: extract\n* * * * * sleep 3; date -u +\\%s.\\%N >> "+ended+"\n")
	table := "MAILTO=\"\"\n# Name: load\n0 17 * * * date -u +\\%s.\\%N >> " + started + "; sleep 1; echo loaded\n" +
		"# Name: report\n0 18 * * * true\n# Name: alarm\n0 19 * * * false\n"
	b.SetCrontab(t, table)
	s := newSite(t, machine(a), machine(b), twoHosts)
	s.must("validate")
	s.must("probe")
	s.must("wrap", "install", "a")
	s.must("wrap", "install", "b")
	for _, j := range []string{"b/load", "b/report", "b/alarm"} {
		s.must("native", "hold", j)
	}
	s.serve()
	peer.Eventually(t, 90*time.Second, "cron has started the job and Signalbox has seen it", func() bool { return len(s.instances()) > 0 })
	s.kill() // at 3 AM, in the middle of the run
	peer.Eventually(t, 30*time.Second, "the job ends while nobody looks", func() bool { return len(lines(t, ended)) > 0 })
	s.serve()
	peer.Eventually(t, 30*time.Second, "the chain is done", func() bool { return s.closed() > 0 })

	ends, starts := lines(t, ended), lines(t, started)
	if len(starts) == 0 || starts[0] < ends[0] {
		t.Fatalf("A ended %v, B started %v: B must start once for each end, after it", ends, starts)
	}
	first := s.instances()[len(s.instances())-1]
	states := map[string]string{}
	for _, n := range first.Nodes {
		states[n.Name] = n.State
	}
	want := map[string]string{"extract": "succeeded", "load": "succeeded", "report": "succeeded", "alarm": "skipped"}
	for name, state := range want {
		if states[name] != state {
			t.Errorf("%s is %s; want %s", name, states[name], state)
		}
	}
	checkWhy(t, s, first)
	if took := s.stop(); took > 20*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if out := s.must("audit", "verify"); !strings.Contains(out, "equal to the byte") {
		t.Error(out)
	}
	s.must("native", "unhold", "b/load")
	s.must("native", "unhold", "b/report")
	s.must("native", "unhold", "b/alarm")
	s.must("wrap", "remove", "b")
	if got, _ := b.Crontab(t); got != table {
		t.Errorf("after the removal the crontab is\n%s\nwant\n%s", got, table)
	}
}

// checkWhy: the receipt of a driven run leads back to the run of host A and its exit code.
func checkWhy(t *testing.T, s *site, in instance) {
	t.Helper()
	for _, n := range in.Nodes {
		if n.Name != "load" {
			continue
		}
		out := s.must("why", n.Run, "--output", "json")
		var step struct {
			Origin  string
			Release struct{ Verdict, Token string }
			Inputs  []struct {
				Node, State string
				Step        struct {
					Run struct{ Job string }
				}
			}
		}
		if err := json.Unmarshal([]byte(out), &step); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if step.Origin != "signalbox" || step.Release.Verdict != "released" || step.Release.Token != n.Token || len(step.Inputs) != 1 ||
			step.Inputs[0].Node != "extract" || step.Inputs[0].State != "succeeded" || step.Inputs[0].Step.Run.Job != "extract" {
			t.Errorf("why %s does not lead back to extract:\n%s", n.Run, out)
		}
		if text := s.must("why", n.Run); !strings.Contains(text, "a/extract#") || !strings.Contains(text, "rc=0") {
			t.Errorf("why says:\n%s", text)
		}
	}
}
