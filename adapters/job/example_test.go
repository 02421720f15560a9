package job_test

import (
	"fmt"
	"time"

	"signalbox/adapters/job"
)

// Observations may arrive late, twice and in any order: they make the same run.
func ExampleMerge() {
	key := job.RunKey{Source: "mvs", Job: "GLEXTR", Native: "JOB00042"}
	began := time.Date(2025, 3, 30, 1, 0, 0, 0, time.UTC)
	running := job.Observation{Run: key, Attempt: 1, State: job.Running, At: job.At(began), Started: job.At(began)}
	ended := job.Observation{Run: key, Attempt: 1, State: job.Succeeded, At: job.At(began.Add(time.Minute))}

	var run job.Run
	for _, o := range []job.Observation{ended, running, ended} {
		record, err := o.Seal()
		if err != nil {
			fmt.Println(err)
			return
		}
		var changed bool
		run, changed = job.Merge(run, &o, record.Hash)
		fmt.Println(run.State(), changed)
	}
	fmt.Println(run.Key, "began", run.Begun().At.Format(time.TimeOnly))
	// Output:
	// succeeded true
	// succeeded true
	// succeeded false
	// mvs/GLEXTR#JOB00042 began 01:00:00
}

func ExampleMayMove() {
	failed := job.Status{Attempt: 1, State: job.Failed}
	fmt.Println(job.MayMove(failed, job.Status{Attempt: 1, State: job.Running})) // not within one attempt
	fmt.Println(job.MayMove(failed, job.Status{Attempt: 2, State: job.Running})) // repaired
	// Output:
	// false
	// true
}

func ExampleObservation_Seal() {
	o := job.Observation{Run: job.RunKey{Source: "web1", Job: "backup", Native: "7"}, Attempt: 1, State: job.Running}
	record, err := o.Seal()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.Kind)
	fmt.Println(string(record.Body))
	var back job.Observation
	fmt.Println(record.Open(job.KindObservation, &back), back.State)
	// Output:
	// observation/1
	// {"attempt":1,"run":{"job":"backup","native":"7","source":"web1"},"sighting":{"seen":"0001-01-01T00:00:00Z"},"state":"running"}
	// <nil> running
}

func ExampleObservation_Check() {
	o := job.Observation{Run: job.RunKey{Source: "web1", Job: "backup", Native: "7"}, Attempt: 1, State: job.Unknown}
	fmt.Println(o.Check())
	o.Reason = job.NotSeen
	fmt.Println(o.Check())
	// Output:
	// state unknown without a reason
	// <nil>
}

func ExampleParseRunKey() {
	key := job.RunKey{Source: "findb", Job: "Load GL #2", Native: "41", Epoch: "2025-03-30T01:00:00Z"}
	fmt.Println(key)
	back, err := job.ParseRunKey(key.String())
	fmt.Println(back == key, err)
	// Output:
	// findb/Load GL %232#41@2025-03-30T01:00:00Z
	// true <nil>
}

func ExampleParseRef() {
	ref, err := job.ParseRef("etl/dags/nightly marts")
	fmt.Printf("%q %q %v\n", ref.Source, ref.Job, err)
	_, err = job.ParseRef("nightly")
	fmt.Println(err)
	// Output:
	// "etl" "dags/nightly marts" <nil>
	// job "nightly": want SOURCE/JOB
}
