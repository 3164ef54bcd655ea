package envelope

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
)

const (
	// FileKeySize is the length of an age file key in bytes.
	FileKeySize = 16
	// SaltSize is the length of a content digest's salt in bytes.
	SaltSize = 32
)

// FileKey opens one sealed object and nothing else. Its zero value opens
// nothing.
type FileKey struct {
	redacted
	reveal func() []byte // a closure: fmt prints what a pointer leads to
}

// NewFileKey copies a file key of [FileKeySize] bytes, or answers ErrMalformed.
func NewFileKey(b []byte) (FileKey, error) {
	if len(b) != FileKeySize {
		return FileKey{}, fmt.Errorf("file key of %d bytes: %w", len(b), ErrMalformed)
	}
	return FileKey{reveal: conceal(b)}, nil
}

// Bytes returns a copy of the secret key, nil for the zero value.
func (k FileKey) Bytes() []byte {
	if k.reveal == nil {
		return nil
	}
	return k.reveal()
}

// IsZero reports whether k is the zero value.
func (k FileKey) IsZero() bool { return k.reveal == nil }

// Equal reports whether both are the same key, in constant time.
func (k FileKey) Equal(other FileKey) bool {
	return subtle.ConstantTimeCompare(k.Bytes(), other.Bytes()) == 1
}

// Salt hides the content digest of an object: whoever knows it can test guesses
// of the content against the ledger.
type Salt struct {
	redacted
	reveal func() []byte
}

// NewSalt copies a salt of [SaltSize] bytes, or answers ErrMalformed.
func NewSalt(b []byte) (Salt, error) {
	if len(b) != SaltSize {
		return Salt{}, fmt.Errorf("salt of %d bytes: %w", len(b), ErrMalformed)
	}
	return Salt{reveal: conceal(b)}, nil
}

func randomSalt() Salt {
	var b [SaltSize]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program first
	return Salt{reveal: conceal(b[:])}
}

// Bytes returns a copy of the secret salt, nil for the zero value.
func (s Salt) Bytes() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// IsZero reports whether s is the zero value.
func (s Salt) IsZero() bool { return s.reveal == nil }

// Equal reports whether both are the same salt, in constant time.
func (s Salt) Equal(other Salt) bool {
	return subtle.ConstantTimeCompare(s.Bytes(), other.Bytes()) == 1
}

// conceal returns a function that returns copies of b as it is now.
func conceal(b []byte) func() []byte {
	secret := bytes.Clone(b)
	return func() []byte { return bytes.Clone(secret) }
}

// redacted, embedded first in a type that holds a secret, keeps it out of logs
// and encodings: every fmt verb prints the same text, and encoding/json, xml
// and yaml get [ErrSecret].
type redacted struct{}

func (redacted) String() string               { return "[redacted]" }
func (redacted) Format(f fmt.State, _ rune)   { io.WriteString(f, "[redacted]") }
func (redacted) MarshalText() ([]byte, error) { return nil, ErrSecret }
