// Package cron is the adapter for cron on a host that is reached over SSH.
//
// What it can promise depends on one thing. Without the wrapper on the host (see [Adapter.Deploy]) cron
// tells nobody how a job ended, so nothing is observed: the jobs and their schedules are listed, and
// every end is unknown. With the wrapper each run leaves its start and its end in a spool on the host,
// which [Adapter.Poll] reads with one command, however many jobs there are; and jobs can be started
// exactly once per token, since the runner on the host itself claims the token.
//
// README.md beside this file has the rights that it needs, what every native status becomes, what is
// changed on the host and how to undo it by hand.
package cron
