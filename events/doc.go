// Package events is the language of a department's bus: subjects, streams,
// envelopes and the bodies of commands and work events.
//
// Envelopes are CloudEvents 1.0 in the binary mode of the NATS protocol
// binding: attributes as lower-case "ce-" headers with percent-encoded values,
// the data as the message's JSON body. Subjects are written and read here and
// nowhere else.
//
// It trusts nothing that it parses. Who acts is taken from the subject, which
// the bus's permissions guard, never from a body; an envelope whose source
// says another department than its subject is refused.
package events
