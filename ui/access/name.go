package access

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxName = 60

// CheckName cleans what somebody says who they are. An empty name is allowed.
func CheckName(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case !utf8.ValidString(s):
		return "", errors.New("the name is not UTF-8")
	case utf8.RuneCountInString(s) > maxName:
		return "", errors.New("the name is longer than 60 characters")
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return "", errors.New("the name holds characters that cannot be shown")
	}
	return s, nil
}
