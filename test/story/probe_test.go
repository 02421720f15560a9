package story

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"signalbox/test/peer"
	"signalbox/test/sim/cronhost"
)

const quietChain = "chain: quiet\ntimezone: UTC\njobs:\n  extract: {job: a/extract}\n"

func simulate(t *testing.T, cfg cronhost.Config) *cronhost.Host {
	t.Helper()
	cfg.Dir, cfg.Minute = t.TempDir(), -1
	h, err := cronhost.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// TestProbeChangesNothing: a newcomer's first command against a real system. Not a byte of the host
// differs afterwards, before the wrapper is installed and after.
func TestProbeChangesNothing(t *testing.T) {
	t.Parallel()
	h := simulate(t, cronhost.Config{Crontab: "# Name: extract\n0 4 * * * echo extracted\n"})
	s := newSite(t, simulated(t, h), simulated(t, h), quietChain)
	for _, wrapped := range []bool{false, true} {
		if wrapped {
			s.must("wrap", "install", "a")
			if err := h.RunNow("extracted"); err != nil {
				t.Fatal(err)
			}
			peer.Eventually(t, 10*time.Second, "the run is over", func() bool {
				runs := h.Runs()
				return len(runs) == 1 && !runs[0].Ended.IsZero()
			})
		}
		before, err := h.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		out := s.must("probe", "a", "--output", "json")
		after, err := h.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if diff := before.Diff(after); len(diff) > 0 {
			t.Errorf("wrapped %v: the probe changed the host:\n%s", wrapped, strings.Join(diff, "\n"))
		}
		checkProbe(t, out, wrapped)
	}
	if table := s.must("probe", "a"); !strings.Contains(table, "a/extract") {
		t.Errorf("the table does not name the job:\n%s", table)
	}
}

func checkProbe(t *testing.T, out string, wrapped bool) {
	t.Helper()
	var found struct {
		Sources []struct {
			OK         bool     `json:"ok"`
			StartClass string   `json:"start_class"`
			CannotSee  []string `json:"cannot_see"`
			Jobs       []struct {
				Job     string `json:"job"`
				Wrapped bool   `json:"wrapped"`
			} `json:"jobs"`
			Runs []struct {
				Latest struct {
					State string `json:"state"`
				} `json:"latest"`
			} `json:"runs"`
		} `json:"sources"`
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(found.Sources) != 1 || !found.Sources[0].OK || len(found.Sources[0].Jobs) != 1 {
		t.Fatalf("probe found:\n%s", out)
	}
	src := found.Sources[0]
	if src.Jobs[0].Job != "extract" || src.Jobs[0].Wrapped != wrapped {
		t.Errorf("wrapped %v: job %+v", wrapped, src.Jobs[0])
	}
	if wrapped {
		if src.StartClass != "searchable" || len(src.Runs) != 1 || src.Runs[0].Latest.State != "succeeded" {
			t.Errorf("wrapped: start class %s, runs %+v", src.StartClass, src.Runs)
		}
		return
	}
	if src.StartClass != "none" || len(src.CannotSee) == 0 || len(src.Runs) != 0 {
		t.Errorf("not wrapped: start class %s, cannot see %v, runs %v: without the wrapper an end is unknown", src.StartClass, src.CannotSee, src.Runs)
	}
}

// TestProbeOnBadDays: each trouble has its exit code and says what it is and what to do.
func TestProbeOnBadDays(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		faults cronhost.Faults
		code   int
		says   []string
	}{
		{"refused", cronhost.Faults{Refuse: true}, 5, []string{"refused"}},
		{"wrong key", cronhost.Faults{DenyAuth: true}, 4, []string{"what you can do"}},
		{"changed host key", cronhost.Faults{OtherHostKey: true}, 4, []string{"SHA256:", "what you can do"}},
		{"noise", cronhost.Faults{NoiseBefore: "Welcome to hosta\n", NoiseAfter: "bye\n"}, 0, nil},
		{"cut", cronhost.Faults{Rules: []cronhost.Rule{{Do: cronhost.Truncate, Bytes: 20}}}, 5, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := simulate(t, cronhost.Config{Crontab: "# Name: extract\n0 4 * * * echo extracted\n"})
			s := newSite(t, simulated(t, h), simulated(t, h), quietChain)
			if err := h.SetFaults(tc.faults); err != nil {
				t.Fatal(err)
			}
			out, errOut, code := s.run("probe", "a")
			if code != tc.code {
				t.Errorf("exit code %d; want %d\n%s%s", code, tc.code, out, errOut)
			}
			for _, want := range tc.says {
				if !strings.Contains(errOut+out, want) {
					t.Errorf("it does not say %q:\n%s%s", want, out, errOut)
				}
			}
		})
	}
}

// TestClockThatIsOff: the offset is shown, and the order stays right.
func TestClockThatIsOff(t *testing.T) {
	t.Parallel()
	h := simulate(t, cronhost.Config{Crontab: "# Name: extract\n0 4 * * * true\n", Offset: 7 * time.Minute})
	s := newSite(t, simulated(t, h), simulated(t, h), quietChain)
	if out := s.must("probe", "a"); !strings.Contains(out, "7m0") && !strings.Contains(out, "6m59") {
		t.Errorf("the offset is not shown:\n%s", out)
	}
}
