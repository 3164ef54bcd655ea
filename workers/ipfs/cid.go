package ipfs

import (
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// ValidateCID answers ErrInvalidCID unless s is what Add returns: a CIDv1 of a
// file (raw or dag-pb) by SHA-256, in its one canonical text, base32. So an
// object has one name, and no address can stand for a path, a mutable name or
// bytes of its own.
func ValidateCID(s string) error {
	c, err := cid.Decode(s)
	if err != nil {
		return fmt.Errorf("%w %q", ErrInvalidCID, clip(s))
	}
	p := c.Prefix()
	if p.Version != 1 || (p.Codec != cid.Raw && p.Codec != cid.DagProtobuf) ||
		p.MhType != multihash.SHA2_256 || p.MhLength != 32 || c.String() != s {
		return fmt.Errorf("%w %q: want a canonical CIDv1 of a file by sha2-256", ErrInvalidCID, clip(s))
	}
	return nil
}

// clip bounds text from outside for an error.
func clip(s string) string {
	const limit = 200
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
