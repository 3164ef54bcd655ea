package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

func useID(u exchange.Redemption) string { return exchange.UseID(u.Grant, u.Slot) }

// wrap returns the wrap of this attempt, made once and journalled: its
// encryption is randomised, and its digest goes on the ledger. A [*provenance.Refusal] says
// why there is no key to wrap.
func (r *release) wrap(use exchange.Redemption, to envelope.Recipient) ([]byte, error) {
	wrap, err := r.Journal.Wrap(use.Grant, use.Slot, use.Attempt)
	if err == nil || !errors.Is(err, journal.ErrNotFound) {
		return wrap, err
	}
	object, err := r.Journal.Object(use.Object, use.Dataset)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, provenance.Refusef("object %s was never sealed here", use.Object)
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", use.Object, err)
	}
	if object.Registration.SealedDigest != use.SealedDigest {
		return nil, provenance.Refusef("object %s was sealed here with another digest than was redeemed", use.Object)
	}
	wrap, err = envelope.SealWrap(envelope.Wrap{
		FileKey: object.Key, Salt: object.Salt, Object: use.Object, Grant: use.Grant, Slot: use.Slot,
	}, to)
	if err != nil {
		return nil, fmt.Errorf("wrap for %s: %w", useID(use), err)
	}
	return r.Journal.PutWrap(use.Grant, use.Slot, use.Attempt, wrap)
}

func digestOf(wrap []byte) string {
	sum := sha256.Sum256(wrap)
	return hex.EncodeToString(sum[:])
}
