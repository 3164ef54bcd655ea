package exchange

import "time"

// RedemptionState is where one use of a grant stands.
type RedemptionState string

const (
	Redeemed      RedemptionState = "redeemed" // claimed by the grantee; no key has moved
	Released      RedemptionState = "released" // the provider put the wrapped key on record
	ReleaseDenied RedemptionState = "refused"  // the provider refused; the slot is free again
	Received      RedemptionState = "received" // the grantee confirmed
	Disputed      RedemptionState = "disputed" // the grantee contests
)

// ReleaseWindow is how long after its redemption a use is served, in seconds.
const ReleaseWindow = 24 * 3600

// Redemption is one use of a grant, claimed before any key moves.
type Redemption struct {
	Grant        string          `json:"grant"`
	Slot         int             `json:"slot"` // 0 to maxUses−1
	Owner        string          `json:"owner"`
	Grantee      string          `json:"grantee"`
	Dataset      string          `json:"dataset"`
	Object       string          `json:"object"`       // the version resolved at redemption
	SealedDigest string          `json:"sealedDigest"` // of that version
	Attempt      int             `json:"attempt"`      // 1, and one more for each claim after a refusal
	State        RedemptionState `json:"state"`
	RedeemedTx   string          `json:"redeemedTx"` // the transaction that claimed this attempt
	Since        time.Time       `json:"since"`      // of this attempt
	Change       Change          `json:"change"`
}

// Release is the provider's record that the key was wrapped for the grantee.
type Release struct {
	Grant      string `json:"grant"`
	Slot       int    `json:"slot"`
	Owner      string `json:"owner"`
	Grantee    string `json:"grantee"`
	Object     string `json:"object"`
	WrapCID    string `json:"wrapCid"`
	WrapDigest string `json:"wrapDigest"` // SHA-256 of the wrap
	Change     Change `json:"change"`
}

// Receipt is the grantee's record that what arrived is what was registered.
type Receipt struct {
	Grant         string `json:"grant"`
	Slot          int    `json:"slot"`
	Owner         string `json:"owner"`
	Grantee       string `json:"grantee"`
	Object        string `json:"object"`
	SealedDigest  string `json:"sealedDigest"`
	ContentDigest string `json:"contentDigest"`
	Rows          int64  `json:"rows"`
	Change        Change `json:"change"`
}

// Dispute is the grantee's record that something else arrived, or nothing.
type Dispute struct {
	Grant   string       `json:"grant"`
	Slot    int          `json:"slot"`
	Owner   string       `json:"owner"`
	Grantee string       `json:"grantee"`
	Object  string       `json:"object"`
	Cause   DisputeCause `json:"cause"`
	Found   string       `json:"found,omitempty"` // digest found, where there was one
	Reason  string       `json:"reason"`
	Change  Change       `json:"change"`
}

// DisputeCause says what the grantee contests.
type DisputeCause string

const (
	CauseWrap    DisputeCause = "wrap"    // the wrap is not the recorded one, or not for this use
	CauseSealed  DisputeCause = "sealed"  // the sealed bytes have another digest
	CauseContent DisputeCause = "content" // the content has another digest
	CauseSchema  DisputeCause = "schema"  // columns, types or row count are not as declared
)

var disputeCauses = []DisputeCause{CauseWrap, CauseSealed, CauseContent, CauseSchema}

// RedeemGrant is the body of [OpGrantRedeem].
type RedeemGrant struct {
	Grant string `json:"grant"`
	Slot  int    `json:"slot"`
}

// Validate checks the body by itself.
func (b *RedeemGrant) Validate() error { return checkUse(b.Grant, b.Slot) }

// ReleaseKey is the body of [OpKeyRelease].
type ReleaseKey struct {
	Grant      string `json:"grant"`
	Slot       int    `json:"slot"`
	WrapCID    string `json:"wrapCid"`
	WrapDigest string `json:"wrapDigest"`
}

// Validate checks the body by itself.
func (b *ReleaseKey) Validate() error {
	return first(checkUse(b.Grant, b.Slot), checkCID("wrapCid", b.WrapCID), checkDigest("wrapDigest", b.WrapDigest))
}

// RefuseKey is the body of [OpKeyRefuse]. It names the attempt, so that a late
// refusal never hits the claim that follows.
type RefuseKey struct {
	Grant   string `json:"grant"`
	Slot    int    `json:"slot"`
	Attempt int    `json:"attempt"`
	Reason  string `json:"reason"`
}

// Validate checks the body by itself.
func (b *RefuseKey) Validate() error {
	return first(checkUse(b.Grant, b.Slot), checkRange("attempt", int64(b.Attempt), 1, 1<<30), CheckReason(b.Reason))
}

// FileReceipt is the body of [OpReceiptFile].
type FileReceipt struct {
	Grant         string `json:"grant"`
	Slot          int    `json:"slot"`
	SealedDigest  string `json:"sealedDigest"`
	ContentDigest string `json:"contentDigest"`
	Rows          int64  `json:"rows"`
}

// Validate checks the body by itself.
func (b *FileReceipt) Validate() error {
	return first(
		checkUse(b.Grant, b.Slot),
		checkDigest("sealedDigest", b.SealedDigest),
		checkDigest("contentDigest", b.ContentDigest),
		checkRange("rows", b.Rows, 0, 1<<50))
}

// OpenDispute is the body of [OpDisputeOpen].
type OpenDispute struct {
	Grant  string       `json:"grant"`
	Slot   int          `json:"slot"`
	Cause  DisputeCause `json:"cause"`
	Found  string       `json:"found,omitempty"`
	Reason string       `json:"reason"`
}

// Validate checks the body by itself.
func (b *OpenDispute) Validate() error {
	err := first(checkUse(b.Grant, b.Slot), checkOneOf("cause", b.Cause, disputeCauses), CheckReason(b.Reason))
	if b.Found != "" {
		err = first(err, checkDigest("found", b.Found))
	}
	return err
}
