package chaincode

import (
	"time"

	"chancery/chaincode/exchange"
)

// releaseKey puts the wrap's digest on record, before the wrap is exposed.
// Within the window it goes through although the grant has ended or the
// dataset is withdrawn since the redemption; a revocation always wins.
func releaseKey(a *act, b *exchange.ReleaseKey) (subject, error) {
	u, err := a.use(b.Grant, b.Slot)
	if err != nil {
		return subject{}, err
	}
	was, _, err := find[exchange.Release](a.transaction, exchange.ReleaseKeyOf(b.Grant, b.Slot))
	s := u.subject(b.Slot, u.grant.Owner)
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		if err := checkNotRevoked(u.grant); err != nil {
			return err
		}
		r := u.redemption
		if end := r.Since.Add(exchange.ReleaseWindow * time.Second); a.time.After(end) {
			return exchange.Errorf(exchange.Expired, "use %s was redeemed at %s and could be served until %s: refuse it, so that it can be claimed anew",
				s.id, r.Since.Format(time.RFC3339), end.Format(time.RFC3339))
		}
		release := exchange.Release{
			Grant: r.Grant, Slot: r.Slot, Owner: r.Owner, Grantee: r.Grantee, Object: r.Object,
			WrapCID: b.WrapCID, WrapDigest: b.WrapDigest, Change: a.change(""),
		}
		return firstError(
			a.put(exchange.ReleaseKeyOf(b.Grant, b.Slot), release),
			a.putUse(r, release.Change),
			a.tell(r.Grantee, r.Grant, release))
	}
	return s, err
}

// putUse puts a redemption in the state that the row leads to.
func (a *act) putUse(r exchange.Redemption, c exchange.Change) error {
	r.State, r.Change = exchange.RedemptionState(a.row.To), c
	return a.put(exchange.RedemptionKey(r.Grant, r.Slot), r)
}

// refuseKey frees a slot: of the attempt that it names and of no later one.
func refuseKey(a *act, b *exchange.RefuseKey) (subject, error) {
	u, err := a.use(b.Grant, b.Slot)
	if err != nil {
		return subject{}, err
	}
	s := u.subject(b.Slot, u.grant.Owner)
	s.done = a.doneBefore(u.redemption.Change)
	s.change = func() error {
		r := u.redemption
		if r.Attempt != b.Attempt {
			return exchange.Errorf(exchange.Conflict, "use %s is at attempt %d, not %d", s.id, r.Attempt, b.Attempt)
		}
		r.State, r.Change = exchange.RedemptionState(a.row.To), a.change(b.Reason)
		return firstError(a.put(exchange.RedemptionKey(r.Grant, r.Slot), r), a.tell(r.Grantee, r.Grant, r))
	}
	return s, nil
}
