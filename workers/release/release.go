// Package release is the worker that moves keys. For every use of a grant that
// a grantee redeemed, it wraps the object's file key for that grantee, puts the
// wrap's digest on the ledger, and exposes the wrap once that is committed.
//
// Peers validate endorsements, not the contract's logic, so a majority of other
// departments could put any record on the ledger. Before a key moves, this
// worker therefore demands a grant that its own department signed and its own
// peer endorsed, unaltered and never revoked since, and a redemption that the
// grantee signed of a slot that was never released before; it checks time, slot
// and recipient itself. A use that fails is refused on the ledger, with the
// reason, which frees its slot. And a release that is on the ledger exposes its
// wrap only if this department signed it.
//
// What it cannot know is when a transaction was committed: blocks carry no time.
// That of the redemption is its signer's word, which honest endorsers hold to
// five minutes of their clocks, but the grantee may keep the endorsed transaction
// back: what was claimed in time is served up to 24 hours later, after the
// grant's end too. Revoking stops it.
package release

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

// Name of the worker.
const Name = "release"

// Node is the department's kubo node.
type Node interface {
	Add(ctx context.Context, r io.Reader) (cid string, size int64, err error)
	CIDOf(ctx context.Context, r io.Reader) (cid string, size int64, err error)
}

// Ledger is what release needs of the ledger client.
type Ledger interface {
	workers.Submitter
	provenance.Ledger
}

// Config is what release works with.
type Config struct {
	Department string            // own name
	MSP        string            // own Fabric MSP
	Peer       *x509.Certificate // own peer's: it must have endorsed a grant
	Chaincode  string            // name of the contract
	Journal    *journal.Journal
	Node       Node
	Ledger     Ledger
	Now        func() time.Time // own clock; nil: time.Now
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &release{cfg, provenance.Reader{
		Department: cfg.Department, MSP: cfg.MSP, Peer: cfg.Peer, Chaincode: cfg.Chaincode, Ledger: cfg.Ledger,
	}}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.GrantRedeemed, "", ""), Handle: r.handle, Concurrency: 8},
	}}
}

type release struct {
	Config
	reader provenance.Reader
}

func (r *release) handle(ctx context.Context, m *workers.Message) error {
	claim, err := events.Record[exchange.Redemption](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if claim.Owner != r.Department {
		return nil
	}
	return workers.Patient(m, r.serve(ctx, claim), ledger.Away, ipfs.Temporary)
}

// serve acts on what the ledger says of the use now; the event only woke it.
func (r *release) serve(ctx context.Context, claim exchange.Redemption) error {
	var use exchange.Redemption
	if err := r.Ledger.Get(ctx, exchange.NounRedemption, useID(claim), &use); err != nil {
		return fmt.Errorf("redemption %s: %w", useID(claim), err)
	}
	switch {
	case use.Grant != claim.Grant || use.Slot != claim.Slot:
		return workers.Reject(fmt.Errorf("redemption %s: the record is of %s", useID(claim), useID(use)))
	case use.Attempt < claim.Attempt:
		return fmt.Errorf("redemption %s: the peer that was asked is behind", useID(claim))
	case use.Attempt > claim.Attempt:
		return nil // refused since, and claimed anew: that has an event of its own
	}
	switch use.State {
	case exchange.Redeemed:
		return r.decide(ctx, use)
	case exchange.Released:
		return r.exposeAgain(ctx, use)
	}
	return nil // over
}

func (r *release) decide(ctx context.Context, use exchange.Redemption) error {
	var grant exchange.Grant
	if err := r.Ledger.Get(ctx, exchange.NounGrant, use.Grant, &grant); err != nil {
		return fmt.Errorf("grant %s: %w", use.Grant, err)
	}
	recipient, err := r.check(ctx, grant, use)
	var wrap []byte
	if err == nil {
		wrap, err = r.wrap(use, recipient)
	}
	if reason, ok := errors.AsType[*provenance.Refusal](err); ok {
		return r.refuse(ctx, use, reason.Error())
	}
	if err != nil {
		return err
	}
	return r.submit(ctx, use, wrap)
}

// submit puts the wrap's digest on the ledger first and exposes it after.
func (r *release) submit(ctx context.Context, use exchange.Redemption, wrap []byte) error {
	cid, _, err := r.Node.CIDOf(ctx, bytes.NewReader(wrap))
	if err != nil {
		return err
	}
	outcome, err := workers.Submit(ctx, r.Ledger, "", exchange.OpKeyRelease, &exchange.ReleaseKey{
		Grant: use.Grant, Slot: use.Slot, WrapCID: cid, WrapDigest: digestOf(wrap),
	})
	if err != nil {
		return fmt.Errorf("release %s: %w", useID(use), err)
	}
	switch outcome.Code {
	case exchange.OK, exchange.Exists:
		zerolog.Ctx(ctx).Info().Str("id", useID(use)).Str("to", use.Grantee).Str("cid", cid).Str("tx", outcome.Tx).Msg("key released")
		return r.expose(ctx, wrap)
	case exchange.Revoked, exchange.Expired:
		return r.refuse(ctx, use, outcome.Message)
	}
	return fmt.Errorf("release %s: %w", useID(use), outcome.Err())
}

// exposeAgain exposes the wrap of a use that is released already: a repeat
// after a crash, or a node that lost it.
func (r *release) exposeAgain(ctx context.Context, use exchange.Redemption) error {
	wrap, err := r.Journal.Wrap(use.Grant, use.Slot, use.Attempt)
	if err != nil {
		return err
	}
	if err := r.checkReleased(ctx, use, digestOf(wrap)); err != nil {
		return err
	}
	return r.expose(ctx, wrap)
}

// expose gives a wrap whose digest is on the ledger to the own kubo node, where
// the grantee fetches it.
func (r *release) expose(ctx context.Context, wrap []byte) error {
	_, _, err := r.Node.Add(ctx, bytes.NewReader(wrap))
	return err
}

func (r *release) refuse(ctx context.Context, use exchange.Redemption, reason string) error {
	outcome, err := workers.Submit(ctx, r.Ledger, "", exchange.OpKeyRefuse, &exchange.RefuseKey{
		Grant: use.Grant, Slot: use.Slot, Attempt: use.Attempt, Reason: exchange.Visible(reason, exchange.MaxReason),
	})
	if err != nil {
		return fmt.Errorf("refuse %s: %w", useID(use), err)
	}
	if err := outcome.Err(); err != nil {
		return fmt.Errorf("refuse %s: %w", useID(use), err)
	}
	zerolog.Ctx(ctx).Warn().Str("id", useID(use)).Str("to", use.Grantee).Str("tx", outcome.Tx).Str("reason", reason).Msg("key refused")
	return nil
}
