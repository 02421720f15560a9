package adaptertest_test

import (
	"bytes"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/adaptertest"
	"signalbox/adapters/adaptertest/memory"
)

const password = "correct horse/battery+staple"

// harness drives a memory.Peer. wrong, if set, spoils each adapter that it makes.
type harness struct {
	t     *testing.T
	peer  *memory.Peer
	cfg   memory.Config
	gaps  map[adaptertest.Case]string
	wrong func(h *harness, a *memory.Adapter) adapters.Adapter
	logs  *lockedBuffer

	made     int           // adapters, counted by wrong variants
	patience time.Duration // 0 = the suite's
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newHarness makes a peer that goes with the start class and kind of source.
func newHarness(t *testing.T, class adapters.StartClass, kind adapters.SourceKind) *harness {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	logs := &lockedBuffer{}
	return &harness{
		t: t,
		peer: memory.NewPeer(memory.Options{
			Zone: zone, Password: password, Jobs: []string{"extract", "load gl"},
			Dedupes: class == adapters.StartDeduplicated, Forgets: class == adapters.StartInDoubt,
			Snapshot: kind == adapters.SnapshotSource,
		}),
		cfg: memory.Config{
			Source: "mem", Password: password, Zone: "Europe/Berlin", Start: class, Kind: kind,
			Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
		logs: logs,
	}
}

func (h *harness) Source() string { return h.cfg.Source }

func (h *harness) Adapter() adapters.Adapter {
	a := memory.New(h.peer, h.cfg)
	if h.wrong != nil {
		return h.wrong(h, a)
	}
	return a
}

func (h *harness) Patience() time.Duration {
	if h.patience == 0 {
		return adaptertest.DefaultPatience
	}
	return h.patience
}

func (h *harness) Jobs() []string { return []string{"extract", "load gl"} }

func (h *harness) StartNative(job string) string {
	return strconv.Itoa(h.peer.StartNative(job, memory.WordActive))
}

func (h *harness) set(run, word, code string) {
	id, err := strconv.Atoi(run)
	if err != nil {
		h.t.Fatal(err)
	}
	h.peer.Set(id, word, code)
}

func (h *harness) Finish(run string)     { h.set(run, memory.WordDone, "0") }
func (h *harness) Fail(run string)       { h.set(run, memory.WordError, "3") }
func (h *harness) HoldRun(run string)    { h.set(run, memory.WordHeld, "") }
func (h *harness) ReleaseRun(run string) { h.set(run, memory.WordActive, "") }

func (h *harness) Revive(run string) {
	id, err := strconv.Atoi(run)
	if err != nil {
		h.t.Fatal(err)
	}
	h.peer.Revive(id)
}

func (h *harness) StartOdd(job, word string)         { h.peer.StartNative(job, word) }
func (h *harness) ChangingCommands() int             { return h.peer.Changing() }
func (h *harness) Secrets() []string                 { return []string{password} }
func (h *harness) Gaps() map[adaptertest.Case]string { return h.gaps }
func (h *harness) BreakLine(f adaptertest.Fault)     { h.peer.Break(memory.Fault(f)) }
func (h *harness) RestoreLine()                      { h.peer.Break(memory.Sound) }
func (h *harness) StartsOf(token string) int         { return h.peer.StartsOf(token) }
func (h *harness) Zone() string                      { return h.cfg.Zone }
func (h *harness) SkewClock(d time.Duration)         { h.peer.Skew(d) }
func (h *harness) Logged() string                    { return h.logs.String() }

func (h *harness) RunAt(job string, at time.Time) {
	h.peer.SetClock(at)
	run := h.StartNative(job)
	h.peer.SetClock(at.Add(time.Second))
	h.Finish(run)
}

func (h *harness) Calls() adaptertest.Calls {
	total, peak := h.peer.Calls()
	return adaptertest.Calls{Total: total, Peak: peak}
}

// TestReference runs the whole suite against the reference adapter, in each start class and for both
// kinds of sources.
func TestReference(t *testing.T) {
	t.Parallel()
	for _, class := range []adapters.StartClass{
		adapters.StartDeduplicated, adapters.StartSearchable, adapters.StartInDoubt, adapters.StartNone,
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			adaptertest.Run(t, func(t *testing.T) adaptertest.Harness {
				t.Helper()
				return newHarness(t, class, adapters.EventSource)
			})
		})
	}
	t.Run("snapshot", func(t *testing.T) {
		t.Parallel()
		adaptertest.Run(t, func(t *testing.T) adaptertest.Harness {
			t.Helper()
			return newHarness(t, adapters.StartDeduplicated, adapters.SnapshotSource)
		})
	})
}
