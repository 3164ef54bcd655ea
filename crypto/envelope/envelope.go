// Package envelope seals a department's objects once and grants them many
// times.
//
// A sealed object is an age v1 file (https://age-encryption.org/v1) with one
// post-quantum hybrid recipient (mlkem768x25519), the identity of its dataset:
// the age command line opens it with that identity. [Seal] writes it in one
// pass and keeps its file key and a random salt. A grantee gets these two in a
// [Wrap], a small age file of its own, and opens the object with [Open].
//
// Two digests tie the object to the ledger, together its [Commitment]: SHA-256
// of the sealed bytes, which anyone who holds them can check, and SHA-256 of
// salt ‖ SHA-256(content), which only a holder of the salt can check, so that
// nobody guesses a small table from it.
//
// What is trusted: age, the commitment that the caller read from the ledger,
// and the source of randomness. What is not: the bytes of a sealed object or
// of a wrap. age does not authenticate who sealed a file. Anyone who knows a
// recipient can write a wrap for it, so a caller compares the wrap's own digest
// with the ledger before it opens one, and its grant and slot after.
//
// Types that hold secrets print as "[redacted]" and refuse to be encoded as
// text, JSON or YAML. Secrets are not wiped from memory: Go gives no means to.
package envelope

import "errors"

var (
	// ErrSealedDigest says that the sealed bytes are not the ones committed
	// to: altered, cut short (then io.ErrUnexpectedEOF is wrapped too) or
	// extended.
	ErrSealedDigest = errors.New("sealed bytes do not match their digest")

	// ErrContentDigest says that the object opened, but to other content than
	// the one committed to, or that the salt is not its salt.
	ErrContentDigest = errors.New("content does not match its salted digest")

	// ErrFileKey says that the sealed bytes are the ones committed to, yet the
	// file key does not open them: the department that sealed them or released
	// the key is at fault, not the way they came.
	ErrFileKey = errors.New("file key does not open the object")

	// ErrNotForUs says that an age file has no stanza for the identity.
	ErrNotForUs = errors.New("sealed to another recipient")

	// ErrMalformed says that bytes are not what they should be: no age file,
	// a damaged one, too large, or not a wrap inside.
	ErrMalformed = errors.New("malformed")

	// ErrSecret is what a secret answers when it is asked to encode itself.
	ErrSecret = errors.New("envelope: secrets are not encoded implicitly")
)

// clip bounds an error's text, since age quotes hostile input in full (up to
// 2 MiB of header). The result matches none of err's sentinels.
func clip(err error) error {
	const limit = 200
	text := err.Error()
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return errors.New(text)
}
