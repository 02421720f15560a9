package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"signalbox/adapters"
	"signalbox/adapters/internal/remote"
	"signalbox/test/peer"
)

// dial makes a connection to a host, changed as the test wants.
func dial(t *testing.T, h *peer.Host, edit func(*remote.Options)) *remote.Host {
	t.Helper()
	o := remote.Options{Host: "127.0.0.1", Port: h.Port, User: h.User, KeyFile: h.KeyFile, KnownHosts: h.KnownHosts}
	if edit != nil {
		edit(&o)
	}
	r, err := remote.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// overLine makes a connection that goes over a line.
func overLine(t *testing.T, h *peer.Host, edit func(*remote.Options)) (*remote.Host, *peer.Line) {
	t.Helper()
	line := peer.NewLine(t, h.Addr)
	h.Trust(t, line.Port)
	return dial(t, h, func(o *remote.Options) {
		o.Port = line.Port
		if edit != nil {
			edit(o)
		}
	}), line
}

// says runs a script and gives what it printed.
func says(t *testing.T, r *remote.Host, script string) string {
	t.Helper()
	ans, err := r.Script(t.Context(), "test", script)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return string(ans.Text)
}

func TestScript(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	if err := os.WriteFile(filepath.Join(h.Home, ".bashrc"), []byte("echo welcome; printf 'no line feed'; echo to stderr >&2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := dial(t, h, nil)
	for script, want := range map[string]string{
		"echo hi":           "hi\n",
		"printf 'a\\n\\nb'": "a\n\nb",
		"":                  "",
		"echo " + remote.Quote("it's $HOME `x` \\ \"q\"\n!") + "; exit": "it's $HOME `x` \\ \"q\"\n!\n",
		"printf '\\n\\n'; cat": "\n\n", // nothing to read
		"printf '\\000\\377'":  "\x00\xff",
	} {
		if script == "" {
			script = ":"
		}
		if got := says(t, r, script); got != want {
			t.Errorf("%q: %q, want %q", script, got, want)
		}
	}
	ans, err := r.Script(t.Context(), "test", "echo oops >&2; exit 7")
	if err != nil || ans.Status != 7 || !strings.Contains(ans.Errors, "oops") {
		t.Errorf("%v %+v", err, ans)
	}
	// A script that is no shell is a script that never began: nothing of it ran.
	if _, err := r.Script(t.Context(), "test", "echo a; if"); adapters.KindOf(err) != adapters.Malformed {
		t.Errorf("a broken script: %v", err)
	}
	if r.Logins() != 1 || r.Peer().Fingerprint != h.Fingerprint(t) {
		t.Errorf("%d logins, %+v", r.Logins(), r.Peer())
	}
}

func TestTool(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	tool := filepath.Join(h.Bin, "tool")
	script := "#!/bin/sh\necho \"$1 begin\"\necho \"$2\"\ncat\nprintf '\\n%s end 0\\n' \"$1\"\n"
	if err := os.WriteFile(tool, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := dial(t, h, nil)
	ans, err := r.Tool(t.Context(), "test", remote.Call{Path: tool, Words: []string{"word"}, Input: func(mark string) []byte { return []byte(mark) }})
	if err != nil || string(ans.Text) != "word\n"+ans.Mark {
		t.Errorf("%v %q", err, ans.Text)
	}
	if _, err = r.Tool(t.Context(), "test", remote.Call{Path: tool + "-not"}); !errors.Is(err, remote.ErrNoTool) {
		t.Errorf("no tool: %v", err)
	}
	_, err = r.Tool(t.Context(), "test", remote.Call{Path: tool, Words: []string{"; id"}})
	if adapters.KindOf(err) != adapters.Unsupported || adapters.EffectOf(err) != adapters.EffectNone {
		t.Errorf("words for a shell: %v", err)
	}
	if err := os.WriteFile(tool, []byte("#!/bin/sh\necho \"$1 begin\"\necho half\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err = r.Tool(t.Context(), "test", remote.Call{Path: tool}); adapters.KindOf(err) != adapters.Malformed {
		t.Errorf("without an end mark: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	locked := h.NewKey(t, "locked", "open-sesame")
	h.Allow(t, locked)
	other := peer.Start(t, peer.Options{})
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	known, err := os.ReadFile(other.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	wrong := write("wrong", "# comment\n"+strings.ReplaceAll(string(known), fmt.Sprint(other.Port), fmt.Sprint(h.Port)))
	for _, tt := range []struct {
		name string
		edit func(*remote.Options)
		kind adapters.Kind
		has  []string // in the error or what to do
	}{
		{"key not let in", func(o *remote.Options) { o.KeyFile = h.NewKey(t, "stranger", "") }, adapters.Denied, []string{"unable to authenticate", "authorized_keys"}},
		{"no key file", func(o *remote.Options) { o.KeyFile = filepath.Join(dir, "none") }, adapters.Denied, []string{"cannot read the key file", "ssh-keygen"}},
		{"no key", func(o *remote.Options) { o.KeyFile = write("nokey", "hello") }, adapters.Unsupported, []string{"not a private key", "OpenSSH"}},
		{"public key", func(o *remote.Options) { o.KeyFile = h.KeyFile + ".pub" }, adapters.Unsupported, []string{"not the .pub file"}},
		{"encrypted key", func(o *remote.Options) { o.KeyFile = locked }, adapters.Denied, []string{"is encrypted", "passphrase"}},
		{"wrong passphrase", func(o *remote.Options) { o.KeyFile, o.Passphrase = locked, "let-me-in" }, adapters.Denied, []string{"cannot decrypt", "passphrase"}},
		{"unknown host key", func(o *remote.Options) { o.KnownHosts = write("empty", "") }, adapters.Denied, []string{h.Fingerprint(t), "not known", fmt.Sprintf("[127.0.0.1]:%d ssh-ed25519 AAAA", h.Port)}},
		{"no known_hosts", func(o *remote.Options) { o.KnownHosts = filepath.Join(dir, "none") }, adapters.Denied, []string{h.Fingerprint(t), "add this line"}},
		{"bad known_hosts", func(o *remote.Options) { o.KnownHosts = write("bad", "host ssh-ed25519 rubbish!\n") }, adapters.Denied, []string{"known_hosts", "repair"}},
		{"changed host key", func(o *remote.Options) { o.KnownHosts = wrong }, adapters.Denied, []string{"has changed", h.Fingerprint(t), other.Fingerprint(t), wrong + ":2", "replace line 2"}},
		{"revoked host key", func(o *remote.Options) {
			text, _ := os.ReadFile(h.KnownHosts)
			o.KnownHosts = write("revoked", "@revoked "+string(text))
		}, adapters.Denied, []string{"revoked", h.Fingerprint(t)}},
		{"only another kind of key known", func(o *remote.Options) {
			o.KnownHosts = write("rsa", fmt.Sprintf("[127.0.0.1]:%d %s\n", h.Port, rsaKey))
		}, adapters.Denied, []string{"has changed", "ssh-keyscan"}},
		{"nobody listens", func(o *remote.Options) { o.Port = 1 }, adapters.Unavailable, []string{"refused", "sshd runs"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := dial(t, h, tt.edit)
			_, err := r.Script(t.Context(), "poll", "echo hi")
			var e *adapters.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			text := e.Error() + " | " + e.Fix
			if e.Kind != tt.kind || e.Effect != adapters.EffectNone || !strings.HasPrefix(text, "poll 127.0.0.1:") {
				t.Errorf("%s %q: %s", e.Kind, e.Effect, text)
			}
			for _, s := range tt.has {
				if !strings.Contains(text, s) {
					t.Errorf("%s\nlacks %q", text, s)
				}
			}
			if strings.Contains(text, "let-me-in") || strings.Contains(text, "open-sesame") {
				t.Errorf("a secret is in %q", text)
			}
		})
	}
	good := dial(t, h, func(o *remote.Options) { o.KeyFile, o.Passphrase = locked, "open-sesame" })
	says(t, good, "true")
}

const rsaKey = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDGVhRTTgZM1BLbxDOIqiwuF0OpIQDrZpUHQpyRbXcqdAj2+H4J8LSPk1zG1h9r+OkAFSHaDLqBuTLQVhRJXm3EW7zQVAEc0vwE5YdbkKPmYxZiZ3DwbpgEQ0iNaUrWqkUpOkJcqV4iVyQUMIiMRFjyqbdpZqEWVqPBzZ8oTFbtvw=="

func TestNoLogin(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{Config: []string{"ForceCommand echo 'This account is currently not available.'; exit 1"}})
	_, err := dial(t, h, nil).Script(t.Context(), "poll", "echo hi")
	if adapters.KindOf(err) != adapters.Denied || !strings.Contains(err.Error(), "not available") {
		t.Errorf("%v", err)
	}
}

func TestReconnects(t *testing.T) {
	t.Parallel()
	r, line := overLine(t, peer.Start(t, peer.Options{}), nil)
	says(t, r, "true")
	says(t, r, "true")
	if line.Opened() != 1 {
		t.Errorf("%d connections for two calls", line.Opened())
	}
	line.Cut()
	says(t, r, "true") // nothing was sent over the dead line, so the call is made on a new one
	if line.Opened() != 2 || r.Logins() != 2 {
		t.Errorf("%d connections, %d logins", line.Opened(), r.Logins())
	}
}

func TestCutInTheMiddle(t *testing.T) {
	t.Parallel()
	r, line := overLine(t, peer.Start(t, peer.Options{}), nil)
	says(t, r, "true")
	line.CutAfter(20_000)
	_, err := r.Script(t.Context(), "poll", "head -c 100000 /dev/zero")
	if adapters.KindOf(err) != adapters.Unavailable || adapters.EffectOf(err) != adapters.EffectUnknown {
		t.Errorf("%v (%s)", err, adapters.EffectOf(err))
	}
}

func TestSilentPeer(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	r, line := overLine(t, h, func(o *remote.Options) { o.Timeout = time.Second })
	line.Freeze()
	_, err := r.Script(t.Context(), "poll", "true")
	if adapters.KindOf(err) != adapters.Unavailable || adapters.EffectOf(err) != adapters.EffectNone || !strings.Contains(err.Error(), "no answer within 1s") {
		t.Errorf("a silent login: %v", err)
	}
	line.Thaw()
	says(t, r, "true")
	line.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = r.Script(ctx, "poll", "true")
	if adapters.KindOf(err) != adapters.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent connection: %v", err)
	}
	// The stuck session costs the connection, and then everything works again.
	line.Thaw()
	says(t, r, "true")
}

func TestKeepaliveGivesUpASilentPeer(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	r, line := overLine(t, h, func(o *remote.Options) { o.Keepalive = 100 * time.Millisecond })
	says(t, r, "true")
	line.Freeze()
	// Nobody cancels this call: only the keepalive ends it.
	_, err := r.Script(t.Context(), "poll", "true")
	if adapters.KindOf(err) != adapters.Unavailable {
		t.Errorf("%v", err)
	}
	line.Thaw()
	says(t, r, "true")
}

func TestCancelEndsTheCommand(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	r := dial(t, h, nil)
	ctx, cancel := context.WithCancel(t.Context())
	mark := filepath.Join(h.Home, "began")
	done := make(chan error, 1)
	go func() {
		_, err := r.Script(ctx, "poll", "touch "+mark+"; while :; do echo x; sleep 0.05; done")
		done <- err
	}()
	peer.Eventually(t, 10*time.Second, "the command runs", func() bool {
		_, err := os.Stat(mark)
		return !errors.Is(err, fs.ErrNotExist)
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || adapters.EffectOf(err) != adapters.EffectUnknown {
		t.Errorf("%v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := r.Script(ctx, "poll", "true"); adapters.EffectOf(err) != adapters.EffectNone {
		t.Errorf("cancelled before: %v", err)
	}
	says(t, r, "true")
}

func TestAnswerIsCapped(t *testing.T) {
	t.Parallel()
	r := dial(t, peer.Start(t, peer.Options{}), nil)
	_, err := r.Script(t.Context(), "poll", "yes")
	if adapters.KindOf(err) != adapters.Malformed || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
	says(t, r, "true")
}

func TestSessionsAtOnce(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	r := dial(t, h, func(o *remote.Options) { o.Sessions = 3 })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := r.Script(t.Context(), "poll", "sleep 0.1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	open, peak := 0, 0
	for line := range strings.Lines(h.Log()) {
		switch {
		case strings.Contains(line, "Starting session: "):
			open++
			peak = max(peak, open)
		case strings.Contains(line, "Close session: "):
			open--
		}
	}
	if peak > 3 || peak < 2 || r.Logins() != 1 {
		t.Errorf("%d sessions at once, %d logins", peak, r.Logins())
	}
}

// TestMaxSessions meets a server that allows fewer sessions than we want.
func TestMaxSessions(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{Config: []string{"MaxSessions 1"}})
	r := dial(t, h, nil)
	for range 5 {
		says(t, r, "true") // the one before still counts for a moment
	}
	ctx, cancel := context.WithCancel(t.Context())
	mark := filepath.Join(h.Home, "began")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.Script(ctx, "poll", "touch "+mark+"; sleep 30")
	}()
	peer.Eventually(t, 10*time.Second, "the only session is taken", func() bool {
		_, err := os.Stat(mark)
		return err == nil
	})
	_, err := r.Script(t.Context(), "poll", "true")
	if adapters.KindOf(err) != adapters.Unavailable || adapters.EffectOf(err) != adapters.EffectNone || !strings.Contains(err.Error(), "open failed") {
		t.Errorf("%v %q", err, adapters.EffectOf(err))
	}
	if r.Logins() != 1 {
		t.Errorf("%d logins", r.Logins())
	}
	cancel()
	<-done
}

func TestClose(t *testing.T) {
	t.Parallel()
	r := dial(t, peer.Start(t, peer.Options{}), nil)
	says(t, r, "true")
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Script(t.Context(), "poll", "true"); err == nil {
		t.Error("a closed connection answers")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := remote.Options{Host: "h", User: "u", KeyFile: "k", KnownHosts: "n"}
	if r, err := remote.New(good); err != nil || r.Address() != "u@h:22" {
		t.Errorf("%v", err)
	}
	for name, edit := range map[string]func(*remote.Options){
		"host":     func(o *remote.Options) { o.Host = "" },
		"user":     func(o *remote.Options) { o.User = "" },
		"key":      func(o *remote.Options) { o.KeyFile = "" },
		"known":    func(o *remote.Options) { o.KnownHosts = "" },
		"port":     func(o *remote.Options) { o.Port = 70000 },
		"sessions": func(o *remote.Options) { o.Sessions = 9 },
	} {
		o := good
		edit(&o)
		if _, err := remote.New(o); err == nil {
			t.Errorf("%s was not missed", name)
		}
	}
}
