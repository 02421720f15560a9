package cron

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/internal/remote"
)

// Options say which crontab on which host. Zero values mean the defaults in brackets.
type Options struct {
	Source     string // name of the source, as configured; required
	Host       string // name or address; required
	Port       int    // of SSH [22]
	User       string // account on the host, whose crontab it is; required
	KeyFile    string // private key for SSH; required
	Passphrase string // of the key, if it is encrypted
	KnownHosts string // known_hosts file with the host's key; required
	Dir        string // folder of Signalbox on the host, relative to the home folder [.signalbox]
	// Dial makes the TCP connection [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  *slog.Logger // [discard]
}

// Adapter is one crontab on one host. Its methods may be called from several goroutines.
type Adapter struct {
	o    Options
	host *remote.Host

	mu    sync.Mutex
	facts facts          // what the last probe said
	table *crontab.Table // as last read; nil = never
	sum   string         // checksum of the table as the host computes it
}

var (
	_ adapters.Adapter   = (*Adapter)(nil)
	_ adapters.Lister    = (*Adapter)(nil)
	_ adapters.Starter   = (*Adapter)(nil)
	_ adapters.Finder    = (*Adapter)(nil)
	_ adapters.Canceller = (*Adapter)(nil)
	_ adapters.Holder    = (*Adapter)(nil)
	_ adapters.LogReader = (*Adapter)(nil)
	_ adapters.Deployer  = (*Adapter)(nil)
)

var dirForm = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

// New checks the options. It makes no call.
func New(o Options) (*Adapter, error) {
	if o.Source == "" || strings.Contains(o.Source, "/") {
		return nil, fmt.Errorf("cron: source name %q: want a name without a slash", o.Source)
	}
	if o.Dir == "" {
		o.Dir = ".signalbox"
	}
	if !dirForm.MatchString(o.Dir) || strings.Contains("/"+o.Dir+"/", "/../") {
		return nil, fmt.Errorf("cron: folder %q: want a path below the home folder, of letters, digits, dots, dashes and underscores", o.Dir)
	}
	host, err := remote.New(remote.Options{
		Host: o.Host, Port: o.Port, User: o.User, KeyFile: o.KeyFile, Passphrase: o.Passphrase, KnownHosts: o.KnownHosts,
		Dial: o.Dial, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("cron: %w", err)
	}
	return &Adapter{o: o, host: host}, nil
}

// Close implements [adapters.Adapter].
func (a *Adapter) Close() error { return a.host.Close() }

// Properties implements [adapters.Adapter].
func (a *Adapter) Properties() adapters.Properties {
	a.mu.Lock()
	f := a.facts
	a.mu.Unlock()
	peer := a.host.Peer()
	p := adapters.Properties{
		Peer: f.peer(), Version: f.version, Address: a.host.Address(), HostKey: peer.Fingerprint,
		Kind: adapters.EventSource, Zone: f.zone, Start: adapters.StartSearchable, Confidence: "",
		Budget: adapters.Budget{PollsPerMinute: 60, Concurrent: 4, CallTimeout: 30 * time.Second},
		Rights: f.rights(a.o), KnownGaps: f.gaps(),
	}
	if f.known() {
		p.Confidence = f.confidence()
		if !f.deployed() {
			p.Start = adapters.StartNone
		}
	}
	if peer.OpenKey {
		p.Weaknesses = append(p.Weaknesses, fmt.Sprintf("the key file %s can be read by other accounts of this machine: chmod 600 it", a.o.KeyFile))
	}
	return p
}

// fail makes an error about this host.
func (a *Adapter) fail(kind adapters.Kind, op string, effect adapters.Effect, fix string, err error) *adapters.Error {
	return &adapters.Error{Kind: kind, Op: op, Subject: a.host.Address(), Effect: effect, Fix: fix, Err: err}
}

// reading gives an error of the connection the effect that it has where nothing was to be changed: none.
func reading(err error) error {
	var e *adapters.Error
	if errors.As(err, &e) && e.Effect != adapters.EffectNone {
		c := *e
		c.Effect = adapters.EffectNone
		return &c
	}
	return err
}
