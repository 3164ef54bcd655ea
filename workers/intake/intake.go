// Package intake is the worker between a department's systems and the ledger:
// it takes their commands from the bus, refuses what is malformed, signs the
// rest as the department's worker and submits it.
//
// Commands come by two doors: from the stream COMMANDS, which keeps them until
// they are done, and as requests whose answer comes after the commit (see
// [bus.Conn.Ask]). What is checked and done is the same, and so is what is said:
// every command is answered once the outcome is known, by command.accepted or
// command.rejected on the WORK stream, also when it is repeated, by either door.
// The ledger recorded the outcome under the command's id and says the same
// again.
//
// Who acts is the department in the command's subject, which the bus lets only
// that department's systems publish; a body cannot claim another.
//
// Many commands are under way at once, so that the ledger's client can put them
// into few transactions; their answers are stored together likewise. What is
// under way is bounded: the stream holds the rest, and who asks at the door is
// told to come later.
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
	"chancery/events/bus"
	"chancery/workers"
)

// Name of the worker.
const Name = "intake"

// Ledger is what intake needs of the ledger client.
type Ledger interface {
	workers.Submitter
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
}

// Bus is what intake needs of its connection to the bus.
type Bus interface {
	workers.Publisher
	PublishAll(ctx context.Context, list []events.Envelope) ([]bus.Stored, error)
	OpenDoor(ctx context.Context, department string, answer func(*bus.Asked)) error
}

// Config is what intake works with.
type Config struct {
	Department string // own name
	MSP        string // own Fabric MSP
	Spool      string // directory of the files that a command may name
	Ledger     Ledger
	Bus        Bus

	Commands int // of the stream under way at once; default 2048, some full batches of the ledger client
	Requests int // of the synchronous door under way at once; default 1024
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Commands == 0 {
		cfg.Commands = 2048
	}
	if cfg.Requests == 0 {
		cfg.Requests = 1024
	}
	in := &intake{cfg, &teller{publish: cfg.Bus.PublishAll}}
	return workers.Worker{
		Name: Name,
		Subscriptions: []workers.Subscription{
			{Filter: events.CommandsFilter(), Handle: in.handle, Malformed: in.handle, Concurrency: cfg.Commands},
		},
		Run: in.keepDoor,
	}
}

type intake struct {
	Config
	teller *teller
}

// handle answers one command of the stream. Only what is neither the command's
// fault nor final is an error: then the command comes again.
func (in *intake) handle(ctx context.Context, m *workers.Message) error {
	outcome, err := in.perform(ctx, m.Envelope, m.Err)
	if err != nil {
		return workers.Patient(m, err, ledger.Away)
	}
	// A repeated command is answered again, a redelivered message is not.
	answer, err := in.answer(ctx, m.Envelope, strconv.FormatUint(m.Sequence, 10), outcome)
	if err != nil {
		return err
	}
	return in.teller.tell(ctx, answer)
}

// perform carries a command out as far as the ledger, or refuses it: the
// outcome has the code.
func (in *intake) perform(ctx context.Context, e events.Envelope, bad error) (exchange.Outcome, error) {
	outcome, err := in.attempt(ctx, e, bad)
	if refusal, ok := errors.AsType[*exchange.Error](err); ok {
		return exchange.Outcome{Code: refusal.Code, Message: refusal.Message}, nil
	}
	return outcome, err
}

func (in *intake) attempt(ctx context.Context, e events.Envelope, bad error) (exchange.Outcome, error) {
	if bad != nil {
		return exchange.Outcome{}, bad
	}
	if from := e.Address.From; from != in.Department {
		return exchange.Outcome{}, exchange.Errorf(exchange.Denied, "the subject says department %q: this is the bus of %q", from, in.Department)
	}
	body, err := events.DecodeCommand(e)
	if err != nil {
		return exchange.Outcome{}, err
	}
	if b, ok := body.(*events.PublishDataset); ok {
		return in.publish(ctx, e.ID, b)
	}
	return workers.Submit(ctx, in.Ledger, e.ID, exchange.Op(e.Address.Command()), body)
}

// publish registers the dataset, where it is new, and has the file sealed. The
// file is looked at before anything is registered. One that is not there may
// have been there for the same command: then the ledger knows it.
func (in *intake) publish(ctx context.Context, command string, b *events.PublishDataset) (exchange.Outcome, error) {
	if bad := in.checkFile(b.File); bad != nil {
		known, err := in.has(ctx, exchange.NounOperation, in.Department+"/"+command, new(exchange.OperationRecord))
		if err != nil {
			return exchange.Outcome{}, err
		}
		if !known {
			return exchange.Outcome{}, bad
		}
	}
	outcome, err := workers.Submit(ctx, in.Ledger, command, exchange.OpDatasetRegister, &b.Dataset)
	if err != nil || outcome.Err() != nil {
		return outcome, err
	}
	staged := events.Staged{
		Object: exchange.NewID(exchange.NounObject, in.MSP, command), Dataset: outcome.ID, Command: command,
		File: b.File, Source: b.Source, DerivedFrom: b.DerivedFrom,
	}
	if outcome.Repeated {
		var o exchange.Object
		published, err := in.has(ctx, exchange.NounObject, staged.Object, &o)
		if err != nil {
			return exchange.Outcome{}, err
		}
		if published {
			return outcome, sameFile(command, b, o)
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
	return in.teller.tell(ctx, e)
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

// answer makes what is said of a command, once for each cause.
func (in *intake) answer(ctx context.Context, e events.Envelope, cause string, o exchange.Outcome) (events.Envelope, error) {
	zerolog.Ctx(ctx).Info().Str("command", e.ID).Str("code", string(o.Code)).Str("id", o.ID).Str("tx", o.Tx).
		Str("reason", o.Message).Bool("repeated", o.Repeated).Msg("command answered")
	return workers.NewAnswer(workers.Command{
		Department: in.Department, MSP: in.MSP, ID: e.ID, Op: operation(e.Address), Cause: cause,
	}, o, time.Now().UTC())
}

// operation names what a command asks for, as far as its subject says.
func operation(s events.Subject) string {
	if s.Validate() != nil {
		return "message.unreadable"
	}
	return string(s.Command())
}
