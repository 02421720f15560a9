// Package memory is the reference adapter, with a peer that lives in memory: the smallest thing that
// keeps every promise of the contract. The suite is tested with it, and it shows how an adapter is
// written. Peer and adapter share a line-based protocol (see serve.go) and nothing else.
package memory
