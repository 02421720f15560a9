// Package pages is the web interface for people: server-rendered pages that work without JavaScript,
// kept live by a stream of changes where there is some. One handler a file; templates and static
// files are embedded and checked at start.
package pages

import (
	"context"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/lineage"
	"signalbox/ui/access"
)

// Engine is what the pages need of a running engine. Its methods may be called from any goroutine.
type Engine interface {
	// Sources tells how every source stands now, sorted by name.
	Sources() []federation.SourceStatus
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
	// Abilities says what a person may ask of a source.
	Abilities(source string) federation.Ability
}

// Store is what the pages read.
type Store interface {
	store.Ledger
	store.View
	lineage.Reader
}

// Options wire [Pages].
type Options struct {
	Engine  Engine
	Store   Store
	Guard   *access.Guard
	Version string           // of Signalbox
	Now     func() time.Time // required
	Log     *slog.Logger     // required
}

// Pages answers requests.
type Pages struct {
	engine    Engine
	store     Store
	guard     *access.Guard
	version   string
	now       func() time.Time
	log       *slog.Logger
	assets    *assets
	templates templates
}

// New makes the pages. It fails if a template or a static file is wrong.
func New(o Options) (*Pages, error) {
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	t, err := loadTemplates(a)
	if err != nil {
		return nil, err
	}
	return &Pages{
		engine: o.Engine, store: o.Store, guard: o.Guard, version: o.Version, now: o.Now, log: o.Log, assets: a, templates: t,
	}, nil
}

// Mount adds every page.
func (p *Pages) Mount(e *echo.Echo) {
	e.GET("/static/:file", p.assets.serve)
	e.GET("/login", p.login)
	e.POST("/login", p.signIn)
	e.POST("/logout", p.signOut, p.guard.Session)

	for path, h := range map[string]echo.HandlerFunc{
		"/":               p.show("board", p.board),
		"/chains":         p.show("chains", p.chains),
		"/chains/:name":   p.show("chain", p.chain),
		"/instances/:key": p.show("instance", p.instance),
		"/runs":           p.show("runs", p.runs),
		"/runs/:key":      p.show("run", p.run),
		"/runs/:key/log":  p.show("log", p.runLog),
		"/receipts/:hash": p.show("receipt", p.receipt),
		"/records/:hash":  p.show("record", p.record),
		"/sources":        p.show("sources", p.sources),
		"/sources/:name":  p.show("source", p.source),
		"/jobs":           p.show("jobs", p.jobs),
	} {
		e.GET(path, h, p.guard.Read)
	}
	for path, h := range map[string]echo.HandlerFunc{
		"/instances/:key/nodes": p.command,
		"/runs/:key/cancel":     p.cancel,
		"/sources/:name/poll":   p.poll,
	} {
		e.POST(path, h, p.guard.Session)
	}
}
