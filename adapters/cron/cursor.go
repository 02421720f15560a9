package cron

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/job"
)

// cursor says how far a spool was read. Its JSON is what [adapters.Cursor] holds; V is its version.
type cursor struct {
	V      int             `json:"v"`
	Spool  string          `json:"spool,omitempty"` // identity
	Gen    int             `json:"gen,omitempty"`   // newest generation that was seen
	Old    int64           `json:"old,omitempty"`   // bytes read of the generation before it
	New    int64           `json:"new,omitempty"`   // bytes read of it
	Table  string          `json:"table"`           // checksum of the crontab
	Lost   int             `json:"lost,omitempty"`  // records that had found no room
	Blind  time.Time       `json:"blind,omitzero"`  // the spool cannot be written, since
	Open   map[string]open `json:"open,omitempty"`  // runs whose end was not read yet
	Doubts []string        `json:"doubts,omitempty"`
}

// open is a run that has begun. It keeps the job under which the run was reported, which must stay the
// same when the crontab is edited meanwhile.
type open struct {
	Job     string    `json:"job"`
	Started time.Time `json:"started"`
	Token   string    `json:"token,omitempty"`
	Cause   job.Cause `json:"cause"`
}

func readCursor(c adapters.Cursor) (cursor, error) {
	k := cursor{V: 1, Open: map[string]open{}}
	if c == nil {
		return k, nil
	}
	if err := json.Unmarshal(c, &k); err != nil {
		return k, fmt.Errorf("the cursor cannot be read: %w", err)
	}
	if k.V != 1 {
		return k, fmt.Errorf("the cursor has version %d, of a later Signalbox", k.V)
	}
	if k.Open == nil {
		k.Open = map[string]open{}
	}
	return k, nil
}

func (k *cursor) bytes() (adapters.Cursor, error) {
	slices.Sort(k.Doubts)
	text, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("write cursor: %w", err)
	}
	return text, nil
}

// words are the arguments of sb_poll.
func (k *cursor) words(table string) []string {
	spool := k.Spool
	if spool == "" {
		spool = "-"
	}
	if table == "" {
		table = "-"
	}
	return []string{
		spool, generationName(max(k.Gen-1, 0)), fmt.Sprint(k.Old), generationName(k.Gen), fmt.Sprint(k.New), table,
	}
}

// read tells how far a generation was read.
func (k *cursor) read(gen int) int64 {
	switch gen {
	case k.Gen:
		return k.New
	case k.Gen - 1:
		return k.Old
	}
	return 0
}

// advance notes how far generations were read. newest is the one to go on from.
func (k *cursor) advance(newest int, upTo map[int]int64) {
	at := func(gen int) int64 {
		if n, ok := upTo[gen]; ok {
			return n
		}
		return k.read(gen)
	}
	older, newer := at(newest-1), at(newest)
	k.Gen, k.Old, k.New = newest, older, newer
}
