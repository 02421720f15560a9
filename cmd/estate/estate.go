package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"signalbox/test/sim/cronhost"
)

//go:embed hosts
var hosts embed.FS

// options are the flags.
type options struct {
	dir    string
	fast   time.Duration
	listen string
	skew   time.Duration
}

func (o *options) check() error {
	if o.dir == "" {
		return fmt.Errorf("%w: --dir is missing: name a folder for the estate", errUsage)
	}
	if o.fast < time.Second || o.fast > time.Minute {
		return fmt.Errorf("%w: --fast %s: want 1s to 1m", errUsage, o.fast)
	}
	if ip := net.ParseIP(o.listen); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%w: --listen %s: want a loopback address: whoever gets in runs commands here", errUsage, o.listen)
	}
	return nil
}

// serve runs the estate until ctx ends.
func (o *options) serve(ctx context.Context, out io.Writer) (err error) {
	e, err := o.start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.stop()) }()
	if err := e.write(); err != nil {
		return err
	}
	e.introduce(out)
	<-ctx.Done()
	return nil
}

// estate is the hosts as they run.
type estate struct {
	dir   string // absolute
	hosts []*cronhost.Host
}

// start brings up both hosts, or none.
func (o *options) start() (*estate, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	e := &estate{dir: dir}
	for _, folder := range []string{"keys", "chains", filepath.Join("shared", "outgoing")} {
		if err := os.MkdirAll(e.path(folder), 0o750); err != nil {
			return nil, err
		}
	}
	key, err := cronhost.NewKeyFile(e.keyFile())
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"hosta", "hostb"} {
		h, err := o.host(e, name, key)
		if err != nil {
			return nil, errors.Join(err, e.stop())
		}
		e.hosts = append(e.hosts, h)
	}
	return e, nil
}

// host brings up one host at the address that it had before, if it had one.
func (o *options) host(e *estate, name string, key ssh.PublicKey) (*cronhost.Host, error) {
	address := net.JoinHostPort(o.listen, "0")
	keptIn := e.path(name, "address")
	kept, err := os.ReadFile(keptIn)
	if err == nil {
		address = strings.TrimSpace(string(kept))
		if ip, _, _ := net.SplitHostPort(address); ip != o.listen {
			return nil, fmt.Errorf("%s listened on %s, not on %s: use --listen %s, or another --dir", name, address, o.listen, ip)
		}
	}
	if err := e.furnish(name); err != nil {
		return nil, err
	}
	crontab, err := hosts.ReadFile("hosts/" + name + "/crontab")
	if err != nil {
		return nil, err
	}
	cfg := cronhost.Config{
		Dir:            e.path(name),
		Address:        address,
		AuthorizedKeys: []ssh.PublicKey{key},
		Crontab:        strings.ReplaceAll(string(crontab), "@SHARED@", e.path("shared")),
		Minute:         o.fast,
		Mail:           true,
	}
	if name == "hostb" {
		cfg.Offset = o.skew
	}
	h, err := cronhost.Start(cfg)
	if err != nil {
		if kept != nil {
			err = fmt.Errorf("%w (its address is kept in %s: free it, or use another --dir)", err, keptIn)
		}
		return nil, err
	}
	if err := os.WriteFile(keptIn, []byte(h.Addr()+"\n"), 0o600); err != nil {
		return nil, errors.Join(err, h.Stop())
	}
	return h, nil
}

// furnish puts a host's job scripts into its home, where they are not there yet.
func (e *estate) furnish(name string) error {
	scripts, err := fs.Glob(hosts, "hosts/"+name+"/*.sh")
	if err != nil {
		return err
	}
	jobs := e.path(name, "home", "jobs")
	if err := os.MkdirAll(jobs, 0o750); err != nil {
		return err
	}
	for _, script := range scripts {
		text, err := hosts.ReadFile(script)
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(jobs, filepath.Base(script)), string(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// stop ends both hosts and all that runs on them.
func (e *estate) stop() error {
	var errs []error
	for _, h := range e.hosts {
		errs = append(errs, h.Stop())
	}
	return errors.Join(errs...)
}

func (e *estate) path(parts ...string) string {
	return filepath.Join(append([]string{e.dir}, parts...)...)
}

// introduce says where everything is.
func (e *estate) introduce(out io.Writer) {
	var b strings.Builder
	b.WriteString("estate: simulated cron hosts, for demonstrations and tests only\n")
	for _, h := range e.hosts {
		fmt.Fprintf(&b, "  %s          %s, files in %s\n", filepath.Base(h.Dir()), h.Addr(), h.Dir())
	}
	_, port, _ := net.SplitHostPort(e.hosts[0].Addr())
	fmt.Fprintf(&b, "  configuration  %s, %s\n", e.path("signalbox.yaml"), e.path("chains", "nightly.yaml"))
	fmt.Fprintf(&b, "  log in         ssh -i %s -o UserKnownHostsFile=%s -p %s ops@%s\n",
		e.keyFile(), e.knownHosts(), port, strings.TrimSuffix(e.hosts[0].Addr(), ":"+port))
	b.WriteString("Ctrl-C ends everything; the folder stays.\n")
	_, _ = io.WriteString(out, b.String()) // Nobody listening is no reason to stop.
}
