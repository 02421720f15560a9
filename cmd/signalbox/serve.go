package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"

	"github.com/spf13/cobra"

	"signalbox/adapters"
	"signalbox/config"
	"signalbox/federation"
	"signalbox/federation/store/sqlite"
	"signalbox/ui"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run Signalbox: watch the sources, release jobs, serve the web page and the API",
		Long: "Runs until SIGINT or SIGTERM. Then it takes no new work, records what is under way, and ends within the\n" +
			"time of one poll. After kill -9 or a crash, start it again: it goes on from the ledger.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
}

func (a *app) serve(ctx context.Context) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	log := newLog(a.errOut, cfg.Log)
	token := ""
	if !cfg.API.Token.IsZero() {
		if token, err = cfg.API.Token.Resolve(); err != nil {
			return fail(exitInput, "api.token: %w", err)
		}
	}
	st, err := sqlite.Open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer closing(log, st)
	sources, err := openSources(cfg.Sources, log)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range sources {
			closing(log, s)
		}
	}()
	engine, err := federation.New(federation.Options{
		Store: st, Sources: sources, Definitions: cfg.Chains, Node: cfg.Node, Log: log,
	})
	if err != nil {
		return err
	}
	server, err := ui.New(ui.Options{Engine: engine, Store: st, Listen: cfg.Listen, Token: token, Version: version(), Log: log}) //nolint:contextcheck // what renders a page late has no context
	if err != nil {
		return fail(exitInput, "%w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fail(exitUnavailable, "listen on %s: %w (is another Signalbox running? set listen in %s)", cfg.Listen, err, cfg.Path)
	}
	log.Info("signalbox is serving", slog.String("url", "http://"+listener.Addr().String()), slog.String("version", version()),
		slog.String("database", cfg.Database), slog.Int("sources", len(sources)), slog.Int("chains", len(cfg.Chains)))
	return together(ctx, engine.Run, func(ctx context.Context) error { return server.Serve(ctx, listener) })
}

// together runs parts until ctx ends or one of them does; then it ends the others and waits for them.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			defer stop()
			errs[i] = part(ctx)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// openSources makes all sources, or reports everything that keeps one from being made.
func openSources(configured []config.Source, log *slog.Logger) ([]*adapters.Source, error) {
	var sources []*adapters.Source
	var errs []error
	for i := range configured {
		s, err := openSource(&configured[i], log, false)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sources = append(sources, s)
	}
	if len(errs) > 0 {
		for _, s := range sources {
			closing(log, s)
		}
		return nil, &coded{exitInput, errors.Join(errs...)}
	}
	return sources, nil
}

func openSource(c *config.Source, log *slog.Logger, readOnly bool) (*adapters.Source, error) {
	adapter, opts, err := c.Open(log)
	if err != nil {
		return nil, err
	}
	opts.ReadOnly = opts.ReadOnly || readOnly
	s, err := adapters.NewSource(adapter, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("source %s: %w", c.Name, err), adapter.Close())
	}
	return s, nil
}

func closing(log *slog.Logger, c io.Closer) {
	if err := c.Close(); err != nil {
		log.Warn("cannot close", slog.Any("error", err))
	}
}

func newLog(w io.Writer, c config.Log) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
