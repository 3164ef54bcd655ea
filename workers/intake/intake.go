// Package intake is the worker between a department's systems and the ledger:
// it takes their commands from the bus, refuses what is malformed, signs the
// rest as the department's worker and submits it.
//
// Who acts is the department in the command's subject, which the bus lets only
// that department's systems publish; a body cannot claim another. Every command
// is answered once the outcome is known, by command.accepted or
// command.rejected on the WORK stream, also when it is repeated: the ledger
// recorded the outcome under the command's id and says the same again.
package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
)

// Name of the worker.
const Name = "intake"

// Ledger is what intake needs of the ledger client.
type Ledger interface {
	Submit(ctx context.Context, op exchange.Operation) (exchange.Outcome, error)
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
}

// Config is what intake works with.
type Config struct {
	Department string // own name
	MSP        string // own Fabric MSP
	Spool      string // directory of the files that a command may name
	Ledger     Ledger
	Bus        workers.Publisher
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	in := &intake{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.CommandsFilter(), Handle: in.handle, Malformed: in.handle, Concurrency: 64},
	}}
}

type intake struct{ Config }

// handle answers one command. Only what is neither the command's fault nor
// final is an error: then the command comes again.
func (in *intake) handle(ctx context.Context, m *workers.Message) error {
	outcome, err := in.perform(ctx, m)
	if refusal, ok := errors.AsType[*exchange.Error](err); ok {
		outcome.Code, outcome.Message, err = refusal.Code, refusal.Message, nil
	}
	if err != nil {
		return workers.Patient(m, err, ledger.Away)
	}
	return in.answer(ctx, m, outcome)
}

// perform carries a command out as far as the ledger. A refusal is an
// [*exchange.Error] or an outcome with the code of one.
func (in *intake) perform(ctx context.Context, m *workers.Message) (exchange.Outcome, error) {
	if m.Err != nil {
		return exchange.Outcome{}, m.Err
	}
	if from := m.Address.From; from != in.Department {
		return exchange.Outcome{}, exchange.Errorf(exchange.Denied, "the subject says department %q: this is the bus of %q", from, in.Department)
	}
	body, err := events.DecodeCommand(m.Envelope)
	if err != nil {
		return exchange.Outcome{}, err
	}
	if b, ok := body.(*events.PublishDataset); ok {
		return in.publish(ctx, m, b)
	}
	return in.submit(ctx, m.ID, exchange.Op(m.Address.Command()), body)
}

func (in *intake) submit(ctx context.Context, command string, op exchange.Op, body exchange.Body) (exchange.Outcome, error) {
	operation, err := exchange.NewOperation(command, op, body)
	if err != nil {
		return exchange.Outcome{}, err
	}
	outcome, err := in.Ledger.Submit(ctx, operation)
	if err != nil {
		return exchange.Outcome{}, fmt.Errorf("submit %s: %w", op, err)
	}
	return outcome, nil
}

// publish registers the dataset, where it is new, and has the file sealed.
func (in *intake) publish(ctx context.Context, m *workers.Message, b *events.PublishDataset) (exchange.Outcome, error) {
	object := exchange.NewID(exchange.NounObject, in.MSP, m.ID)
	if err := in.checkFile(ctx, object, b.File); err != nil {
		return exchange.Outcome{}, err
	}
	outcome, err := in.submit(ctx, m.ID, exchange.OpDatasetRegister, &b.Dataset)
	if err != nil || outcome.Err() != nil {
		return outcome, err
	}
	staged := events.Staged{
		Object: object, Dataset: outcome.ID, Command: m.ID,
		File: b.File, Source: b.Source, DerivedFrom: b.DerivedFrom,
	}
	e, err := events.NewWork(events.ObjectStaged, in.Department, exchange.ToAll, object, m.ID, &staged, time.Now())
	if err != nil {
		return exchange.Outcome{}, err
	}
	if _, err := in.Bus.Publish(ctx, e); err != nil {
		return exchange.Outcome{}, err
	}
	return outcome, nil
}

// checkFile looks at the file before anything is registered, unless the object
// is on the ledger already and the file may be gone.
func (in *intake) checkFile(ctx context.Context, object, file string) error {
	err := in.Ledger.Get(ctx, exchange.NounObject, object, new(exchange.Object))
	if err == nil {
		return nil
	}
	if !errors.Is(err, exchange.ErrNotFound) {
		return fmt.Errorf("look for object %s: %w", object, err)
	}
	f, err := workers.OpenSpool(in.Spool, file)
	if err != nil {
		return err
	}
	return f.Close()
}

func (in *intake) answer(ctx context.Context, m *workers.Message, o exchange.Outcome) error {
	zerolog.Ctx(ctx).Info().Str("command", m.ID).Str("code", string(o.Code)).Str("id", o.ID).Str("tx", o.Tx).
		Str("reason", o.Message).Bool("repeated", o.Repeated).Msg("command answered")
	return workers.Answer(ctx, in.Bus, workers.Command{
		Department: in.Department, MSP: in.MSP, ID: m.ID,
		Op:    m.Address.Noun + "." + m.Address.Verb,
		Cause: strconv.FormatUint(m.Sequence, 10), // a repeated command is answered again, a redelivered message is not
	}, o)
}
