package chaincode

import "chancery/chaincode/exchange"

// fileReceipt confirms a release. The grantee states what it found; what is not
// what was registered is no receipt but a dispute.
func fileReceipt(a *act, b *exchange.FileReceipt) (subject, error) {
	u, err := a.use(b.Grant, b.Slot)
	if err != nil {
		return subject{}, err
	}
	was, _, err := find[exchange.Receipt](a.transaction, exchange.ReceiptKey(b.Grant, b.Slot))
	s := u.subject(b.Slot, u.grant.Grantee)
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		r := u.redemption
		o, err := need[exchange.Object](a.transaction, exchange.ObjectKey(r.Object), r.Object)
		if err != nil {
			return err
		}
		if b.SealedDigest != o.SealedDigest || b.ContentDigest != o.ContentDigest || b.Rows != o.Rows {
			return exchange.Errorf(exchange.Invalid, "the receipt's digests or rows are not those of %s: open a dispute with %s",
				o.ID, function(exchange.OpDisputeOpen))
		}
		receipt := exchange.Receipt{
			Grant: r.Grant, Slot: r.Slot, Owner: r.Owner, Grantee: r.Grantee, Object: r.Object,
			SealedDigest: b.SealedDigest, ContentDigest: b.ContentDigest, Rows: b.Rows, Change: a.change(""),
		}
		return firstError(
			a.put(exchange.ReceiptKey(b.Grant, b.Slot), receipt),
			a.putUse(r, receipt.Change),
			a.tell(r.Owner, r.Grant, receipt))
	}
	return s, err
}

func openDispute(a *act, b *exchange.OpenDispute) (subject, error) {
	u, err := a.use(b.Grant, b.Slot)
	if err != nil {
		return subject{}, err
	}
	was, _, err := find[exchange.Dispute](a.transaction, exchange.DisputeKey(b.Grant, b.Slot))
	s := u.subject(b.Slot, u.grant.Grantee)
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		r := u.redemption
		dispute := exchange.Dispute{
			Grant: r.Grant, Slot: r.Slot, Owner: r.Owner, Grantee: r.Grantee, Object: r.Object,
			Cause: b.Cause, Found: b.Found, Reason: b.Reason, Change: a.change(b.Reason),
		}
		return firstError(
			a.put(exchange.DisputeKey(b.Grant, b.Slot), dispute),
			a.putUse(r, dispute.Change),
			a.tell(r.Owner, r.Grant, dispute))
	}
	return s, err
}
