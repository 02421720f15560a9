package all

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"

	"signalbox/adapters"
	"signalbox/adapters/cron"
	"signalbox/config"
)

// cronKind declares the crontab of one account on one host.
func cronKind() config.Kind {
	return config.Kind{
		Name: "cron", Sample: "hosta",
		Help:    "The crontab of one account on a host, reached over SSH.",
		Declare: declareCron,
	}
}

func declareCron() ([]config.Setting, config.Open) {
	var (
		o          cron.Options
		passphrase config.Secret
	)
	settings := []config.Setting{
		{Name: "host", Into: config.Host(&o.Host), Required: true, Example: "hosta.example.org", Help: "The host."},
		{Name: "port", Into: config.Int(&o.Port, 1, 65535), Default: "22", Help: "Its SSH port."},
		{
			Name: "user", Into: config.Text(&o.User, "the name of an account", checkAccount), Required: true, Example: "batch",
			Help: "The account whose crontab it is; it logs in itself.",
		},
		{
			Name: "key_file", Into: config.PrivateFile(&o.KeyFile), Required: true, Example: "keys/id_ed25519",
			Help: "Private key to log in with, readable by its owner only.",
		},
		{
			Name: "passphrase", Into: config.SecretRef(&passphrase), Absent: "the key is not encrypted", Example: "file:keys/passphrase",
			Help: "Passphrase of the key.",
		},
		{
			Name: "known_hosts", Into: config.ReadableFile(&o.KnownHosts), Required: true, Example: "known_hosts",
			Help: "File with the host's key, in the form of OpenSSH (ssh-keyscan writes it; compare the fingerprint). An unknown or changed key is refused.",
		},
		{
			Name: "dir", Into: config.Text(&o.Dir, "a folder on the host", checkFolder), Default: ".signalbox",
			Help: "Folder on the host for the wrapper and its spool, below the account's home folder.",
		},
	}
	return settings, func(source string, log *slog.Logger) (adapters.Adapter, error) {
		opts := o
		opts.Source, opts.Log = source, log
		text, err := passphrase.Resolve()
		if err != nil {
			return nil, err
		}
		opts.Passphrase = text
		a, err := cron.New(opts)
		if err != nil {
			return nil, err // not a, which would be an adapter that is not nil
		}
		return a, nil
	}
}

var errAccount = errors.New("the name of an account holds no blanks, slashes or colons")

func checkAccount(text string) error {
	if strings.ContainsAny(text, " \t/:") || strings.HasPrefix(text, "-") {
		return errAccount
	}
	return nil
}

var (
	folderPattern = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)
	errFolder     = errors.New("want a folder below the home folder, of letters, digits, dots, dashes and underscores")
)

// checkFolder is as strict as the adapter, so that the fault has its line and column.
func checkFolder(text string) error {
	if !folderPattern.MatchString(text) || strings.Contains("/"+text+"/", "/../") {
		return errFolder
	}
	return nil
}
