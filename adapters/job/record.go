package job

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Hash is a SHA-256. The zero Hash is absent.
type Hash [sha256.Size]byte

// IsZero tells whether the hash is absent.
func (h Hash) IsZero() bool { return h == Hash{} }

// String gives 64 lower-case hexadecimal digits, or nothing for the zero Hash.
func (h Hash) String() string {
	if h.IsZero() {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// Short gives the first 12 digits, for people.
func (h Hash) Short() string {
	if h.IsZero() {
		return ""
	}
	return hex.EncodeToString(h[:6])
}

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It accepts what String gives.
func (h *Hash) UnmarshalText(text []byte) error {
	*h = Hash{}
	if len(text) == 0 {
		return nil
	}
	if len(text) != 2*len(h) {
		return fmt.Errorf("hash %q: want %d hexadecimal digits", text, 2*len(h))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("hash %q: %w", text, err)
	}
	return nil
}

// Sum hashes raw bytes, such as a native payload.
func Sum(raw []byte) Hash { return sha256.Sum256(raw) }

// Record is canonical bytes with the kind that says how to read them.
//
// Encoding, version 1 of every kind: one JSON object in UTF-8 without white space; keys are snake_case
// and stand in ascending order at every level; absent fields are left out; numbers are integers within
// ±2^53; times are RFC 3339 in UTC with as many fractional digits as needed; hashes are 64 hexadecimal
// digits; strings escape only what JSON demands, and U+2028 and U+2029. Bytes that are not UTF-8
// became U+FFFD before encoding. The hash is SHA-256 over kind, one LF, and the bytes. A kind carries
// its version behind a slash ("observation/1"); an encoding never changes under one version.
type Record struct {
	Kind string
	Body []byte
	Hash Hash
}

// KindObservation is the kind of an encoded [Observation].
const KindObservation = "observation/1"

// Seal encodes v as a record. v must be a struct whose fields, and those of the structs in it, are
// declared in ascending order of their JSON keys; a test of each record type checks that.
func Seal(kind string, v any) (Record, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return Record{}, fmt.Errorf("seal %s: %w", kind, err)
	}
	body := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	body = replaceEscaped(body)
	return Record{Kind: kind, Body: body, Hash: HashOf(kind, body)}, nil
}

// replaceEscaped writes U+FFFD as itself. The encoder escapes it where it stands for bytes that were not
// UTF-8 and nowhere else, so that a decoded record would be encoded differently.
func replaceEscaped(body []byte) []byte {
	const escaped = `\ufffd`
	if !bytes.Contains(body, []byte(escaped)) {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] != '\\':
			out = append(out, body[i])
		case bytes.HasPrefix(body[i:], []byte(escaped)):
			out = utf8.AppendRune(out, utf8.RuneError)
			i += len(escaped) - 1
		default: // another escape: its second byte may be a backslash
			out = append(out, body[i], body[i+1])
			i++
		}
	}
	return out
}

// HashOf computes the hash that a record of this kind and body must carry.
func HashOf(kind string, body []byte) Hash {
	h := sha256.New()
	h.Write([]byte(kind))
	h.Write([]byte{'\n'})
	h.Write(body)
	return Hash(h.Sum(nil))
}

// Open decodes a record into v. It refuses another kind, a body that does not match the hash, unknown
// fields and trailing text.
func (r Record) Open(kind string, v any) error {
	if r.Kind != kind {
		return fmt.Errorf("open record: kind %q, want %q", r.Kind, kind)
	}
	if HashOf(r.Kind, r.Body) != r.Hash {
		return fmt.Errorf("open record %s: the bytes do not match the hash", r.Hash.Short())
	}
	dec := json.NewDecoder(bytes.NewReader(r.Body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("open %s %s: %w", kind, r.Hash.Short(), err)
	}
	if dec.More() {
		return fmt.Errorf("open %s %s: text behind the record", kind, r.Hash.Short())
	}
	return nil
}

// Seal encodes the observation.
func (o *Observation) Seal() (Record, error) {
	e := encoder{b: make([]byte, 0, 1024)}
	if e.observation(o); e.err != nil {
		return Record{}, fmt.Errorf("seal %s: %w", KindObservation, e.err)
	}
	body := bytes.Clone(e.b)
	return Record{Kind: KindObservation, Body: body, Hash: HashOf(KindObservation, body)}, nil
}

// Fingerprint hashes what the source said, without who saw it and when: two sightings of one fact
// have one fingerprint.
func (o *Observation) Fingerprint() Hash {
	c := *o
	c.Sighting = Sighting{}
	e := encoder{b: make([]byte, 0, 1024)}
	if e.observation(&c); e.err != nil {
		return Hash{} // a time that cannot be written, which Check refuses
	}
	return HashOf(KindObservation, e.b)
}
