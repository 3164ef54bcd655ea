package events

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	specVersion = "1.0"
	contentType = "application/json"
	prefix      = "ce-"
	maxHeaders  = 40
	maxValue    = 1024 // bytes of an attribute before its encoding

	usualHeaders = 24 // room for the attributes and NATS's own
)

// validAttribute is what CloudEvents demands of an attribute's name: 1 to 20 of
// a-z and 0-9.
func validAttribute(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 20
}

// Msg writes the message. A command carries a message id made of its ce-id
// and a digest of its body: the same thing said twice is dropped by the
// stream, another thing under the same id reaches intake and is refused there.
func (e Envelope) Msg() (*nats.Msg, error) {
	if err := e.Validate(); err != nil {
		return nil, fmt.Errorf("write %s %s: %w", e.Type, e.ID, err)
	}
	return e.Written(), nil
}

// Written is [Envelope.Msg] of an envelope that is known to be valid, as one is
// that was made or parsed without an error and not changed since.
func (e Envelope) Written() *nats.Msg {
	m := &nats.Msg{Subject: e.Address.String(), Header: make(nats.Header, usualHeaders), Data: e.Data}
	values := make([]string, 0, usualHeaders)
	put := func(key, value string) {
		values = append(values, percentEncode(value))
		m.Header[key] = values[len(values)-1 : len(values) : len(values)]
	}
	for name, value := range e.Extensions {
		put(prefix+name, value)
	}
	e.eachAttribute(func(key, value string) {
		if value == "" {
			delete(m.Header, key)
			return
		}
		put(key, value)
	})
	if id := e.messageID(); id != "" {
		m.Header.Set(jetstream.MsgIDHeader, id)
	}
	return m
}

// attributes are all of them by their name; those that are not given may be
// empty.
func (e Envelope) attributes() map[string]string {
	a := make(map[string]string, usualHeaders)
	maps.Copy(a, e.Extensions)
	e.eachAttribute(func(key, value string) { a[strings.TrimPrefix(key, prefix)] = value })
	return a
}

// eachAttribute yields the attributes that have a field, by the names of their
// headers. Each takes the place of an extension of that name.
func (e Envelope) eachAttribute(yield func(key, value string)) {
	yield("ce-specversion", specVersion)
	yield("ce-datacontenttype", contentType)
	yield("ce-id", e.ID)
	yield("ce-source", e.Source)
	yield("ce-type", e.Type)
	yield("ce-subject", e.About)
	yield("ce-dataschema", e.DataSchema)
	yield("ce-correlation", e.Correlation)
	if !e.Time.IsZero() {
		yield("ce-time", e.Time.UTC().Format(time.RFC3339Nano))
	}
	if p := e.Position; p != nil {
		yield("ce-channel", p.Channel)
		yield("ce-tx", p.Tx)
		yield("ce-code", p.Code)
		yield("ce-block", strconv.FormatUint(p.Block, 10))
		yield("ce-txindex", strconv.Itoa(p.TxIndex))
		yield("ce-eventindex", strconv.Itoa(p.EventIndex))
	}
}

func (e Envelope) messageID() string {
	switch e.Address.Kind {
	case KindLedger:
		return "" // fenced by sequence; a duplicate id would refuse a whole batch
	case KindCommand:
		sum := sha256.Sum256(e.Data)
		return e.ID + "." + hex.EncodeToString(sum[:16])
	default:
		return e.ID
	}
}

// Parse reads a message. With an error, whose code is [exchange.Invalid], it
// still returns what could be read, so that a refusal can name the command.
func Parse(subject string, header nats.Header, data []byte) (Envelope, error) {
	address, err := ParseSubject(subject)
	e := Envelope{Address: address, Data: data}
	attributes, herr := readHeader(header)
	if ferr := e.take(attributes); herr == nil {
		herr = ferr
	}
	if err == nil {
		err = herr
	}
	if err == nil {
		err = e.Validate()
	}
	return e, err
}

// FromMsg reads a message as a plain subscriber gets it.
func FromMsg(m *nats.Msg) (Envelope, error) { return Parse(m.Subject, m.Header, m.Data) }

