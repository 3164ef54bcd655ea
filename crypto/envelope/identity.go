package envelope

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"filippo.io/age"
)

// Identity is a secret post-quantum hybrid age identity. A department has one,
// to which wraps are sealed, and each of its datasets has one, to which its
// objects are sealed. The zero value opens nothing.
type Identity struct {
	redacted
	age *age.HybridIdentity
}

// NewIdentity makes a random identity.
func NewIdentity() (Identity, error) {
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		return Identity{}, fmt.Errorf("generate identity: %w", err)
	}
	return Identity{age: i}, nil
}

// ParseIdentity reads the form AGE-SECRET-KEY-PQ-1…, and nothing around it:
// ErrMalformed. The error does not repeat the input.
func ParseIdentity(s string) (Identity, error) {
	i, err := age.ParseHybridIdentity(s)
	if err != nil {
		return Identity{}, fmt.Errorf("age identity: %w", ErrMalformed)
	}
	return Identity{age: i}, nil
}

// Secret returns the form that ParseIdentity reads, "" for the zero value. It
// is for writing to a protected file, never to a log.
func (i Identity) Secret() string {
	if i.age == nil {
		return ""
	}
	return i.age.String()
}

// Recipient returns the public half.
func (i Identity) Recipient() Recipient {
	if i.age == nil {
		return Recipient{}
	}
	return Recipient{age: i.age.Recipient()}
}

// Recipient is the public half of an [Identity]. The zero value is no
// recipient: sealing to it answers ErrMalformed.
type Recipient struct {
	age *age.HybridRecipient
}

// ParseRecipient reads the form age1pq1…, and nothing around it: ErrMalformed.
func ParseRecipient(s string) (Recipient, error) {
	r, err := age.ParseHybridRecipient(s)
	if err != nil {
		return Recipient{}, fmt.Errorf("age recipient: %w", ErrMalformed)
	}
	return Recipient{age: r}, nil
}

// String returns the form that ParseRecipient reads, "" for the zero value.
func (r Recipient) String() string {
	if r.age == nil {
		return ""
	}
	return r.age.String()
}

// Fingerprint returns SHA-256 of String, in lower-case hexadecimal: the short
// name under which the ledger and a grant know a recipient.
func (r Recipient) Fingerprint() string {
	sum := sha256.Sum256([]byte(r.String()))
	return hex.EncodeToString(sum[:])
}
