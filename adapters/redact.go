package adapters

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"signalbox/adapters/job"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// redactor removes secrets from texts: as they are, escaped for URLs, for JSON and for Go, and in
// base64, also where the secret is only a part of what was encoded (as in HTTP basic authentication).
type redactor struct {
	replacer *strings.Replacer // nil = there are no secrets
	forms    []string          // longest first
}

func newRedactor(secrets []string) *redactor {
	var forms []string
	for _, s := range secrets {
		if s != "" {
			forms = append(forms, formsOf(s)...)
		}
	}
	if len(forms) == 0 {
		return &redactor{}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, redacted)
	}
	return &redactor{replacer: strings.NewReplacer(pairs...), forms: forms}
}

// formsOf lists the ways in which a secret may be written.
func formsOf(secret string) []string {
	raw := []byte(secret)
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
	}
	for _, quoted := range []string{strconv.Quote(secret), jsonQuote(secret)} {
		forms = append(forms, strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`))
	}
	const shortest = 6 // below it the aligned parts are so short that they would hit innocent text
	if len(raw) < shortest {
		return forms
	}
	for before := range 3 {
		padded := append(make([]byte, before), raw...)
		first, last := (8*before+5)/6, 8*len(padded)/6 // characters that the secret alone determines
		forms = append(forms,
			base64.RawStdEncoding.EncodeToString(padded)[first:last],
			base64.RawURLEncoding.EncodeToString(padded)[first:last])
	}
	return forms
}

func jsonQuote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s // a string can always be encoded
	}
	return string(b)
}

// text gives s without secrets and as valid UTF-8, so that it is the same after it was stored.
func (r *redactor) text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

// tail cleans the beginning of a text that was cut somewhere: it may begin inside a secret.
func (r *redactor) tail(s string) string {
	for _, f := range r.forms {
		for i := 1; i+4 <= len(f); i++ { // fewer characters give nothing away
			if rest, cut := strings.CutPrefix(s, f[i:]); cut {
				return redacted + rest
			}
		}
	}
	return s
}

func (r *redactor) texts(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = r.text(list[i])
	}
	return list
}

// err gives err itself if no text in its chain holds a secret, else an error with the redacted text
// alone: whoever unwraps it must not find the secret again.
func (r *redactor) err(err error) error {
	if err == nil || !r.holds(err) {
		return err
	}
	return errors.New(r.text(err.Error()))
}

func (r *redactor) holds(err error) bool {
	if s := err.Error(); r.text(s) != s {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // this walks the chain itself
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && r.holds(inner)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), r.holds)
	}
	return false
}

// observation cleans the texts of o. What identifies a run is left alone but for bytes that are not
// UTF-8: an adapter must not build keys from secrets.
func (r *redactor) observation(o *job.Observation) {
	for _, s := range []*string{&o.Run.Job, &o.Run.Native, &o.Run.Epoch} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	o.Detail = r.text(o.Detail)
	o.NativeState = r.text(o.NativeState)
	o.End.Code = r.text(o.End.Code)
	for _, m := range []*job.Moment{&o.At, &o.Planned, &o.Started, &o.Ended} {
		m.Text = r.text(m.Text)
	}
	o.Outputs = slices.Clone(o.Outputs)
	for i := range o.Outputs {
		o.Outputs[i].Name, o.Outputs[i].Value = r.text(o.Outputs[i].Name), r.text(o.Outputs[i].Value)
	}
}

// listing cleans the texts of l in place.
func (r *redactor) listing(l *Listing) {
	for i := range l.Jobs {
		j := &l.Jobs[i]
		j.Title, j.Command, j.Owner, j.Schedule, j.Place = r.text(j.Title), r.text(j.Command), r.text(j.Owner), r.text(j.Schedule), r.text(j.Place)
		j.Problems = r.texts(j.Problems)
	}
	for i := range l.Problems {
		p := &l.Problems[i]
		p.Where, p.What, p.Fix = r.text(p.Where), r.text(p.What), r.text(p.Fix)
	}
}
