// Package peer starts real peers for tests: an OpenSSH server on a free port of 127.0.0.1 with host
// keys, authorized keys and a home folder of its own, and, where the machine allows it, the real cron
// daemon with a spool of its own. A [Line] in between breaks the connection in the ways that networks
// do.
//
// Nothing here knows anything of Signalbox: a misreading of a protocol must not pass on both sides.
// Everything that is started is stopped again when the test ends, by its process id.
package peer
