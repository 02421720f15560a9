//go:build race

package chain

// racing tells that the race detector is on. There is nothing to race for in a package without goroutines;
// its tests then go through fewer random worlds, since each costs ten times as much.
const racing = true