// readHeader collects the attributes. Headers without the prefix are NATS's
// own or the application's and no part of the event.
func readHeader(h nats.Header) (map[string]string, error) {
	a := make(map[string]string, len(h))
	if len(h) > maxHeaders {
		return a, invalid("%d headers are more than %d", len(h), maxHeaders)
	}
	if t := h.Get("content-type"); strings.HasPrefix(t, "application/cloudevents") {
		return a, invalid("content-type %q: structured mode is not taken, send binary mode (ce- headers, JSON body)", clip(t))
	}
	var first error
	for _, key := range slices.Sorted(maps.Keys(h)) {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok {
			if strings.HasPrefix(strings.ToLower(key), prefix) && first == nil {
				first = invalid("header %q must be in lower case", clip(key))
			}
			continue
		}
		value, err := readValue(name, h[key])
		if err != nil && first == nil {
			first = err
		}
		if err == nil {
			a[name] = value
		}
	}
	return a, first
}

func readValue(name string, values []string) (string, error) {
	if !validAttribute(name) {
		return "", invalid("attribute %q: a name is 1 to 20 of a-z and 0-9", clip(name))
	}
	if len(values) != 1 {
		return "", invalid("attribute %s is given %d times", name, len(values))
	}
	v, ok := percentDecode(values[0])
	if !ok {
		return "", invalid("attribute %s is not percent-encoded UTF-8", name)
	}
	if v == "" || len(v) > maxValue {
		return "", invalid("attribute %s has %d bytes: 1 to %d are allowed", name, len(v), maxValue)
	}
	return v, nil
}

// take moves the attributes that have a field there; what is left over are
// extensions.
func (e *Envelope) take(a map[string]string) error {
	pop := func(name string) string {
		v := a[name]
		delete(a, name)
		return v
	}
	e.ID, e.Source, e.Type, e.About = pop("id"), pop("source"), pop("type"), pop("subject")
	e.DataSchema, e.Correlation = pop("dataschema"), pop("correlation")
	version, media, at := pop("specversion"), pop("datacontenttype"), pop("time")
	if version != specVersion {
		return invalid("specversion %q: %s is taken", clip(version), specVersion)
	}
	if base, _, _ := strings.Cut(media, ";"); media != "" && strings.TrimSpace(base) != contentType {
		return invalid("datacontenttype %q: %s is taken", clip(media), contentType)
	}
	if at != "" {
		t, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			return invalid("time %q is not RFC 3339", clip(at))
		}
		e.Time = t.UTC()
	}
	if e.Address.Kind == KindLedger {
		p, err := takePosition(pop)
		if err != nil {
			return err
		}
		e.Position = &p
	}
	if len(a) > 0 {
		e.Extensions = a
	}
	return nil
}

func takePosition(pop func(string) string) (Position, error) {
	p := Position{Channel: pop("channel"), Tx: pop("tx"), Code: pop("code")}
	block, tx, event := pop("block"), pop("txindex"), pop("eventindex")
	var err error
	if p.Block, err = strconv.ParseUint(block, 10, 64); err != nil {
		return p, invalid("block %q is not a number", clip(block))
	}
	if p.TxIndex, err = parseIndex(tx); err != nil {
		return p, invalid("txindex %q is not a number", clip(tx))
	}
	if p.EventIndex, err = parseIndex(event); err != nil {
		return p, invalid("eventindex %q is not a number", clip(event))
	}
	return p, nil
}

func parseIndex(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

const hexDigits = "0123456789ABCDEF"

// percentEncode follows section 3.1.3.2 of the CloudEvents HTTP binding, which
// the NATS binding adopts: space, double quote, percent and everything outside
// printable ASCII.
func percentEncode(s string) string {
	if !strings.ContainsFunc(s, needsEncoding) {
		return s
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		if !needsEncoding(rune(c)) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

func needsEncoding(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '%' }

func percentDecode(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, utf8.ValidString(s)
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		v, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", false
		}
		out = append(out, v[0])
		i += 2
	}
	return string(out), utf8.Valid(out)
}
