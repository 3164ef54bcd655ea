package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
)

// Publisher is a connection to the bus, as workers that say something need it.
type Publisher interface {
	Publish(ctx context.Context, e events.Envelope) (bus.Stored, error)
}

// Command says which command an answer is for.
type Command struct {
	Department string // whose system asked; own
	MSP        string
	ID         string // as the caller gave it, possibly unusable
	Op         string // noun and verb
	Cause      string // what is being answered, one answer each: a message's sequence, a worker's name
}

// Answer tells a department's systems what became of their command:
// command.accepted or command.rejected on the WORK stream. Saying it again for
// the same cause is harmless.
func Answer(ctx context.Context, to Publisher, c Command, o exchange.Outcome) error {
	e, err := c.envelope(o, time.Now().UTC())
	if err != nil {
		return fmt.Errorf("answer command %s: %w", c.ID, err)
	}
	if _, err := to.Publish(ctx, e); err != nil {
		return fmt.Errorf("answer command %s: %w", c.ID, err)
	}
	return nil
}

// Fault is an error that is not the command's fault: a refusal of something
// that a worker asked for itself becomes an error without a code, so that it is
// not told to the command's sender. Any other error stays as it is.
func Fault(err error) error {
	if _, ok := errors.AsType[*exchange.Error](err); ok {
		return errors.New(err.Error())
	}
	return err
}

func (c Command) envelope(o exchange.Outcome, now time.Time) (events.Envelope, error) {
	id := exchange.NewID(exchange.NounOperation, c.MSP, c.ID)
	command := c.ID
	if !exchange.ValidCommand(command) {
		command = ""
	}
	var (
		name    = exchange.CommandRejected
		payload exchange.Body
	)
	if refusal := o.Err(); refusal != nil {
		message := events.Reason(errors.New(o.Message)) // a refusal may quote long terms
		payload = &events.Rejected{Department: c.Department, Command: command, Op: c.Op, Code: o.Code, Message: message, Time: now}
	} else {
		name = events.CommandAccepted
		payload = &events.Accepted{Department: c.Department, Command: command, Op: c.Op, ID: o.ID, Tx: o.Tx, Repeated: o.Repeated || o.Code == exchange.Exists, Time: now}
	}
	e, err := events.NewWork(name, c.Department, exchange.ToAll, id, command, payload, now)
	e.ID += "." + c.Cause
	return e, err
}
