package all_test

import (
	"fmt"
	"os"

	"signalbox/adapters/all"
	"signalbox/config"
)

// Load a configuration with every kind of source there is.
func ExampleKinds() {
	cfg, err := config.Load("../../config/testdata/sample/signalbox.yaml", all.Kinds())
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // every fault of every file, one a line
		return
	}
	for _, s := range cfg.Sources {
		fmt.Println("source", s.Name, "of kind", s.Kind)
	}
	for _, c := range cfg.Chains {
		fmt.Println("chain", c.Chain, "of", len(c.Nodes), "jobs")
	}
	// Output:
	// source hosta of kind cron
	// source hostb of kind cron
	// chain nightly-load of 4 jobs
}
