package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// refusal is an error that only a person can remove.
type refusal struct {
	text        string
	fix         string
	unsupported bool // not denied: something that we cannot do
	err         error
}

func (r *refusal) Error() string {
	if r.err != nil {
		return r.text + ": " + r.err.Error()
	}
	return r.text
}

func (r *refusal) Unwrap() error { return r.err }

// keyFile reads the private key for each login, so that a new key is taken without a restart. The
// last one is remembered: to decrypt a key is made slow on purpose. It must not be used from two
// goroutines at once.
type keyFile struct {
	text   []byte
	signer ssh.Signer
}

// read gives the key in a file. open tells that others on our machine may read the file.
func (k *keyFile) read(file, passphrase string) (signer ssh.Signer, open bool, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, false, &refusal{
			text: "cannot read the key file", err: err,
			fix: "make a key with: ssh-keygen -t ed25519 -f " + file + ", and add " + file + ".pub to authorized_keys of the account on the host",
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, false, &refusal{text: "cannot read the key file", err: err, fix: "let the account that runs Signalbox read " + file}
	}
	open = info.Mode().Perm()&0o077 != 0
	if k.signer != nil && bytes.Equal(text, k.text) {
		return k.signer, open, nil
	}
	if signer, err = parseKey(text, file, passphrase); err != nil {
		return nil, false, err
	}
	k.text, k.signer = text, signer
	return signer, open, nil
}

func parseKey(text []byte, file, passphrase string) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(text)
	var encrypted *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &encrypted) && passphrase == "":
		return nil, &refusal{
			text: "the key file " + file + " is encrypted and no passphrase is configured",
			fix:  "set the passphrase of the source by reference (env: or file:), or use a key without one",
		}
	case errors.As(err, &encrypted):
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase)); err != nil {
			return nil, &refusal{text: "cannot decrypt the key file " + file, err: err, fix: "check the passphrase of the source"}
		}
	case err != nil:
		return nil, &refusal{
			text: "the key file " + file + " is not a private key that we understand", err: err, unsupported: true,
			fix: "give the private key (not the .pub file) in OpenSSH or PEM form: ssh-keygen -t ed25519",
		}
	}
	return signer, nil
}

// hostKeys judges the key that a host offers.
type hostKeys struct {
	file       string // known_hosts
	host       string // as configured
	address    string // host:port
	db         *knownhosts.HostKeyDB
	algorithms []string      // of the keys that we know, nil = none known
	offered    ssh.PublicKey // set by check
}

func readKnownHosts(file, host, address string) (*hostKeys, error) {
	db, err := knownhosts.NewDB(file)
	if errors.Is(err, fs.ErrNotExist) {
		db, err = knownhosts.NewDB() // knows nobody; the error about the unknown key says what to do
	}
	if err != nil {
		return nil, &refusal{
			text: "cannot read the known_hosts file", err: err,
			fix: "repair " + file + "; each line is HOST KEYTYPE KEY, as ssh-keyscan prints it",
		}
	}
	return &hostKeys{file: file, host: host, address: address, db: db, algorithms: db.HostKeyAlgorithms(address)}, nil
}

// check is the ssh.HostKeyCallback.
func (k *hostKeys) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	k.offered = key
	// The entry of the name decides. The address behind it is of no use: names move, and a connection
	// may come through something that has no address.
	err := k.db.HostKeyCallback()(k.address, &net.TCPAddr{IP: net.IPv4zero}, key)
	var revoked *xknownhosts.RevokedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return &refusal{
			text: fmt.Sprintf("the host key %s is marked as revoked in %s:%d", ssh.FingerprintSHA256(key), revoked.Revoked.Filename, revoked.Revoked.Line),
			fix:  "do not connect; ask who revoked the key and why",
		}
	case knownhosts.IsHostKeyChanged(err):
		return k.changed(err)
	case knownhosts.IsHostUnknown(err):
		return k.unknown()
	}
	return &refusal{text: "cannot judge the host key " + ssh.FingerprintSHA256(key), err: err, fix: "repair " + k.file}
}

func (k *hostKeys) changed(err error) error {
	var mismatch *xknownhosts.KeyError
	if !errors.As(err, &mismatch) || len(mismatch.Want) == 0 {
		return k.unknown()
	}
	want := make([]string, len(mismatch.Want))
	for i, w := range mismatch.Want {
		want[i] = fmt.Sprintf("%s %s (%s:%d)", w.Key.Type(), ssh.FingerprintSHA256(w.Key), w.Filename, w.Line)
	}
	first := mismatch.Want[0]
	return &refusal{
		text: fmt.Sprintf("the host key has changed: offered %s %s, expected %s",
			k.offered.Type(), ssh.FingerprintSHA256(k.offered), strings.Join(want, " or ")),
		fix: fmt.Sprintf("somebody may be in between: ask the owner of the host whether the key was replaced, and only if so, and the offered "+
			"fingerprint is the host's (ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub there), replace line %d of %s by: %s",
			keyName(k.offered), first.Line, first.Filename, k.line()),
	}
}

func (k *hostKeys) unknown() error {
	return &refusal{
		text: fmt.Sprintf("the host key is not known: offered %s %s, and %s has no entry for %s",
			k.offered.Type(), ssh.FingerprintSHA256(k.offered), k.file, knownhosts.Normalize(k.address)),
		fix: fmt.Sprintf("compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub there), then add this line to %s: %s",
			keyName(k.offered), k.file, k.line()),
	}
}

// explain replaces what the library says about a login that failed because of the host key.
func (k *hostKeys) explain(err error) error {
	var none *ssh.AlgorithmNegotiationError
	if !errors.As(err, &none) || none.What != "host key" || len(k.algorithms) == 0 {
		return err
	}
	known := k.db.HostKeys(k.address)
	want := make([]string, len(known))
	for i, key := range known {
		want[i] = key.Type() + " " + ssh.FingerprintSHA256(key)
	}
	_, port, splitErr := net.SplitHostPort(k.address)
	if splitErr != nil {
		port = "22"
	}
	return &refusal{
		text: fmt.Sprintf("the host key has changed: the host offers only keys of the kinds %s, expected %s (%s)",
			strings.Join(none.RequestedAlgorithms, ", "), strings.Join(want, " or "), k.file),
		fix: fmt.Sprintf("somebody may be in between: ask the owner of the host whether its keys were replaced, and only then replace its lines in %s "+
			"by the output of: ssh-keyscan -p %s %s", k.file, port, k.host),
	}
}

// line is the known_hosts line for the offered key.
func (k *hostKeys) line() string { return knownhosts.Line([]string{k.address}, k.offered) }

func (k *hostKeys) fingerprint() string {
	if k.offered == nil {
		return ""
	}
	return ssh.FingerprintSHA256(k.offered)
}

// keyName is how sshd names its key file for a kind of key: "ed25519", "rsa", "ecdsa".
func keyName(key ssh.PublicKey) string {
	switch kind := key.Type(); {
	case strings.Contains(kind, "ecdsa"):
		return "ecdsa"
	case strings.Contains(kind, "rsa"):
		return "rsa"
	default:
		return "ed25519"
	}
}
