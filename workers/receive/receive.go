// Package receive is the worker of the department that asked. It redeems a
// grant when it is given, before any key moves; and when the provider has
// released the key it fetches wrap and object, checks both digests, the columns
// and the row count against the ledger, delivers the file into the inbox, and
// files the receipt. What is not as registered becomes a dispute, and is not
// delivered.
//
// It trusts the ledger's records and its own keys; not the provider, not the
// bytes that any node hands out.
package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/inbox"
	"chancery/workers/ipfs"
)

// Name of the worker.
const Name = "receive"

// Node is the department's kubo node.
type Node interface {
	Cat(ctx context.Context, cid string) (io.ReadCloser, error)
}

// Ledger is what receive needs of the ledger client.
type Ledger interface {
	workers.Submitter
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
}

// Config is what receive works with.
type Config struct {
	Department string // own name
	Inbox      string // directory that files are delivered to
	Keys       *keystore.Store
	Node       Node
	Ledger     Ledger
	Now        func() time.Time // own clock; nil: time.Now
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &receive{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.GrantWasGiven, "", ""), Handle: r.granted, Concurrency: 8},
		{Filter: events.LedgerFilter(exchange.KeyReleased, "", ""), Handle: r.released, Concurrency: 4},
	}}
}

type receive struct{ Config }

