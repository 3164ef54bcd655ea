package release

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/events"
	"chancery/workers"
)

// refusal is why a use is not served: final, and told on the ledger.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }

func refusef(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// check decides whether a use may be served, and for which recipient. A
// [*refusal] says why not; any other error, that it cannot tell yet.
func (r *release) check(ctx context.Context, g exchange.Grant, use exchange.Redemption) (envelope.Recipient, error) {
	for _, test := range []func() error{
		func() error { return r.checkUse(g, use) },
		func() error { return r.checkGranted(ctx, g) },
		func() error { return r.checkNeverRevoked(ctx, g) },
		func() error { return r.checkRedeemed(ctx, g, use) },
		func() error { return r.checkNeverReleased(ctx, use) },
	} {
		if err := test(); err != nil {
			return envelope.Recipient{}, err
		}
	}
	return r.recipient(ctx, g)
}

// checkUse compares the use with the grant and the own clock.
func (r *release) checkUse(g exchange.Grant, use exchange.Redemption) error {
	served := use.Since.Add(exchange.ReleaseWindow * time.Second)
	switch now := r.Now(); {
	case g.State != exchange.GrantGiven:
		return refusef("grant %s is %s: %s", g.ID, g.State, g.Change.Reason)
	case g.Owner != r.Department || g.OwnerMSP != r.MSP || g.Grantee != use.Grantee:
		return refusef("grant %s is between %s and %s", g.ID, g.Owner, g.Grantee)
	case !slices.Contains(g.Actions, exchange.Read):
		return refusef("grant %s allows %v, not %s", g.ID, g.Actions, exchange.Read)
	case use.Slot >= g.MaxUses:
		return refusef("grant %s has %d uses, this is slot %d", g.ID, g.MaxUses, use.Slot)
	case use.Since.Before(g.NotBefore) || !use.Since.Before(g.NotAfter):
		return refusef("redeemed at %s, outside the grant's time", use.Since.Format(time.RFC3339))
	case now.After(served):
		return refusef("redeemed at %s: it could be served until %s", use.Since.Format(time.RFC3339), served.Format(time.RFC3339))
	case use.Dataset != g.Dataset || (g.Object != "" && use.Object != g.Object):
		return refusef("grant %s is for another dataset or version than was redeemed", g.ID)
	}
	return nil
}

// checkGranted reads the transaction that made the grant: the own department
// signed it, the own peer endorsed it, and the grant is today what it was there.
func (r *release) checkGranted(ctx context.Context, g exchange.Grant) error {
	tx, err := r.Ledger.Transaction(ctx, g.GivenTx)
	if err != nil {
		return fmt.Errorf("transaction of grant %s: %w", g.ID, err)
	}
	switch {
	case tx.Chaincode != r.Chaincode:
		return refusef("grant %s was not given by the contract", g.ID)
	case !tx.CreatedBy(r.MSP):
		return refusef("grant %s was not signed by %s but by a member of %s", g.ID, r.Department, tx.Creator.MSP)
	case !tx.EndorsedBy(r.Peer):
		return refusef("grant %s was not endorsed by the peer of %s", g.ID, r.Department)
	}
	for _, e := range tx.Events {
		if e.Type != exchange.GrantWasGiven || e.ID != g.ID {
			continue
		}
		given, err := record[exchange.Grant](e.Data)
		if err != nil {
			return err
		}
		return same(given, g, fmt.Sprintf("grant %s", g.ID))
	}
	return refusef("the transaction %s did not give grant %s", g.GivenTx, g.ID)
}

// checkNeverRevoked reads every version of the grant: a revocation that others
// took back holds.
func (r *release) checkNeverRevoked(ctx context.Context, g exchange.Grant) error {
	return everyVersion(ctx, r.Ledger, exchange.NounGrant, g.ID, func(was exchange.Grant, tx string) error {
		if was.State != exchange.GrantGiven {
			return refusef("grant %s was %s in transaction %s", g.ID, was.State, tx)
		}
		return nil
	})
}

// checkNeverReleased reads every version of the use: a slot that others set back
// after its release buys no second key, which might be that of another version.
func (r *release) checkNeverReleased(ctx context.Context, use exchange.Redemption) error {
	return everyVersion(ctx, r.Ledger, exchange.NounRedemption, useID(use), func(was exchange.Redemption, tx string) error {
		if was.State != exchange.Redeemed && was.State != exchange.ReleaseDenied {
			return refusef("use %s was %s already in transaction %s", useID(use), was.State, tx)
		}
		return nil
	})
}

// everyVersion tests all versions of a record. Where there are more than one
// answer holds, the record is refused: others could have written the rest to
// hide its beginning.
func everyVersion[T any](ctx context.Context, l Ledger, noun exchange.Noun, id string, test func(was T, tx string) error) error {
	versions, err := l.History(ctx, noun, id)
	if err != nil {
		return fmt.Errorf("history of %s %s: %w", noun, id, err)
	}
	if len(versions) >= exchange.MaxHistory {
		return refusef("%s %s was written so often that its beginning cannot be read", noun, id)
	}
	for _, v := range versions {
		if v.Deleted {
			return refusef("%s %s was deleted in transaction %s", noun, id, v.Tx)
		}
		was, err := record[T](v.Record)
		if err == nil {
			err = test(was, v.Tx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same refuses a record that is not what its transaction said any more.
func same(said, now any, what string) error {
	was, err := exchange.BodyDigest(said)
	if err != nil {
		return err
	}
	is, err := exchange.BodyDigest(now)
	if err != nil {
		return err
	}
	if was != is {
		return refusef("%s was altered since its transaction", what)
	}
	return nil
}

// checkRedeemed reads the transaction that claimed the use: the grantee signed
// it, and the redemption is today what it was there.
func (r *release) checkRedeemed(ctx context.Context, g exchange.Grant, use exchange.Redemption) error {
	tx, err := r.Ledger.Transaction(ctx, use.RedeemedTx)
	if err != nil {
		return fmt.Errorf("transaction of redemption %s: %w", useID(use), err)
	}
	if tx.Chaincode != r.Chaincode || !tx.CreatedBy(g.GranteeMSP) {
		return refusef("use %s was not redeemed by %s", useID(use), g.Grantee)
	}
	for _, e := range tx.Events {
		if e.Type != exchange.GrantRedeemed || e.ID != g.ID {
			continue
		}
		claimed, err := record[exchange.Redemption](e.Data)
		if err != nil {
			return err
		}
		if claimed.Slot == use.Slot {
			return same(claimed, use, "redemption "+useID(use))
		}
	}
	return refusef("the transaction %s did not redeem use %s", use.RedeemedTx, useID(use))
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
			said, err := record[exchange.Release](e.Data)
			if err == nil && e.Type == exchange.KeyReleased && e.ID == use.Grant && said.Slot == use.Slot && said.WrapDigest == digest {
				return nil
			}
		}
	}
	return workers.Reject(fmt.Errorf("release %s: the transaction %s is not this department's release of the wrap in its journal", useID(use), released.Change.Tx))
}

// recipient is the grantee's, and the one that the grant names.
func (r *release) recipient(ctx context.Context, g exchange.Grant) (envelope.Recipient, error) {
	var grantee exchange.Department
	if err := r.Ledger.Get(ctx, exchange.NounDepartment, g.Grantee, &grantee); err != nil {
		return envelope.Recipient{}, fmt.Errorf("department %s: %w", g.Grantee, err)
	}
	recipient, err := envelope.ParseRecipient(grantee.Recipient)
	if err != nil {
		return envelope.Recipient{}, refusef("the recipient key of %s cannot be used: %v", g.Grantee, err)
	}
	if recipient.Fingerprint() != g.Recipient {
		return envelope.Recipient{}, refusef("grant %s names another recipient key than %s has now", g.ID, g.Grantee)
	}
	return recipient, nil
}

func record[T any](data []byte) (T, error) { return events.Record[T](events.Envelope{Data: data}) }
