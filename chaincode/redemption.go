package chaincode

import (
	"slices"
	"time"

	"chancery/chaincode/exchange"
)

// use is one slot of a grant, as the ledger holds it.
type use struct {
	grant      exchange.Grant
	redemption exchange.Redemption
	claimed    bool // the redemption is there
}

func (a *act) use(grant string, slot int) (use, error) {
	var u use
	var err error
	if u.grant, err = need[exchange.Grant](a.transaction, exchange.GrantKey(grant), grant); err != nil {
		return u, err
	}
	u.redemption, u.claimed, err = find[exchange.Redemption](a.transaction, exchange.RedemptionKey(grant, slot))
	return u, err
}

// subject of a use, for the given party.
func (u use) subject(slot int, party string) subject {
	return subject{id: exchange.UseID(u.grant.ID, slot), party: party, state: string(u.redemption.State)}
}

// redeemGrant claims a slot. It reads the grant and writes only the slot, so
// that two claims collide only on the same slot, and a revocation, which
// writes the grant, on all.
func redeemGrant(a *act, b *exchange.RedeemGrant) (subject, error) {
	u, err := a.use(b.Grant, b.Slot)
	if err != nil {
		return subject{}, err
	}
	s := u.subject(b.Slot, u.grant.Grantee)
	if u.claimed && u.redemption.State != exchange.ReleaseDenied {
		s.done = done{yes: true, tx: u.redemption.RedeemedTx}
	}
	s.change = func() error {
		o, err := a.redeemable(u.grant, b.Slot)
		if err != nil {
			return err
		}
		r := exchange.Redemption{
			Grant: u.grant.ID, Slot: b.Slot, Owner: u.grant.Owner, Grantee: u.grant.Grantee,
			Dataset: o.Dataset, Object: o.ID, SealedDigest: o.SealedDigest,
			Attempt: u.redemption.Attempt + 1, State: exchange.Redeemed, RedeemedTx: a.id, Since: a.time, Change: a.change(""),
		}
		return firstError(a.put(exchange.RedemptionKey(r.Grant, r.Slot), r), a.tell(r.Owner, r.Grant, r))
	}
	return s, nil
}

// redeemable decides whether a slot of a grant can be claimed now, and for
// which version.
func (a *act) redeemable(g exchange.Grant, slot int) (exchange.Object, error) {
	var none exchange.Object
	switch {
	case g.State == exchange.GrantRevoked:
		return none, checkNotRevoked(g)
	case slot >= g.MaxUses:
		return none, exchange.Errorf(exchange.Exhausted, "grant %s has %d uses: slots 0 to %d, not %d", g.ID, g.MaxUses, g.MaxUses-1, slot)
	case a.time.Before(g.NotBefore):
		return none, exchange.Errorf(exchange.Expired, "grant %s begins at %s", g.ID, g.NotBefore.Format(time.RFC3339))
	case !a.time.Before(g.NotAfter):
		return none, exchange.Errorf(exchange.Expired, "grant %s ended at %s", g.ID, g.NotAfter.Format(time.RFC3339))
	case !slices.Contains(g.Actions, exchange.Read):
		return none, exchange.Errorf(exchange.Denied, "grant %s allows %v, not %s", g.ID, g.Actions, exchange.Read)
	case exchange.RecipientFingerprint(a.caller.department.Recipient) != g.Recipient:
		return none, exchange.Errorf(exchange.Denied, "grant %s names another recipient key than %s has now: ask anew", g.ID, g.Grantee)
	}
	o, err := a.granted(g)
	if err != nil {
		return none, err
	}
	return o, firstError(a.checkAttested(o, g.Attestations), a.checkCertified(o, g.Certified))
}

// granted finds the version that a grant stands for now.
func (a *act) granted(g exchange.Grant) (exchange.Object, error) {
	d, err := a.openDataset(g.Dataset)
	if err != nil {
		return exchange.Object{}, err
	}
	return a.versionOf(d, g.Object)
}