// granted redeems the first use of a grant: it is what the request asked for.
// Further uses, and a first one that was refused, are redeemed on command.
func (r *receive) granted(ctx context.Context, m *workers.Message) error {
	grant, err := events.Record[exchange.Grant](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if grant.Grantee != r.Department || !slices.Contains(grant.Actions, exchange.Read) {
		return nil
	}
	if err := r.checkRecipient(grant); err != nil {
		return err
	}
	if early := grant.NotBefore.Sub(r.Now()); early > 0 {
		return workers.Retry(min(early, time.Hour), fmt.Errorf("grant %s begins at %s", grant.ID, grant.NotBefore.Format(time.RFC3339)))
	}
	err = r.Ledger.Get(ctx, exchange.NounRedemption, exchange.UseID(grant.ID, 0), new(exchange.Redemption))
	if errors.Is(err, exchange.ErrNotFound) {
		err = r.redeem(ctx, m, grant)
	}
	if err != nil {
		return workers.Patient(m, fmt.Errorf("redeem %s: %w", grant.ID, err), ledger.Away)
	}
	return nil
}

// checkRecipient compares the key that a grant is for with the own one: the
// ledger's record of a department is the word of a majority.
func (r *receive) checkRecipient(g exchange.Grant) error {
	own, err := r.Keys.Identity(keystore.Department)
	if err != nil {
		return fmt.Errorf("grant %s: %w", g.ID, err)
	}
	if fingerprint := own.Recipient().Fingerprint(); g.Recipient != fingerprint {
		return workers.Reject(fmt.Errorf("grant %s is for the recipient %s, and that of %s is %s", g.ID, g.Recipient, r.Department, fingerprint))
	}
	return nil
}

func (r *receive) redeem(ctx context.Context, m *workers.Message, g exchange.Grant) error {
	outcome, err := workers.Submit(ctx, r.Ledger, "", exchange.OpGrantRedeem, &exchange.RedeemGrant{Grant: g.ID})
	if err != nil {
		return err
	}
	log := zerolog.Ctx(ctx).With().Str("id", g.ID).Str("code", string(outcome.Code)).Str("tx", outcome.Tx).Logger()
	switch outcome.Code {
	case exchange.OK, exchange.Exists:
		log.Info().Msg("grant redeemed")
		return nil
	case exchange.Conflict, exchange.NotFound:
		return r.wait(ctx, m, g, outcome)
	case exchange.Revoked, exchange.Exhausted:
	case exchange.Expired:
		if r.Now().Before(g.NotAfter) {
			return workers.Retry(workers.Pause(m), outcome.Err()) // clocks differ
		}
	default: // denied to this department, its key or its worker
		return workers.Reject(outcome.Err())
	}
	log.Warn().Err(outcome.Err()).Msg("grant cannot be redeemed")
	return nil
}

// wait asks for a grant again that cannot be redeemed yet: there is no version,
// or too few have attested it. A dataset that was withdrawn does not come back.
func (r *receive) wait(ctx context.Context, m *workers.Message, g exchange.Grant, why exchange.Outcome) error {
	var d exchange.Dataset
	if err := r.Ledger.Get(ctx, exchange.NounDataset, g.Dataset, &d); err != nil {
		return err
	}
	if d.State == exchange.Withdrawn {
		zerolog.Ctx(ctx).Warn().Str("id", g.ID).Err(why.Err()).Msg("grant cannot be redeemed")
		return nil
	}
	return workers.Retry(workers.Pause(m), why.Err())
}

// released fetches, opens, checks and delivers.
func (r *receive) released(ctx context.Context, m *workers.Message) error {
	release, err := events.Record[exchange.Release](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if release.Grantee != r.Department {
		return nil
	}
	if !exchange.ValidID(exchange.NounGrant, release.Grant) || release.Slot < 0 {
		return workers.Reject(fmt.Errorf("grant %q, slot %d: no use has that name", release.Grant, release.Slot))
	}
	return workers.Patient(m, r.take(ctx, release.Grant, release.Slot), ledger.Away, ipfs.Temporary)
}

// take acts on what the ledger says of the use now; the event only woke it.
func (r *receive) take(ctx context.Context, grant string, slot int) error {
	if err := inbox.Clear(r.Inbox, place(grant, slot)); err != nil {
		return err
	}
	d, err := r.look(ctx, grant, slot)
	if err != nil {
		return err
	}
	if d.use.Grantee != r.Department {
		return workers.Reject(fmt.Errorf("use %s is for %s, whatever the event says", d.id(), d.use.Grantee))
	}
	switch d.use.State {
	case exchange.Received, exchange.Disputed:
		return nil
	case exchange.Released:
	default:
		return fmt.Errorf("receive %s: it is %s at the peer that was asked, which is behind", d.id(), d.use.State)
	}
	if err := r.Ledger.Get(ctx, exchange.NounRelease, d.id(), &d.release); err != nil {
		return fmt.Errorf("release %s: %w", d.id(), err)
	}
	rows, err := r.deliver(ctx, d)
	if contest, ok := errors.AsType[*contest](err); ok {
		return r.dispute(ctx, d, contest)
	}
	if err != nil {
		return fmt.Errorf("receive %s: %w", d.id(), err)
	}
	return r.receipt(ctx, d, rows)
}

// delivery is what the ledger says of one released use.
type delivery struct {
	release exchange.Release
	use     exchange.Redemption
	object  exchange.Object
	dataset exchange.Dataset
}

func (d delivery) id() string { return exchange.UseID(d.release.Grant, d.release.Slot) }

// look reads what the ledger says of a use, but for the release, which is there
// only once the key is released.
func (c Config) look(ctx context.Context, grant string, slot int) (delivery, error) {
	d := delivery{release: exchange.Release{Grant: grant, Slot: slot}}
	for _, read := range []struct {
		noun exchange.Noun
		id   func() string
		into any
	}{
		{exchange.NounRedemption, d.id, &d.use},
		{exchange.NounObject, func() string { return d.use.Object }, &d.object},
		{exchange.NounDataset, func() string { return d.use.Dataset }, &d.dataset},
	} {
		if err := c.Ledger.Get(ctx, read.noun, read.id(), read.into); err != nil {
			return d, fmt.Errorf("%s %s: %w", read.noun, read.id(), err)
		}
	}
	return d, nil
}

func (r *receive) receipt(ctx context.Context, d delivery, rows int64) error {
	return r.submit(ctx, d, exchange.OpReceiptFile, &exchange.FileReceipt{
		Grant: d.release.Grant, Slot: d.release.Slot,
		SealedDigest: d.object.SealedDigest, ContentDigest: d.object.ContentDigest, Rows: rows,
	})
}

func (r *receive) dispute(ctx context.Context, d delivery, c *contest) error {
	zerolog.Ctx(ctx).Error().Str("id", d.id()).Str("from", d.release.Owner).Str("cause", string(c.cause)).Err(c).Msg("delivery contested")
	return r.submit(ctx, d, exchange.OpDisputeOpen, &exchange.OpenDispute{
		Grant: d.release.Grant, Slot: d.release.Slot, Cause: c.cause, Found: c.found,
		Reason: exchange.Visible(c.reason, exchange.MaxReason),
	})
}

func (r *receive) submit(ctx context.Context, d delivery, name exchange.Op, body exchange.Body) error {
	outcome, err := workers.Submit(ctx, r.Ledger, "", name, body)
	if err != nil {
		return fmt.Errorf("%s: %w", d.id(), err)
	}
	if err := outcome.Err(); err != nil {
		return workers.Reject(fmt.Errorf("%s %s: %w", name, d.id(), err))
	}
	zerolog.Ctx(ctx).Info().Str("id", d.id()).Str("tx", outcome.Tx).Str("code", string(outcome.Code)).Msg(string(name))
	return nil
}
