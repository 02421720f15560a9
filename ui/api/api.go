// Package api is the REST interface under /api/v1: what is known about sources, jobs, runs, chains and
// their instances, the records behind it, a stream of changes, and the commands a person or program
// may give. It has its own JSON types, so that the inside may change without breaking clients.
//
// Lists come a page at a time: "next" in the answer is the address of the following page and is
// absent on the last one. What is not known is left out, never zero. Times are RFC 3339 in UTC.
// Errors are problem+json (RFC 9457).
package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// Engine is what the API needs of a running engine. Its methods may be called from any goroutine.
type Engine interface {
	// Sources tells how every source stands now, sorted by name.
	Sources() []federation.SourceStatus
	// Subscribe gives changes as they become durable, until ctx ends. It never blocks the engine: a
	// subscriber that is too slow finds its channel closed and must read again what it shows.
	Subscribe(ctx context.Context) <-chan federation.Change
	// Explain says why each node of an open instance stands where it stands; a closed one gives nothing.
	Explain(ctx context.Context, k chain.Key) ([]chain.Explanation, error)
	// Command carries out what a person asked for. It returns once that is durable.
	Command(ctx context.Context, c chain.Command) (federation.CommandResult, error)
	// Cancel asks the source to stop a run. What became of it is learnt by polling.
	Cancel(ctx context.Context, run job.RunKey, actor, reason string) error
	// PollNow polls a source at once, also one that is stopped after a denied login.
	PollNow(ctx context.Context, source string) error
	// ReadLog gives the tail of what a run printed.
	ReadLog(ctx context.Context, run job.RunKey) (federation.RunLog, error)
}

// Store is what the API reads.
type Store interface {
	store.Ledger
	store.View
	// Definition gives one version of a chain, current or not.
	Definition(ctx context.Context, version job.Hash) (chain.Definition, error)
}

// Options wire an [API].
type Options struct {
	Engine  Engine
	Store   Store
	Version string           // of Signalbox
	Now     func() time.Time // required
	Log     *slog.Logger     // required
	// Stopping is closed when the server stops: streams end at once. Nil = never.
	Stopping <-chan struct{}
}

// API answers requests.
type API struct {
	engine   Engine
	store    Store
	version  string
	now      func() time.Time
	log      *slog.Logger
	stopping <-chan struct{}
}

// New makes an API.
func New(o Options) *API {
	return &API{engine: o.Engine, store: o.Store, version: o.Version, now: o.Now, log: o.Log, stopping: o.Stopping}
}

// Gates are the middlewares that decide who may call what.
type Gates struct {
	Read   echo.MiddlewareFunc // for everything that only reads
	Change echo.MiddlewareFunc // for everything that changes something
}

// Mount adds every route to a group, which is usually /api/v1.
func (a *API) Mount(g *echo.Group, gates Gates) {
	for _, r := range a.routes() {
		var gate []echo.MiddlewareFunc
		switch r.access {
		case accessRead:
			gate = append(gate, gates.Read)
		case accessChange:
			gate = append(gate, gates.Change)
		case accessOpen:
		}
		g.Add(r.method, r.path, strict(r.query, r.handler), gate...)
	}
}
