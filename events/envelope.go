package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"chancery/chaincode/exchange"
)

// Envelope is one CloudEvent and the subject that it is published on.
type Envelope struct {
	Address     Subject // NATS subject: no attribute of the event
	ID          string  // ce-id
	Source      string  // ce-source: the department that acts
	Type        string  // ce-type, see [CEType]
	About       string  // ce-subject: id of the record; may be empty
	Time        time.Time
	DataSchema  string            // ce-dataschema, see [SchemaURI]; may be empty
	Correlation string            // ce-correlation: id of the command behind it, where known
	Position    *Position         // ce-channel, ce-block, …: ledger events only
	Extensions  map[string]string // any other extension attribute, by name; carried, not interpreted
	Data        []byte            // one JSON object
}

// NewCommand makes a command of a department's system. The id is the caller's
// own; saying it again with the same body is harmless.
func NewCommand(from string, name Command, id string, body exchange.Body, at time.Time) (Envelope, error) {
	if err := body.Validate(); err != nil {
		return Envelope{}, err
	}
	e := Envelope{Address: CommandSubject(from, name), ID: id, Source: from, Correlation: id, Time: at}
	return e.fill(string(name), body)
}

// NewLedger makes the event that stands at a position of the ledger; at is its
// transaction's time.
func NewLedger(event exchange.Event, p Position, at time.Time) (Envelope, error) {
	e := Envelope{
		Address:     LedgerSubject(event),
		ID:          p.EventID(),
		Source:      event.From,
		About:       event.ID,
		Time:        at,
		Correlation: event.Command,
		Position:    &p,
	}
	return e.fill(string(event.Type), event.Data)
}

// NewWork makes a step between workers about the record id, caused by a
// command. Its ce-id follows from type and record, so that a repeat is dropped
// as a duplicate.
func NewWork(t exchange.EventType, from, to, id, command string, payload exchange.Body, at time.Time) (Envelope, error) {
	if err := payload.Validate(); err != nil {
		return Envelope{}, err
	}
	e := Envelope{
		Address:     WorkSubject(t, from, to, id),
		ID:          string(t) + "." + id,
		Source:      from,
		About:       id,
		Time:        at,
		Correlation: command,
	}
	return e.fill(string(t), payload)
}

func (e Envelope) fill(name string, data any) (Envelope, error) {
	e.Type, e.DataSchema = CEType(name), SchemaURI(name)
	b, err := exchange.Encode(data)
	if err != nil {
		return Envelope{}, err
	}
	e.Data = b
	return e, e.Validate()
}

// MaxExtensions bounds the extension attributes that are carried along.
const MaxExtensions = 16

// Validate checks the envelope against its address. Its errors have the code
// [exchange.Invalid].
func (e *Envelope) Validate() error {
	if err := e.Address.Validate(); err != nil {
		return err
	}
	if err := e.checkNames(); err != nil {
		return err
	}
	if err := e.checkPosition(); err != nil {
		return err
	}
	if err := e.checkExtensions(); err != nil {
		return err
	}
	return e.checkData()
}

func (e *Envelope) checkExtensions() error {
	if len(e.Extensions) > MaxExtensions {
		return invalid("%d extension attributes: at most %d are carried", len(e.Extensions), MaxExtensions)
	}
	for name, value := range e.Extensions {
		if !validAttribute(name) {
			return invalid("attribute %q: a name is 1 to 20 of a-z and 0-9", clip(name))
		}
		if value == "" || len(value) > maxValue {
			return invalid("attribute %s has %d bytes: 1 to %d are allowed", name, len(value), maxValue)
		}
	}
	return nil
}

func (e *Envelope) checkNames() error {
	noun, verb, err := parseType(e.Type)
	if err != nil {
		return err
	}
	switch {
	case e.Address.Kind == KindCommand && !exchange.ValidCommand(e.ID):
		return invalid("id %q: a command's id is 1 to 128 of A-Z, a-z, 0-9 and ._:-, starting with a letter or digit", clip(e.ID))
	case e.ID == "" || len(e.ID) > 256:
		return invalid("id has %d bytes: 1 to 256 are allowed", len(e.ID))
	case !exchange.ValidName(e.Source):
		return invalid("source %q is not the name of a department", clip(e.Source))
	}
	if want, ok := deliveries[e.Address.Kind]; ok {
		if e.Type != CEType(want) {
			return invalid("type %q: on a subject of kind %s it is %q", clip(e.Type), e.Address.Kind, CEType(want))
		}
		return nil
	}
	if noun != e.Address.Noun || verb != e.Address.Verb {
		return invalid("type %q does not belong on subject %q", clip(e.Type), clip(e.Address.String()))
	}
	if e.Source != e.Address.From {
		return invalid("source says department %q, the subject says %q", e.Source, e.Address.From)
	}
	return nil
}

func (e *Envelope) checkPosition() error {
	if (e.Address.Kind == KindLedger) != (e.Position != nil) {
		return invalid("a position on the ledger goes with ledger events, and with them only")
	}
	if e.Position == nil {
		return nil
	}
	if err := e.Position.validate(); err != nil {
		return err
	}
	if want := e.Position.EventID(); e.ID != want {
		return invalid("id %q: the event at its position is %q", clip(e.ID), want)
	}
	return nil
}

func (e *Envelope) checkData() error {
	if e.Address.Kind == KindCommand && len(e.Data) > exchange.MaxBody {
		return invalid("body of %d bytes is larger than %d", len(e.Data), exchange.MaxBody)
	}
	if b := bytes.TrimLeft(e.Data, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return invalid("body is not a JSON object")
	}
	if !json.Valid(e.Data) {
		return invalid("body is not JSON")
	}
	return nil
}

// Record reads the data of a ledger event, which is the record after the
// transition, a struct of package exchange; or of a dead letter, [Failed].
// Fields that a later version may add are ignored.
func Record[T any](e Envelope) (T, error) {
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("read %s %s: %w", e.Type, e.ID, invalid("%v", err))
	}
	return v, nil
}

// Payload reads strictly and checks the data of a work event: [Staged],
// [Sealed], [Accepted] or [Rejected].
func Payload[T any, P interface {
	*T
	exchange.Body
}](e Envelope) (T, error) {
	var v T
	if err := exchange.Decode(e.Data, P(&v)); err != nil {
		return v, fmt.Errorf("read %s %s: %w", e.Type, e.ID, err)
	}
	return v, P(&v).Validate()
}
