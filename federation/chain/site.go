package chain

import "time"

// KindSite is the record kind of [Site].
const KindSite = "site/1"

// Site is the first record of a ledger: the random name of the installation, from which the tokens of
// its starts are derived.
type Site struct {
	Created time.Time `json:"created"` // UTC
	Name    string    `json:"name"`
}
