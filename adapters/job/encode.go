package job

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// The encoder of this file writes what encoding/json writes, several times faster: every observation is
// encoded more than once on its way into the ledger, and that is most of what ingest costs. A test
// compares both, byte by byte.

// encoder appends one canonical JSON value to b.
type encoder struct {
	b   []byte
	err error // the first one
}

// key begins a member of an object.
func (e *encoder) key(name string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

// told writes a text that is left out when it is empty.
func (e *encoder) told(name, s string) {
	if s != "" {
		e.text(name, s)
	}
}

func (e *encoder) text(name, s string) {
	e.key(name)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			e.quote(s)
			return
		}
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, s...)
	e.b = append(e.b, '"')
}

// quote writes a text that holds something to be escaped.
func (e *encoder) quote(s string) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		e.fail(err)
		return
	}
	e.b = append(e.b, replaceEscaped(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))...)
}

func (e *encoder) number(name string, n int64) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, n, 10)
}

func (e *encoder) flag(name string, v bool) {
	e.key(name)
	e.b = strconv.AppendBool(e.b, v)
}

func (e *encoder) hash(name string, h Hash) {
	e.key(name)
	e.b = append(e.b, '"')
	e.b = hex.AppendEncode(e.b, h[:])
	e.b = append(e.b, '"')
}

func (e *encoder) time(name string, t time.Time) {
	e.key(name)
	e.b = append(e.b, '"')
	b, err := t.AppendText(e.b)
	if err != nil {
		e.fail(err)
		return
	}
	e.b = append(b, '"')
}

func (e *encoder) moment(name string, m *Moment) {
	if m.IsZero() {
		return
	}
	e.key(name)
	e.b = append(e.b, '{')
	e.time("at", m.At)
	if m.Inferred {
		e.flag("inferred", true)
	}
	e.told("text", m.Text)
	e.told("zone", m.Zone)
	e.b = append(e.b, '}')
}

func (e *encoder) runKey(name string, k *RunKey) {
	e.key(name)
	e.b = append(e.b, '{')
	e.told("epoch", k.Epoch)
	e.text("job", k.Job)
	e.text("native", k.Native)
	e.text("source", k.Source)
	e.b = append(e.b, '}')
}

func (e *encoder) outputs(all []Output) {
	if len(all) == 0 {
		return
	}
	e.key("outputs")
	e.b = append(e.b, '[')
	for i := range all {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(e.b, '{')
		e.text("name", all[i].Name)
		e.text("type", all[i].Type)
		e.text("value", all[i].Value)
		e.b = append(e.b, '}')
	}
	e.b = append(e.b, ']')
}

func (e *encoder) sighting(s *Sighting) {
	e.key("sighting")
	e.b = append(e.b, '{')
	e.told("node", s.Node)
	if s.OffsetMS != nil {
		e.number("offset_ms", *s.OffsetMS)
	}
	if !s.Payload.IsZero() {
		e.hash("payload", s.Payload)
	}
	e.time("seen", s.Seen)
	e.b = append(e.b, '}')
}

func (e *encoder) observation(o *Observation) {
	e.b = append(e.b, '{')
	e.moment("at", &o.At)
	e.number("attempt", int64(o.Attempt))
	e.told("business_date", o.BusinessDate)
	e.told("cause", string(o.Cause))
	e.told("confidence", string(o.Confidence))
	e.told("detail", o.Detail)
	if o.End != (End{}) {
		e.key("end")
		e.b = append(e.b, '{')
		e.told("code", o.End.Code)
		e.told("kind", string(o.End.Kind))
		e.b = append(e.b, '}')
	}
	e.moment("ended", &o.Ended)
	e.told("native_state", o.NativeState)
	e.outputs(o.Outputs)
	if o.Over {
		e.flag("over", true)
	}
	e.moment("planned", &o.Planned)
	e.told("reason", string(o.Reason))
	if o.Releases != nil {
		e.flag("releases", *o.Releases)
	}
	e.told("result", string(o.Result))
	e.runKey("run", &o.Run)
	if o.Seq != 0 {
		e.number("seq", o.Seq)
	}
	e.sighting(&o.Sighting)
	e.moment("started", &o.Started)
	e.text("state", string(o.State))
	e.told("token", o.Token)
	e.b = append(e.b, '}')
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}
