package chain

import (
	"bytes"
	"cmp"
)

// The orders in which things are looked at. None depends on what was known or touched first, so that a
// restart changes neither decisions nor the order of their receipts.

func comparePlaces(a, b place) int {
	return cmp.Or(compareKeys(a.key, b.key), cmp.Compare(a.index, b.index))
}

// compareWatchers puts them in an order that does not depend on which plan was known first.
func compareWatchers(a, b watcher) int {
	return cmp.Or(cmp.Compare(a.plan.def.Chain, b.plan.def.Chain),
		bytes.Compare(a.plan.version[:], b.plan.version[:]), cmp.Compare(a.index, b.index))
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.BusinessDate, b.BusinessDate), cmp.Compare(a.Cycle, b.Cycle))
}
