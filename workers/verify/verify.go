// Package verify is the worker that attests: for every object that another
// department registers it fetches the sealed bytes into the own kubo node,
// keeps them there as a replica, and puts its verdict on the ledger: good, or
// bad with the digest that it found.
//
// Sealed bytes tell nothing about their content, and no key is needed to check
// them. Bytes that cannot be fetched are no verdict: the object is tried again,
// and named in a dead letter in the end.
package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/ipfs"
)

// Name of the worker.
const Name = "verify"

// Node is the department's kubo node.
type Node interface {
	Cat(ctx context.Context, cid string) (io.ReadCloser, error)
	Pin(ctx context.Context, cid string) error
}

// Ledger is what verify needs of the ledger client.
type Ledger interface {
	Submit(ctx context.Context, op exchange.Operation) (exchange.Outcome, error)
}

// Config is what verify works with.
type Config struct {
	Department string // own name
	Node       Node
	Ledger     Ledger
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	v := &verify{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.ObjectRegistered, "", ""), Handle: v.handle, Concurrency: 4},
	}}
}

type verify struct{ Config }

func (v *verify) handle(ctx context.Context, m *workers.Message) error {
	object, err := events.Record[exchange.Object](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if object.Owner == v.Department {
		return nil
	}
	found, size, err := v.fetch(ctx, object)
	if err != nil {
		return workers.Patient(m, fmt.Errorf("fetch %s of %s: %w", object.ID, object.Owner, err), nodeAway)
	}
	verdict := exchange.AttestObject{Object: object.ID, Verdict: exchange.Good}
	if found != object.SealedDigest || size != object.Size {
		verdict = exchange.AttestObject{
			Object: object.ID, Verdict: exchange.Bad, Found: found,
			Reason: fmt.Sprintf("the first %d bytes have another digest than the %d registered", size, object.Size),
		}
	} else if err := v.Node.Pin(ctx, object.CID); err != nil {
		return workers.Patient(m, fmt.Errorf("keep a replica of %s: %w", object.ID, err), nodeAway)
	}
	return workers.Patient(m, v.attest(ctx, object, &verdict), ledger.Away)
}

// nodeAway tells the own node being away from an object that nobody offers,
// which must not keep other objects waiting for ever.
func nodeAway(err error) bool { return ipfs.Temporary(err) && !errors.Is(err, ipfs.ErrStalled) }

// fetch reads the object through the own node, which fetches what it has not.
// It reads one byte more than was registered at most, so that nobody makes this
// department store more than was said.
func (v *verify) fetch(ctx context.Context, o exchange.Object) (digest string, size int64, err error) {
	sealed, err := v.Node.Cat(ctx, o.CID)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	size, err = io.Copy(hash, io.LimitReader(sealed, o.Size+1))
	return hex.EncodeToString(hash.Sum(nil)), size, errors.Join(err, sealed.Close())
}

func (v *verify) attest(ctx context.Context, o exchange.Object, verdict *exchange.AttestObject) error {
	op, err := exchange.NewOperation("", exchange.OpObjectAttest, verdict)
	if err != nil {
		return workers.Reject(err)
	}
	outcome, err := v.Ledger.Submit(ctx, op)
	if err != nil {
		return fmt.Errorf("attest %s: %w", o.ID, err)
	}
	if err := outcome.Err(); err != nil {
		return workers.Reject(fmt.Errorf("attest %s: %w", o.ID, err))
	}
	zerolog.Ctx(ctx).Info().Str("id", o.ID).Str("cid", o.CID).Str("verdict", string(verdict.Verdict)).
		Str("tx", outcome.Tx).Msg("attested")
	return nil
}
