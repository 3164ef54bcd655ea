package main

import (
	"context"
	"errors"
	"strings"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// outcome watches the department's bus for what becomes of one command. It
// begins before the command is published, so that nothing is missed.
type outcome struct {
	app      *app
	profile  workers.Profile
	conn     *bus.Conn
	messages chan *bus.Message
	broken   chan error
	readers  context.Context
	stop     context.CancelFunc

	result    commandResult
	publishes bool   // it asks for an object, which comes after the command is accepted
	object    string // id of that object
	answer    string // id under which the command is answered
	needs     int    // good attestations to wait for
	duplicate bool   // the bus had the command already
}

// expect starts to watch for the outcome of a command.
func (a *app) expect(ctx context.Context, profile workers.Profile, e events.Envelope) (*outcome, error) {
	conn, err := a.bus(ctx, profile, bus.UserDashboard)
	if err != nil {
		return nil, err
	}
	o := &outcome{
		app: a, profile: profile, conn: conn,
		messages: make(chan *bus.Message, 64), broken: make(chan error, 4),
		result:    newCommandResult(e),
		answer:    exchange.NewID(exchange.NounOperation, profile.MSP, e.ID),
		publishes: e.Address.Command() == events.DatasetPublish,
	}
	if o.publishes {
		o.object = exchange.NewID(exchange.NounObject, profile.MSP, e.ID)
	}
	o.readers, o.stop = context.WithCancel(ctx)
	for _, stream := range []string{events.StreamWork, events.StreamLedger} {
		tail, err := conn.Tail(o.readers, stream)
		if err != nil {
			o.close()
			return nil, err
		}
		go o.read(events.All(stream), tail.Sequence+1)
	}
	return o, nil
}

func (o *outcome) close() {
	o.stop()
	o.conn.Close()
}

// read hands the messages that concern the command to wait.
func (o *outcome) read(f events.Filter, from uint64) {
	o.broken <- o.app.follow(o.readers, o.conn, f, from, func(m *bus.Message) error {
		if m.Err != nil || !o.concerns(m) {
			return nil
		}
		select {
		case o.messages <- m:
			return nil
		case <-o.readers.Done():
			return o.readers.Err()
		}
	})
}

// concerns tells the messages of this command, and other departments' verdicts
// on its object, from those of other commands: another department's may have
// the same id.
func (o *outcome) concerns(m *bus.Message) bool {
	if o.object != "" && m.About == o.object {
		return true
	}
	return m.Address.From == o.profile.Department && (m.Correlation == o.result.Command || m.About == o.answer)
}

// recall reads what was said of the command before. The bus drops a command
// that it has already, so that nobody would answer it again.
func (o *outcome) recall() {
	o.duplicate = true
	for _, t := range []exchange.EventType{exchange.CommandRejected, events.CommandAccepted} {
		subject := events.WorkSubject(t, o.profile.Department, exchange.ToAll, o.answer).String()
		go o.read(events.Filter{Stream: events.StreamWork, Subject: subject}, 1)
	}
}

// wait returns the outcome.
func (o *outcome) wait(ctx context.Context) (commandResult, error) {
	for {
		select {
		case <-ctx.Done():
			return o.result, ctx.Err()
		case err := <-o.broken:
			return o.result, err
		case m := <-o.messages:
			if done, err := o.take(ctx, m); done || err != nil {
				return o.result, err
			}
		}
	}
}

// take reads one message and reports whether the outcome is known.
func (o *outcome) take(ctx context.Context, m *bus.Message) (done bool, err error) {
	switch m.Address.Event() {
	case exchange.CommandRejected:
		return o.rejected(m)
	case events.CommandAccepted:
		return o.accepted(ctx, m)
	case exchange.ObjectRegistered:
		return o.registered(m)
	case exchange.ObjectAttested:
		return o.attested(m)
	case events.ObjectStaged, events.ObjectSealed:
		o.app.say("%s", m.Address.Verb)
	}
	return false, nil
}

// rejected is a refusal, by a worker or by the ledger.
func (o *outcome) rejected(m *bus.Message) (bool, error) {
	r, err := events.Record[events.Rejected](m.Envelope)
	if err != nil {
		return false, err
	}
	return true, r.Code.Err(r.Message)
}

// accepted is intake's answer. For a file to publish it is only the beginning:
// the dataset is known, the object comes.
func (o *outcome) accepted(ctx context.Context, m *bus.Message) (bool, error) {
	r, err := events.Record[events.Accepted](m.Envelope)
	if err != nil {
		return false, err
	}
	o.result.Code, o.result.Tx, o.result.Repeated = exchange.OK, r.Tx, r.Repeated || o.duplicate
	if o.result.Repeated {
		o.result.Code = exchange.Exists
	}
	if !o.publishes {
		o.result.ID = r.ID
		return true, nil
	}
	o.result.Dataset = r.ID
	if !o.result.Repeated {
		return false, nil
	}
	return o.recallObject(ctx)
}

func (o *outcome) registered(m *bus.Message) (bool, error) {
	r, err := events.Record[exchange.Object](m.Envelope)
	if err != nil {
		return false, err
	}
	o.result.Code, o.result.Repeated = exchange.OK, false
	o.result.ID, o.result.Dataset, o.result.Tx = r.ID, r.Dataset, m.Position.Tx
	o.app.say("registered as version %d in block %d", r.Version, m.Position.Block)
	return o.needs == 0, nil
}

func (o *outcome) attested(m *bus.Message) (bool, error) {
	r, err := events.Record[exchange.Attestation](m.Envelope)
	if err != nil {
		return false, err
	}
	o.app.say("attested %s by %s%s", r.Verdict, r.By, strings.TrimSuffix(": "+r.Reason, ": "))
	if r.Verdict == exchange.Good {
		o.needs--
	}
	return o.needs <= 0, nil
}

// recallObject looks on the ledger for the object of a repeated publication. It
// may not be there yet.
func (o *outcome) recallObject(ctx context.Context) (bool, error) {
	var object exchange.Object
	err := o.app.ask(ctx, o.profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounObject, o.object, &object)
	})
	switch {
	case errors.Is(err, exchange.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	o.result.ID, o.result.Dataset, o.result.Tx = object.ID, object.Dataset, object.Change.Tx
	return true, nil
}
