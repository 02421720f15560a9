// Package adaptertest is the suite that every adapter must pass, whatever its peer. A test of the
// adapter writes a [Harness] that drives the peer (a simulator or the real thing) and calls [Run].
//
// A case that the peer makes impossible is not skipped in silence: the harness lists it in Gaps with
// the reason, where a reviewer sees it. A case that is neither listed nor possible fails. Where the
// peer itself is missing, [NeedPeer] skips on a laptop and fails in CI.
//
// That the suite can fail is proved by the reference adapter in adaptertest/memory: for each case
// there is a wrong variant of it that the case must catch.
package adaptertest
