package release

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/workers"
	"chancery/workers/provenance"
)

// check decides whether a use may be served, and for which recipient. A
// [*provenance.Refusal] says why not; any other error, that it cannot tell yet.
func (r *release) check(ctx context.Context, g exchange.Grant, use exchange.Redemption) (envelope.Recipient, error) {
	for _, test := range []func() error{
		func() error { return r.checkUse(g, use) },
		func() error { return r.checkGranted(ctx, g) },
		func() error { return provenance.CheckNeverRevoked(ctx, r.Ledger, g.ID) },
		func() error { return r.checkRedeemed(ctx, g, use) },
		func() error { return r.checkNeverReleased(ctx, use) },
	} {
		if err := test(); err != nil {
			return envelope.Recipient{}, err
		}
	}
	return r.reader.Recipient(ctx, g.Grantee, g)
}

// checkUse compares the use with the grant and the own clock.
func (r *release) checkUse(g exchange.Grant, use exchange.Redemption) error {
	served := use.Since.Add(exchange.ReleaseWindow * time.Second)
	switch now := r.Now(); {
	case g.State != exchange.GrantGiven:
		return provenance.Refusef("grant %s is %s: %s", g.ID, g.State, g.Change.Reason)
	case g.Owner != r.Department || g.OwnerMSP != r.MSP || g.Grantee != use.Grantee:
		return provenance.Refusef("grant %s is between %s and %s", g.ID, g.Owner, g.Grantee)
	case !slices.Contains(g.Actions, exchange.Read):
		return provenance.Refusef("grant %s allows %v, not %s", g.ID, g.Actions, exchange.Read)
	case use.Slot >= g.MaxUses:
		return provenance.Refusef("grant %s has %d uses, this is slot %d", g.ID, g.MaxUses, use.Slot)
	case use.Since.Before(g.NotBefore) || !use.Since.Before(g.NotAfter):
		return provenance.Refusef("redeemed at %s, outside the grant's time", use.Since.Format(time.RFC3339))
	case now.After(served):
		return provenance.Refusef("redeemed at %s: it could be served until %s", use.Since.Format(time.RFC3339), served.Format(time.RFC3339))
	case use.Dataset != g.Dataset || (g.Object != "" && use.Object != g.Object):
		return provenance.Refusef("grant %s is for another dataset or version than was redeemed", g.ID)
	}
	return nil
}

// checkGranted reads the transaction that made the grant: the own department
// signed it, the own peer endorsed it, and the grant is today what it was there.
func (r *release) checkGranted(ctx context.Context, g exchange.Grant) error {
	what := "grant " + g.ID
	tx, err := r.reader.Transaction(ctx, g.GivenTx, what)
	if err == nil {
		err = r.reader.CheckOwn(tx, what)
	}
	if err != nil {
		return err
	}
	for _, e := range tx.Events {
		if e.Type != exchange.GrantWasGiven || e.ID != g.ID {
			continue
		}
		given, err := provenance.Record[exchange.Grant](e.Data)
		if err != nil {
			return err
		}
		return provenance.Same(given, g, what)
	}
	return provenance.Refusef("the transaction %s did not give grant %s", g.GivenTx, g.ID)
}

// checkNeverReleased reads every version of the use: a slot that others set back
// after its release buys no second key, which might be that of another version.
func (r *release) checkNeverReleased(ctx context.Context, use exchange.Redemption) error {
	return provenance.EveryVersion(ctx, r.Ledger, exchange.NounRedemption, useID(use), func(was exchange.Redemption, tx string) error {
		if was.State != exchange.Redeemed && was.State != exchange.ReleaseDenied {
			return provenance.Refusef("use %s was %s already in transaction %s", useID(use), was.State, tx)
		}
		return nil
	})
}

// checkRedeemed reads the transaction that claimed the use: the grantee signed
// it, and the redemption is today what it was there.
func (r *release) checkRedeemed(ctx context.Context, g exchange.Grant, use exchange.Redemption) error {
	tx, err := r.Ledger.Transaction(ctx, use.RedeemedTx)
	if err != nil {
		return fmt.Errorf("transaction of redemption %s: %w", useID(use), err)
	}
	if tx.Chaincode != r.Chaincode || !tx.CreatedBy(g.GranteeMSP) {
		return provenance.Refusef("use %s was not redeemed by %s", useID(use), g.Grantee)
	}
	for _, e := range tx.Events {
		if e.Type != exchange.GrantRedeemed || e.ID != g.ID {
			continue
		}
		claimed, err := provenance.Record[exchange.Redemption](e.Data)
		if err != nil {
			return err
		}
		if claimed.Slot == use.Slot {
			return provenance.Same(claimed, use, "redemption "+useID(use))
		}
	}
	return provenance.Refusef("the transaction %s did not redeem use %s", use.RedeemedTx, useID(use))
}

// checkReleased reads the transaction that put a wrap on record: the own
// department signed it, and it is this wrap. Nothing can be refused any more, so
// what is wrong is for people to look at.
func (r *release) checkReleased(ctx context.Context, use exchange.Redemption, digest string) error {
	var released exchange.Release
	if err := r.Ledger.Get(ctx, exchange.NounRelease, useID(use), &released); err != nil {
		return fmt.Errorf("release %s: %w", useID(use), err)
	}
	tx, err := r.Ledger.Transaction(ctx, released.Change.Tx)
	if err != nil {
		return fmt.Errorf("transaction of release %s: %w", useID(use), err)
	}
	if tx.Chaincode == r.Chaincode && tx.CreatedBy(r.MSP) {
		for _, e := range tx.Events {
			said, err := provenance.Record[exchange.Release](e.Data)
			if err == nil && e.Type == exchange.KeyReleased && e.ID == use.Grant && said.Slot == use.Slot && said.WrapDigest == digest {
				return nil
			}
		}
	}
	return workers.Reject(fmt.Errorf("release %s: the transaction %s is not this department's release of the wrap in its journal", useID(use), released.Change.Tx))
}
