package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"signalbox/adapters"
)

// fault makes an error of the contract from whatever the key files, the network or the SSH library
// said. It is the one place that decides the kind.
func fault(err error, op, address string, effect adapters.Effect) *adapters.Error {
	if done, ok := errors.AsType[*adapters.Error](err); ok {
		return done
	}
	kind, fix := judge(err)
	return &adapters.Error{Kind: kind, Op: op, Subject: address, Effect: effect, Fix: fix, Err: err}
}

func judge(err error) (kind adapters.Kind, fix string) {
	var no *refusal
	var none *ssh.AlgorithmNegotiationError
	var dns *net.DNSError
	var full *ssh.OpenChannelError
	switch {
	case errors.As(err, &no) && no.unsupported:
		return adapters.Unsupported, no.fix
	case errors.As(err, &no):
		return adapters.Denied, no.fix
	case errors.As(err, &none):
		return adapters.Unsupported, "the host's SSH server is too old for today's algorithms: update it"
	case errors.As(err, &full):
		return adapters.Unavailable, "the host allows no further session on the connection: look at MaxSessions in its sshd_config"
	case errors.As(err, &dns) && dns.IsNotFound:
		return adapters.Unavailable, "the host name is not known: check the source's host, or the name server"
	case errors.Is(err, syscall.ECONNREFUSED):
		return adapters.Unavailable, "nothing listens there: check the source's host and port, and that sshd runs"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return adapters.Unavailable, ""
	case errors.Is(err, context.Canceled), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return adapters.Unavailable, ""
	}
	// The library has no type for these.
	text := err.Error()
	switch {
	case strings.Contains(text, "unable to authenticate"), strings.Contains(text, "Too many authentication failures"):
		return adapters.Denied, "the host does not accept the key: add the .pub file beside the source's key_file to ~/.ssh/authorized_keys of the account there"
	case strings.Contains(text, "ssh: command") && strings.HasSuffix(text, "failed"):
		return adapters.Rejected, "the SSH server refuses to run commands for this key: look at its authorized_keys line and sshd_config"
	}
	return adapters.Unavailable, ""
}
