// Package ui is the web server: it binds the REST interface (ui/api) and the pages (ui/pages) to one
// listener, behind the rules of ui/access.
package ui

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/ui/access"
	"signalbox/ui/api"
	"signalbox/ui/pages"
)

// Engine is what the web server needs of a running engine.
type Engine interface {
	api.Engine
	pages.Engine
}

// Store is what it reads. A store.Store is one.
type Store interface {
	api.Store
	pages.Store
}

// Options say what to serve and to whom.
type Options struct {
	Engine  Engine           // required
	Store   Store            // required
	Listen  string           // HOST:PORT as configured; its host is a name that the server answers to
	Hosts   []string         // further names that it answers to, without port
	Token   string           // empty = only loopback is served, and nothing can be changed
	Version string           // of Signalbox
	Now     func() time.Time // [time.Now]
	Log     *slog.Logger     // [discard]
}

// Server serves.
type Server struct {
	echo     *echo.Echo
	pages    *pages.Pages
	token    bool
	exposed  atomic.Bool // other machines can reach it
	log      *slog.Logger
	stopping chan struct{} // closed when the server stops: streams end
	once     sync.Once
}

// Times that bound a request. Streams renew their own write deadline.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 5 * time.Second
	maxHeader     = 32 << 10
	maxBody       = 64 << 10
)

// New makes a server. It refuses options that would serve other machines without a token.
func New(o Options) (*Server, error) {
	if o.Engine == nil || o.Store == nil {
		return nil, errors.New("web server: an engine and a store are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{echo: echo.New(), token: o.Token != "", log: o.Log, stopping: make(chan struct{})}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("web server: listen %q: %w", o.Listen, err)
	}
	if err := s.expose(!loopbackHost(host), o.Listen); err != nil {
		return nil, err
	}
	guard, err := access.New(access.Policy{Token: o.Token, Hosts: hostNames(append(o.Hosts, host)), Now: o.Now}, s.exposed.Load)
	if err != nil {
		return nil, fmt.Errorf("web server: %w", err)
	}
	return s, s.mount(o, guard)
}

// stop ends the streams.
func (s *Server) stop() { s.once.Do(func() { close(s.stopping) }) }

// expose settles whether other machines can reach the server.
func (s *Server) expose(exposed bool, where string) error {
	if exposed && !s.token {
		return fmt.Errorf("web server: cannot serve %s, which other machines can reach, without a token: configure one or listen on 127.0.0.1", where)
	}
	s.exposed.Store(exposed)
	return nil
}

func (s *Server) mount(o Options, guard *access.Guard) error {
	p, err := pages.New(pages.Options{Engine: o.Engine, Store: o.Store, Guard: guard, Version: o.Version, Now: o.Now, Log: o.Log})
	if err != nil {
		return fmt.Errorf("web server: %w", err)
	}
	a := api.New(api.Options{Engine: o.Engine, Store: o.Store, Version: o.Version, Now: o.Now, Log: o.Log, Stopping: s.stopping})
	e := s.echo
	s.pages = p
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.answerError
	e.Pre(rawPath)
	e.Use(s.recoverPanic, secureHeaders, limitBody, guard.CheckHost, guard.CheckOrigin, guard.Identify)
	a.Mount(e.Group(apiPrefix), api.Gates{Read: guard.Read, Change: guard.Bearer})
	p.Mount(e)
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve answers on ln until ctx ends, then ends streams at once and lets other requests finish for a
// few seconds. It closes ln. It is called once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer s.stop()
	if err := s.expose(!loopbackAddr(ln.Addr()), ln.Addr().String()); err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("web server: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("web server: stop: %w", err), srv.Close())
	}
	return nil
}

// hostNames gives the names to answer to, in the form in which they are compared. An unspecified
// address is no name.
func hostNames(hosts []string) []string {
	var out []string
	for _, h := range hosts {
		h = strings.ToLower(strings.TrimSuffix(strings.Trim(h, "[]"), "."))
		if a, err := netip.ParseAddr(h); h == "" || err == nil && a.IsUnspecified() {
			continue
		}
		out = append(out, h)
	}
	return out
}

// loopbackHost tells whether a host as configured is loopback for certain. An empty one means every
// address.
func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}

func loopbackAddr(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}
