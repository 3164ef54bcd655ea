// Package pin is the worker that registers: it makes sure that the department's
// kubo node keeps a sealed object, reads it back without the network, checks it
// against the sealing journal, and only then tells the ledger.
//
// It trusts the journal, not the event that woke it. A registration that the
// ledger refuses is answered to the command's sender as command.rejected, and
// kept as a dead letter, since the file is sealed.
package pin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
)

// Name of the worker.
const Name = "pin"

// Node is the department's kubo node.
type Node interface {
	Pin(ctx context.Context, cid string) error
	CatOffline(ctx context.Context, cid string) (io.ReadCloser, error)
}

// Config is what pin works with.
type Config struct {
	Department string // own name
	MSP        string // own Fabric MSP
	Journal    *journal.Journal
	Node       Node
	Ledger     workers.Submitter
	Bus        workers.Publisher
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	p := &pin{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.WorkFilter(events.ObjectSealed, "", ""), Handle: p.handle, Concurrency: 4},
	}}
}

type pin struct{ Config }

func (p *pin) handle(ctx context.Context, m *workers.Message) error {
	sealed, err := events.Payload[events.Sealed](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	object, err := p.Journal.Object(sealed.Object, sealed.Dataset)
	if neverSealed(err) {
		return workers.Reject(fmt.Errorf("object %s of dataset %s was never sealed here: %w", sealed.Object, sealed.Dataset, err))
	}
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(object.Registration, sealed.RegisterObject) {
		return workers.Reject(fmt.Errorf("object %s was sealed otherwise than the event says", sealed.Object))
	}
	if err := p.readBack(ctx, object); err != nil {
		return workers.Patient(m, err, ipfs.Temporary)
	}
	return workers.Patient(m, p.register(ctx, m, object), ledger.Away)
}

// neverSealed reports whether the journal has no such object, or has it of
// another dataset than was said.
func neverSealed(err error) bool {
	return errors.Is(err, journal.ErrNotFound) || errors.Is(err, keystore.ErrNotFound) || errors.Is(err, envelope.ErrNotForUs)
}

// readBack pins the object and reads all of it from the own node's disk.
func (p *pin) readBack(ctx context.Context, o journal.Object) error {
	r := o.Registration
	if err := p.Node.Pin(ctx, r.CID); err != nil {
		return err
	}
	digest, err := envelope.ParseDigest(r.SealedDigest)
	if err != nil {
		return fmt.Errorf("journal of %s: %w", o.ID, err)
	}
	sealed, err := p.Node.CatOffline(ctx, r.CID)
	if err != nil {
		return err
	}
	defer sealed.Close()
	err = envelope.Check(sealed, envelope.Commitment{SealedDigest: digest, SealedSize: r.Size})
	if errors.Is(err, envelope.ErrSealedDigest) { // also of a short file, which is no interrupted answer
		return fmt.Errorf("read back %s: %v", r.CID, err)
	}
	if err != nil {
		return fmt.Errorf("read back %s: %w", r.CID, err)
	}
	return nil
}

func (p *pin) register(ctx context.Context, m *workers.Message, o journal.Object) error {
	outcome, err := workers.Submit(ctx, p.Ledger, "", exchange.OpObjectRegister, &o.Registration)
	if err != nil {
		return fmt.Errorf("register %s: %w", o.ID, err)
	}
	if outcome.Err() != nil {
		return p.refused(ctx, m, o, outcome)
	}
	zerolog.Ctx(ctx).Info().Str("id", o.ID).Str("cid", o.Registration.CID).Str("tx", outcome.Tx).
		Str("code", string(outcome.Code)).Msg("registered")
	return nil
}

// refused tells the command's sender why the ledger does not take the object.
func (p *pin) refused(ctx context.Context, m *workers.Message, o journal.Object, outcome exchange.Outcome) error {
	if err := workers.Answer(ctx, p.Bus, workers.Command{
		Department: p.Department, MSP: p.MSP, ID: o.Registration.Command, Op: string(events.DatasetPublish),
		Cause: Name + "-" + strconv.FormatUint(m.Sequence, 10),
	}, outcome); err != nil {
		return err
	}
	return workers.Reject(fmt.Errorf("register %s: %w", o.ID, outcome.Err()))
}
