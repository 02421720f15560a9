package cron

import "regexp"

// secretForms find what looks like a secret in a command line. What is configured as a secret is
// redacted by adapters.Source; this is for what people write into crontabs.
var secretForms = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?i)((?:pass(?:wd|word|phrase)?|pwd|secret|token|api_?-?key|access_?-?key|auth)[a-z_]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&;|]+)`), "${1}(redacted)"},
	{regexp.MustCompile(`(?i)(--?(?:pass(?:wd|word|phrase)?|secret|token|api-?key)\s+)("[^"]*"|'[^']*'|[^\s&;|-][^\s&;|]*)`), "${1}(redacted)"},
	{regexp.MustCompile(`(?i)((?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}`), "${1}(redacted)"},
	{regexp.MustCompile(`(://[^/\s:@]+:)[^/\s@]+@`), "${1}(redacted)@"},
	{regexp.MustCompile(`(\bmysql\S*\b[^|;&]*?\s-p)[^\s]+`), "${1}(redacted)"},
}

// conceal takes what looks like a secret out of a command line, for display.
func conceal(command string) string {
	for _, s := range secretForms {
		command = s.form.ReplaceAllString(command, s.with)
	}
	return command
}
