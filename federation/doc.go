// Package federation is the engine: it takes what sources deliver, makes it durable together with
// every decision that follows, and carries the decisions out.
//
// One goroutine, the committer, owns the chain state and is the only writer. It drains whatever
// queued while the last commit ran and writes it in one transaction: observations, decisions, receipts
// and intents together (group commit, no timer). Effects workers claim an intent once, durably, before
// they ask a source to start anything; what came of it is recorded before it is believed. After a
// crash the engine goes on from the ledger alone.
package federation
