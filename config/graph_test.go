package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomChain makes a chain of n nodes with dependencies between any of them.
func randomChain(r *rand.Rand, n, edges int) *chainDraft {
	c := &chainDraft{}
	for i := range n {
		c.nodes = append(c.nodes, &nodeDraft{name: fmt.Sprint("n", i)})
	}
	for i := range edges {
		from := c.nodes[r.IntN(n)]
		from.after = append(from.after, afterDraft{node: fmt.Sprint("n", r.IntN(n)), at: Place{Line: i + 1}})
	}
	return c
}

// dependsOn tells whether there is a dependency, and where.
func (c *chainDraft) dependsOn(node, upstream string) bool {
	return slices.ContainsFunc(c.node(node).after, func(a afterDraft) bool { return a.node == upstream })
}

// startable counts the nodes that can be reached by finishing nodes one after the other: all of them
// if and only if there is no cycle. It is an algorithm unlike the one under test.
func (c *chainDraft) startable() int {
	done := map[string]bool{}
	for again := true; again; {
		again = false
		for _, n := range c.nodes {
			ready := !slices.ContainsFunc(n.after, func(a afterDraft) bool { return !done[a.node] })
			if ready && !done[n.name] {
				done[n.name], again = true, true
			}
		}
	}
	return len(done)
}

// TestCyclesOfRandomChains checks that every cycle that is named exists, and that without the
// dependencies that are pointed at there is none.
func TestCyclesOfRandomChains(t *testing.T) {
	t.Parallel()
	cyclic := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(8)
		c := randomChain(r, n, r.IntN(2*n+1))
		for _, node := range c.nodes { // reported elsewhere
			node.after = slices.DeleteFunc(node.after, func(a afterDraft) bool { return a.node == node.name })
		}
		cycles := c.cycles()
		if (len(cycles) == 0) != (c.startable() == n) {
			t.Fatalf("seed %d: %d cycles, but %d of %d nodes can start", seed, len(cycles), c.startable(), n)
		}
		closing := map[int]bool{}
		for _, k := range cycles {
			cyclic++
			closing[k.at.Line] = true
			if len(k.path) < 3 || k.path[0] != k.path[len(k.path)-1] {
				t.Fatalf("seed %d: %v is no cycle", seed, k.path)
			}
			for i := 1; i < len(k.path); i++ {
				if !c.dependsOn(k.path[i], k.path[i-1]) {
					t.Fatalf("seed %d: %v: %s does not wait for %s", seed, k.path, k.path[i], k.path[i-1])
				}
			}
		}
		for _, node := range c.nodes {
			seen := map[string]bool{}
			node.after = slices.DeleteFunc(node.after, func(a afterDraft) bool {
				again := seen[a.node] && closes(cycles, node.name, a.node) // given twice: reported once
				seen[a.node] = true
				return closing[a.at.Line] || again
			})
		}
		if c.startable() != n {
			t.Fatalf("seed %d: there are cycles that were not named: %v", seed, cycles)
		}
	}
	if cyclic < 500 {
		t.Errorf("only %d cycles were seen", cyclic)
	}
}

// closes tells whether a reported cycle is closed by this dependency.
func closes(cycles []cycle, node, upstream string) bool {
	return slices.ContainsFunc(cycles, func(k cycle) bool { return k.path[0] == upstream && k.path[1] == node })
}

// TestSinceCut checks that local times are counted from the beginning of the business date.
func TestSinceCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cut, at string
		want    int
	}{
		{"00:00", "00:00", 0},
		{"00:00", "23:59", 1439},
		{"18:00", "18:00", 0},
		{"18:00", "20:30", 150},
		{"18:00", "05:45", 705},
		{"18:00", "17:59", 1439},
		{"23:59", "00:00", 1},
	} {
		d := &chainDraft{dayCut: c.cut}
		if got := d.sinceCut(c.at); got != c.want {
			t.Errorf("%s in a business date from %s: %d minutes, want %d", c.at, c.cut, got, c.want)
		}
	}
}
