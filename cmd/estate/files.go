package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// chainYAML is a chain over the jobs of both hosts.
const chainYAML = `# Orders from hosta to hostb. Every run of extract opens an instance of this chain.
chain: nightly-load
service: Nightly load
timezone: UTC
day_cut: "00:00"
repeat: extract
keep_open: 10m
jobs:
  extract: {job: hosta/extract}
  load:    {job: hostb/load, after: [extract], stage: drive}
  report:  {job: hostb/report, after: [load], stage: drive}
  notify:  {job: hostb/notify-failure, after: [{job: extract, on: failure}], stage: drive}
stage: watch
`

// sourceYAML is one source.
const sourceYAML = `  %s:
    kind: cron
    host: %s
    port: %s
    user: %s
    key_file: keys/signalbox
    known_hosts: known_hosts
    poll: {fast: 1s, slow: 5s}
`

func (e *estate) keyFile() string    { return e.path("keys", "signalbox") }
func (e *estate) knownHosts() string { return e.path("known_hosts") }

// write puts the files for Signalbox beside the hosts, where they are not there yet. signalbox.yaml
// comes last: when it is there, everything is.
func (e *estate) write() error {
	var known, main strings.Builder
	main.WriteString("# Signalbox for the simulated estate; written once, edit it as you like.\n" +
		"listen: 127.0.0.1:8440\ndatabase: signalbox.db\nchains: [chains/*.yaml]\nsources:\n")
	for _, h := range e.hosts {
		fmt.Fprintln(&known, h.HostKeyLine())
		host, port, err := net.SplitHostPort(h.Addr())
		if err != nil {
			return err
		}
		fmt.Fprintf(&main, sourceYAML, filepath.Base(h.Dir()), host, port, h.User())
	}
	return errors.Join(
		writeNew(e.knownHosts(), known.String(), 0o600),
		writeNew(e.path("chains", "nightly.yaml"), chainYAML, 0o600),
		writeNew(e.path("signalbox.yaml"), main.String(), 0o600),
	)
}

// writeNew writes a file as a whole unless there is one already.
func writeNew(name, text string, mode fs.FileMode) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	temporary := name + ".new"
	if err := os.WriteFile(temporary, []byte(text), mode); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}
