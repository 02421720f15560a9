// Package load holds the load benchmarks: each measures a piece of Signalbox beside its floor in the
// same run and prints the ratio, since absolute figures change with the machine and the hour. Nothing
// here fails because of a clock. README.md says how to run them and what they gave.
package load
