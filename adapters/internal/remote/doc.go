// Package remote keeps one SSH connection to one host and runs commands on it.
//
// The connection is made with the first call and made again by the next call after it broke; it is
// watched by keepalives of its own and closed hard when the peer stays silent. Host keys are checked
// strictly against a known_hosts file; an unknown or a changed key is refused, and the error says what
// was offered, what was expected and what a person can do.
//
// A login shell of any kind stands between us and the command, and what it prints is not ours. So only
// two forms are sent: "exec /bin/sh -s" with a script on its input ([Host.Script]), and "exec PATH
// WORDS" with plain characters ([Host.Tool]). Every answer stands between random marks; an answer
// without its end mark is never handed on.
//
// Whatever goes wrong becomes an error of the adapters' contract in one place (fault.go).
package remote
