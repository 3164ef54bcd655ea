package events

import (
	"crypto/sha256"
	"strings"
)

// Trace is the trace that a message belongs to, in W3C Trace Context's sense.
//
// The ledger carries no trace context, so the trace follows from what the
// ledger does carry: a department and its command's id, which stand in the
// command, in its transaction and in every event of it. Whoever handles one of
// these, in any department, finds the same trace without being told. A
// transaction that no command is named for is a trace of its own.
type Trace struct {
	ID   [16]byte
	Root [8]byte // id of the span that all others come under; nobody records it
}

// CommandTrace is the trace of a department's command: ID and Root are the
// first 24 bytes of SHA-256("chancery.trace" ‖ 0 ‖ "command" ‖ 0 ‖ department ‖
// 0 ‖ command). A system that uses it for spans of its own finds them with ours.
func CommandTrace(department, command string) Trace { return newTrace("command", department, command) }

// TxTrace is the trace of a transaction that no command is named for; as
// [CommandTrace], of "tx" and the transaction's id.
func TxTrace(tx string) Trace { return newTrace("tx", tx) }

// Trace is the trace that the message belongs to: its command's, else its
// transaction's, else one of its own.
func (e *Envelope) Trace() Trace {
	switch {
	case e.Correlation != "":
		return CommandTrace(e.Source, e.Correlation)
	case e.Address.Kind == KindCommand:
		return CommandTrace(e.Source, e.ID)
	case e.Position != nil:
		return TxTrace(e.Position.Tx)
	}
	return newTrace("message", e.Source, e.ID)
}

func newTrace(parts ...string) (t Trace) {
	sum := sha256.Sum256([]byte("chancery.trace\x00" + strings.Join(parts, "\x00")))
	copy(t.ID[:], sum[:])
	copy(t.Root[:], sum[len(t.ID):])
	return t
}

// Attributes of CloudEvents' extension for distributed tracing.
const (
	attrTraceparent = "traceparent"
	attrTracestate  = "tracestate"
)

// TraceCarrier is the trace context of an envelope, for a propagator of
// OpenTelemetry: the CloudEvents attributes traceparent and tracestate.
type TraceCarrier struct{ *Envelope }

// Get reads an attribute.
func (c TraceCarrier) Get(key string) string { return c.Extensions[strings.ToLower(key)] }

// Set writes one of the two attributes; any other is left out, and so is a
// value that no attribute can hold.
func (c TraceCarrier) Set(key, value string) {
	key = strings.ToLower(key)
	if (key != attrTraceparent && key != attrTracestate) || value == "" || len(value) > maxValue {
		return
	}
	if c.Extensions == nil {
		c.Extensions = make(map[string]string)
	}
	c.Extensions[key] = value
}

// Keys are the attributes that are there.
func (c TraceCarrier) Keys() (names []string) {
	for _, name := range []string{attrTraceparent, attrTracestate} {
		if c.Extensions[name] != "" {
			names = append(names, name)
		}
	}
	return names
}
