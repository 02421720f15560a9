// Package adapters is the contract between Signalbox and the schedulers it sits above: a small
// required part ([Adapter]), optional abilities as one interface each, everything else declared as
// data ([Properties]), a few error kinds ([Error]) and the wrapper [Source] that owns what would
// otherwise be repeated in every adapter.
//
// An adapter translates and decides nothing. On failure it returns nothing rather than a part. What it
// does not understand it passes on as [job.Unknown] with the native text kept. How to write one is
// told in CONTRIBUTING.md; the suite that every adapter must pass is in adapters/adaptertest.
package adapters
