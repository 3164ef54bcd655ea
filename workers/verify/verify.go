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

// Config is what verify works with.
type Config struct {
	Department string // own name
	Node       Node
	Ledger     workers.Submitter
}

// atOnce is how many objects are fetched at once: one that nobody offers
// takes a minute a try, and must not keep the others waiting.
const atOnce = 16

// New returns the worker.
func New(cfg Config) workers.Worker {
	v := &verify{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.ObjectRegistered, "", ""), Handle: v.handle, Concurrency: atOnce},
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
	verdict, err := v.judge(ctx, object)
	if err != nil {
		return workers.Patient(m, err, nodeAway)
	}
	return workers.Patient(m, v.attest(ctx, object, &verdict), ledger.Away)
}

// judge fetches the object and compares it with its registration. What is good
// is kept. An address that no file can have is as bad as another digest.
func (v *verify) judge(ctx context.Context, o exchange.Object) (exchange.AttestObject, error) {
	found, size, err := v.fetch(ctx, o)
	switch {
	case errors.Is(err, ipfs.ErrInvalidCID), errors.Is(err, ipfs.ErrNotFile):
		return bad(o, "", err.Error()), nil
	case err != nil:
		return exchange.AttestObject{}, fmt.Errorf("fetch %s of %s: %w", o.ID, o.Owner, err)
	case size > o.Size:
		return bad(o, "", fmt.Sprintf("longer than the %d bytes registered", o.Size)), nil
	case size < o.Size:
		return bad(o, found, fmt.Sprintf("%d bytes in place of the %d registered", size, o.Size)), nil
	case found != o.SealedDigest:
		return bad(o, found, "another digest than the registered one"), nil
	}
	if err := v.Node.Pin(ctx, o.CID); err != nil {
		return exchange.AttestObject{}, fmt.Errorf("keep a replica of %s: %w", o.ID, err)
	}
	return exchange.AttestObject{Object: o.ID, Verdict: exchange.Good}, nil
}

// bad is the verdict with the digest that was found, if all of the bytes were
// read.
func bad(o exchange.Object, found, reason string) exchange.AttestObject {
	return exchange.AttestObject{Object: o.ID, Verdict: exchange.Bad, Found: found, Reason: exchange.Visible(reason, exchange.MaxReason)}
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
	outcome, err := workers.Submit(ctx, v.Ledger, "", exchange.OpObjectAttest, verdict)
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
