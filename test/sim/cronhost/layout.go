package cronhost

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	_ "embed" // for the scripts
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

//go:embed scripts/crontab.sh
var crontabScript string

//go:embed scripts/date.sh
var dateScript string

// path joins below the host's folder.
func (h *Host) path(parts ...string) string {
	return filepath.Join(append([]string{h.cfg.Dir}, parts...)...)
}

// layOut makes the host's folder what it must be; what an earlier host left is kept.
func (h *Host) layOut() error {
	if strings.ContainsAny(h.cfg.Dir, "'\n") {
		return fmt.Errorf("folder %q: a quote or a line feed in the name is more than the scripts can bear", h.cfg.Dir)
	}
	for _, dir := range []string{"home", "bin", "etc", "var/cron/tabs", "var/mail"} {
		if err := os.MkdirAll(h.path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := h.lock(); err != nil {
		return err
	}
	script := strings.NewReplacer("@USER@", h.cfg.User, "@VAR@", h.path("var", "cron")).Replace(crontabScript)
	if err := replaceFile(h.path("bin", "crontab"), []byte(script), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(h.tabFile()); h.cfg.Crontab != "" && errors.Is(err, fs.ErrNotExist) {
		if err := h.SetCrontab(h.cfg.Crontab); err != nil {
			return err
		}
	}
	return h.makeMark()
}

// makeMark gives the host its mark. With one that was there already an earlier host may have left
// processes.
func (h *Host) makeMark() error {
	name := h.path("etc", "mark")
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte(rand.Text() + "\n")
		err = replaceFile(name, text, 0o600)
	case err == nil:
		h.started.Store(true)
	}
	h.mark = markName + "=" + strings.TrimSpace(string(text))
	return err
}

// lock keeps a second host out of the folder: it would end this one's processes.
func (h *Host) lock() error {
	f, err := os.OpenFile(h.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return fmt.Errorf("folder %s is in use by another host: %w", h.cfg.Dir, err)
	}
	h.lockFile = f
	return nil
}

// replaceFile writes a file so that nobody ever sees a part of it.
func replaceFile(name string, text []byte, mode fs.FileMode) error {
	temporary := name + ".new"
	if err := os.WriteFile(temporary, text, mode); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// NewKeyFile gives the public half of the private key in a file, which is made (ed25519, OpenSSH format,
// readable by its owner only) if it is missing.
func NewKeyFile(name string) (ssh.PublicKey, error) {
	signer, err := keySigner(name, newEd25519)
	if err != nil {
		return nil, err
	}
	return signer.PublicKey(), nil
}

// hostKeys gives the host's two keys, ed25519 and ECDSA as on a stock OpenSSH server, made if missing.
func (h *Host) hostKeys(prefix string) ([]ssh.Signer, error) {
	first, err := keySigner(h.path("etc", prefix+"ed25519_key"), newEd25519)
	if err != nil {
		return nil, err
	}
	second, err := keySigner(h.path("etc", prefix+"ecdsa_key"), newECDSA)
	if err != nil {
		return nil, err
	}
	return []ssh.Signer{first, second}, nil
}

func newEd25519() (any, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

func newECDSA() (any, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func keySigner(name string, fresh func() (any, error)) (ssh.Signer, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(name, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("cronhost: key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("cronhost: key %s: %w", name, err)
	}
	return signer, nil
}

func makeKey(name string, fresh func() (any, error)) ([]byte, error) {
	key, err := fresh()
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "cronhost simulator")
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(block)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return text, replaceFile(name, text, 0o600)
}
