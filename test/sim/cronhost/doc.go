// Package cronhost simulates a host with cron that is reached over SSH, with bad manners on purpose. It
// is for tests and demonstrations and no production server: it runs whatever an authorised client or its
// crontab says, as the user who runs the simulator.
//
// A [Host] is an SSH server on the loopback interface that runs real commands through a real shell in a
// folder of its own, a crontab command, and a small cron daemon with a clock of its own. What goes wrong
// is set with [Faults] and can be changed while the host runs. What was asked of it is kept in a command
// log ([Host.Commands]), what cron ran in a run log ([Host.Runs]), and [Host.Snapshot] proves that
// nothing was changed. It needs Linux.
//
// It is written from the protocols only and shares no code with the adapters that are tested against it.
// The README in the folder above lists where it differs from a real host.
package cronhost
