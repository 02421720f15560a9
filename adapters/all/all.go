// Package all is the one visible list of the kinds of sources, each with its settings and the way to
// its adapter. A new adapter gets a file here and a line in [Kinds]; nothing registers itself.
package all

import "signalbox/config"

// Kinds lists every kind of source that can be configured, in the order of the reference. Pass it to
// [config.Load] and [config.Reference].
func Kinds() []config.Kind {
	return []config.Kind{cronKind()}
}
