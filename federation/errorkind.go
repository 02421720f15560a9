package federation

import (
	"errors"

	"signalbox/adapters"
)

// ErrorKind gives the kind of a source's error ("unavailable", "denied", …) and what a person can do
// about it. Both are empty for any other error. It lets the faces tell errors apart without knowing
// adapters.
func ErrorKind(err error) (kind, fix string) {
	var e *adapters.Error
	if !errors.As(err, &e) {
		return "", ""
	}
	return string(e.Kind), e.Fix
}
