package crontab

import "strings"

// parseEnv reads "name = value" the way the Vixie family does. Quotes are optional on both sides; an
// unquoted value is trimmed at its end and may hold blanks; nothing is expanded. ok is false for
// everything that is no setting, which then is read as an entry.
func parseEnv(line string, d Dialect) (name, value string, ok bool) {
	name, rest, quoted, ok := envWord(line, true)
	if !ok || (name == "" && !quoted) {
		return "", "", false
	}
	rest = strings.TrimLeft(rest, blanks)
	if !strings.HasPrefix(rest, "=") {
		return "", "", false
	}
	rest = strings.TrimLeft(rest[1:], blanks)
	if rest == "" {
		return name, "", d == Cronie // Debian takes the line for an entry, and fails
	}
	value, rest, quoted, ok = envWord(rest, false)
	if !ok || strings.Trim(rest, blanks) != "" {
		return "", "", false
	}
	if !quoted {
		value = strings.TrimRight(value, blanks)
	}
	return name, value, true
}

const blanks = " \t\r\f\v"

// envWord reads one side of a setting.
func envWord(text string, isName bool) (word, rest string, quoted, ok bool) {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		end := strings.IndexByte(text[1:], text[0])
		if end < 0 {
			return "", "", true, false
		}
		word = text[1 : 1+end]
		if isName && strings.Contains(word, "=") {
			return "", "", true, false
		}
		return word, text[2+end:], true, true
	}
	if !isName {
		return text, "", false, true
	}
	end := strings.IndexAny(text, blanks+"=")
	if end < 0 {
		return "", "", false, false
	}
	return text[:end], text[end:], false, true
}

// splitCommand gives the text that the shell gets and the input that the job gets, from the command as
// written: the first bare % ends the command, later ones are line feeds of the input. hasInput tells an
// empty input from none.
func splitCommand(raw string, d Dialect) (text, input string, hasInput bool) {
	if d == BusyBox {
		return raw, "", false // it knows no %
	}
	var b []byte
	escaped := false
	for i := range len(raw) {
		c := raw[i]
		switch {
		case escaped && (c == '%' || (c == '\\' && d != Cronie)):
			b[len(b)-1] = c // the backslash before it is dropped
			escaped = false
			continue
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '%':
			return string(b), commandInput(raw[i+1:]), true
		}
		b = append(b, c)
	}
	return string(b), "", false
}

// commandInput turns what stands behind the first bare % into the job's input.
func commandInput(raw string) string {
	var b []byte
	escaped, open := false, false
	for i := range len(raw) {
		c := raw[i]
		if escaped {
			if c != '%' {
				b = append(b, '\\')
			}
		} else if c == '%' {
			c = '\n'
		}
		if escaped = c == '\\'; !escaped {
			b = append(b, c)
			open = c != '\n'
		}
	}
	if escaped {
		b = append(b, '\\')
	}
	if open {
		b = append(b, '\n')
	}
	return string(b)
}
