package storetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Crasher is an opener of which another process can open the same ledger.
type Crasher interface {
	Opener
	// Child gives a command that opens the ledger and calls [WriteUntilKilled] with its standard output.
	Child(ctx context.Context) *exec.Cmd
}

// WriteUntilKilled commits batches without end and writes the number of each, on a line, as soon as
// it is acknowledged. It returns only with an error. Numbering goes on behind what the ledger holds.
func WriteUntilKilled(ctx context.Context, s store.Store, out io.Writer) error {
	fence, err := s.Acquire(ctx, "writer", "child", time.Minute)
	if err != nil {
		return err
	}
	last, err := s.Last(ctx)
	if err != nil {
		return err
	}
	for n := int(last) / perBatch; ; n++ {
		b := numberedBatch(n)
		b.Fence = fence
		if _, err := s.Commit(ctx, &b); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, n); err != nil {
			return err
		}
	}
}

// perBatch is how many records a batch of the child has: enough for many pages.
const perBatch = 40

// numberedBatch is one batch of the child. Each has records, runs, an instance, an intent that is
// claimed, and an edge, all told by its number.
func numberedBatch(n int) store.Batch {
	var fail panicking
	b := everything(fail, n)
	b.Records, b.Runs = nil, nil
	for i := range perBatch {
		o := running(n*perBatch + i)
		o.Detail = strings.Repeat("some output of the job ", 20)
		b.Records = append(b.Records, entry(fail, &o))
		b.Runs = append(b.Runs, told(fail, o))
	}
	return b
}

// panicking is the T of the child, in which nothing but the ledger can go wrong.
type panicking struct{}

func (panicking) Helper()                  {}
func (panicking) Cleanup(func())           {}
func (panicking) Context() context.Context { return context.Background() }
func (panicking) Errorf(f string, a ...any) {
	panic(fmt.Sprintf(f, a...))
}

func (panicking) Fatalf(f string, a ...any) {
	panic(fmt.Sprintf(f, a...))
}

// crash kills the writing process again and again, each time a little later, and looks at what is left.
func crash(t *testing.T, c Crasher) {
	t.Helper()
	acked, checked := -1, 0
	for round := range 6 {
		acked = killed(t, c, round*7+1)
		checked = CheckWhole(t, c, checked, acked)
	}
	t.Logf("%d batches were acknowledged", acked+1)
	if acked < 10 {
		t.Errorf("only %d batches were acknowledged in all rounds", acked)
	}
}

// killed lets the child acknowledge at least n batches, kills it in the middle of the next ones, and
// gives the number of the last batch that it acknowledged.
func killed(t *testing.T, c Crasher, n int) (acked int) {
	t.Helper()
	cmd := c.Child(t.Context())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked = -1
	lines := bufio.NewScanner(out)
	for seen := 1; lines.Scan(); seen++ {
		if acked, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("child wrote %q", lines.Text())
		}
		if seen == n {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL; what it wrote before is still read
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Fatalf("the child was to be killed, but ended: %v\n%s", err, stderr.String())
	}
	return acked
}

// CheckWhole checks that the ledger that [WriteUntilKilled] wrote holds every batch that it acknowledged,
// acked being the number of the last (-1 = none), and no part of another. Batches before checked were
// looked at earlier. It gives how many there are.
func CheckWhole(t *testing.T, c Crasher, checked, acked int) int {
	t.Helper()
	s, err := c.Open(t.Context())
	if err != nil {
		t.Fatalf("open after the kill: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	last := must[int64](t)(s.Last(t.Context()))
	batches := int(last) / perBatch
	if last%perBatch != 0 {
		t.Errorf("the ledger ends at %d, within a batch of %d", last, perBatch)
	}
	if batches < acked+1 {
		t.Errorf("%d batches are left, %d were acknowledged", batches, acked+1)
	}
	for n := max(0, checked-2); n < batches; n++ {
		wholeBatch(t, s, n)
	}
	b := numberedBatch(batches)
	if _, err := s.Run(t.Context(), b.Runs[0].Key); err == nil {
		t.Errorf("a run of batch %d is there without its records", batches)
	}
	if _, err := s.Instance(t.Context(), b.Instances[0].Key); err == nil {
		t.Errorf("the instance of batch %d is there without its records", batches)
	}
	return batches
}

func wholeBatch(t *testing.T, s store.Store, n int) {
	t.Helper()
	b := numberedBatch(n)
	for i := range b.Records {
		b.Records[i].Seq = int64(n*perBatch + i + 1)
	}
	same(t, fmt.Sprint("records of batch ", n), must[[]store.Entry](t)(s.After(t.Context(), int64(n*perBatch), perBatch)), b.Records)
	for i := range b.Runs {
		if _, err := s.Run(t.Context(), b.Runs[i].Key); err != nil {
			t.Errorf("batch %d: %v", n, err)
		}
	}
	in := must[chain.Instance](t)(s.Instance(t.Context(), b.Instances[0].Key))
	same(t, "node", in.Nodes[0], b.Nodes[0].State)
	sent := must[[]store.Intent](t)(s.Intents(t.Context(), store.IntentFilter{Token: b.Intents[0].Token}))
	if len(sent) != 1 || sent[0].State != chain.SendSent {
		t.Errorf("batch %d: its intent is %+v", n, sent)
	}
	same(t, "edges", must[[]store.Edge](t)(s.Edges(t.Context(), b.Intents[0].Token)), b.Edges)
}
