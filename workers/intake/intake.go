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
	"slices"
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
	workers.Submitter
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
		outcome, err = exchange.Outcome{Code: refusal.Code, Message: refusal.Message}, nil
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
	return workers.Submit(ctx, in.Ledger, m.ID, exchange.Op(m.Address.Command()), body)
}

// publish registers the dataset, where it is new, and has the file sealed. The
// file is looked at before anything is registered, unless the command is known
// already: then the file may be gone.
func (in *intake) publish(ctx context.Context, m *workers.Message, b *events.PublishDataset) (exchange.Outcome, error) {
	known, err := in.has(ctx, exchange.NounOperation, in.Department+"/"+m.ID, new(exchange.OperationRecord))
	if err != nil {
		return exchange.Outcome{}, err
	}
	if !known {
		if err := in.checkFile(b.File); err != nil {
			return exchange.Outcome{}, err
		}
	}
	outcome, err := workers.Submit(ctx, in.Ledger, m.ID, exchange.OpDatasetRegister, &b.Dataset)
	if err != nil || outcome.Err() != nil {
		return outcome, err
	}
	staged := events.Staged{
		Object: exchange.NewID(exchange.NounObject, in.MSP, m.ID), Dataset: outcome.ID, Command: m.ID,
		File: b.File, Source: b.Source, DerivedFrom: b.DerivedFrom,
	}
	if known {
		var o exchange.Object
		published, err := in.has(ctx, exchange.NounObject, staged.Object, &o)
		if err != nil {
			return exchange.Outcome{}, err
		}
		if published {
			return outcome, sameFile(m.ID, b, o)
		}
	}
	return outcome, in.stage(ctx, staged)
}

// sameFile refuses another file under a command that has published one.
func sameFile(command string, b *events.PublishDataset, o exchange.Object) error {
	if b.File == o.FileName && b.Source == o.Source && slices.Equal(b.DerivedFrom, o.DerivedFrom) {
		return nil
	}
	return exchange.Errorf(exchange.Conflict, "command %s published another file, as version %d: use a new command id", command, o.Version)
}

// stage says that the file waits. The event's id follows from all that it says:
// the same is stored once, and another file under the same command comes to
// encrypt, which knows what it sealed.
func (in *intake) stage(ctx context.Context, staged events.Staged) error {
	e, err := events.NewWork(events.ObjectStaged, in.Department, exchange.ToAll, staged.Object, staged.Command, &staged, time.Now())
	if err != nil {
		return err
	}
	digest, err := exchange.BodyDigest(staged)
	if err != nil {
		return err
	}
	e.ID += "." + digest
	_, err = in.Bus.Publish(ctx, e)
	return err
}

func (in *intake) checkFile(name string) error {
	f, err := workers.OpenSpool(in.Spool, name)
	if err != nil {
		return err
	}
	return f.Close()
}

// has reads a record, if it is there.
func (in *intake) has(ctx context.Context, noun exchange.Noun, id string, record any) (bool, error) {
	err := in.Ledger.Get(ctx, noun, id, record)
	if errors.Is(err, exchange.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for %s %s: %w", noun, id, workers.Fault(err))
	}
	return true, nil
}

func (in *intake) answer(ctx context.Context, m *workers.Message, o exchange.Outcome) error {
	zerolog.Ctx(ctx).Info().Str("command", m.ID).Str("code", string(o.Code)).Str("id", o.ID).Str("tx", o.Tx).
		Str("reason", o.Message).Bool("repeated", o.Repeated).Msg("command answered")
	return workers.Answer(ctx, in.Bus, workers.Command{
		Department: in.Department, MSP: in.MSP, ID: m.ID,
		Op:    operation(m.Address),
		Cause: strconv.FormatUint(m.Sequence, 10), // a repeated command is answered again, a redelivered message is not
	}, o)
}

// operation names what a command asks for, as far as its subject says.
func operation(s events.Subject) string {
	if s.Validate() != nil {
		return "message.unreadable"
	}
	return string(s.Command())
}
