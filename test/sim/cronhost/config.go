package cronhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config says what kind of host to simulate. Only Dir is needed.
type Config struct {
	Dir            string          // the host's own folder, made if missing; a folder of an earlier host goes on
	Name           string          // host name as seen in mail subjects; empty = last part of Dir
	User           string          // the only account; empty = "ops"
	Address        string          // where to listen; empty = a free port of 127.0.0.1
	AuthorizedKeys []ssh.PublicKey // who may log in; empty = the key pair in [Host.ClientKeyFile]
	Crontab        string          // installed unchecked if the account has no table yet
	Offset         time.Duration   // the host's clock minus the real one
	Minute         time.Duration   // length of one of cron's minutes; 0 = a minute; negative = cron's clock stands still
	Zone           string          // IANA zone of the host; empty = the machine's
	Mail           bool            // keep what jobs print in var/mail/USER; else it is dropped
	OwnBootID      bool            // give the host a boot id of its own: needed for Reboot, see [CanOwnBootID]
	Environment    []string        // further NAME=value for sessions and jobs
	ServerVersion  string          // SSH identification; empty = "SSH-2.0-cronhost_simulator"
	LogSize        int             // commands and runs kept, oldest dropped first; 0 = 2,000 of each
	Faults         Faults          // in force from the start
}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("cronhost: Config.Dir is empty: name the host's folder")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("cronhost: %s: %w", c.Dir, err)
	}
	c.Dir = dir
	if c.Name == "" {
		c.Name = filepath.Base(dir)
	}
	if c.User == "" {
		c.User = "ops"
	}
	if strings.ContainsAny(c.User, "/' \t\n") {
		return c, fmt.Errorf("cronhost: user %q: must be a plain account name", c.User)
	}
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	if c.Minute == 0 {
		c.Minute = time.Minute
	}
	if c.ServerVersion == "" {
		c.ServerVersion = "SSH-2.0-cronhost_simulator"
	}
	if c.LogSize <= 0 {
		c.LogSize = 2000
	}
	return c, c.Faults.check()
}

// location gives the host's zone and the TZ that its processes get; an empty TZ means the machine's
// own zone.
func (c Config) location() (*time.Location, string, error) {
	if c.Zone == "" {
		return time.Local, os.Getenv("TZ"), nil
	}
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, "", fmt.Errorf("cronhost: zone %q: %w", c.Zone, err)
	}
	return loc, c.Zone, nil
}
