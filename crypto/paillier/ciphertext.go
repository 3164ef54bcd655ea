package paillier

import (
	"fmt"
	"math/big"
	"sync/atomic"
)

// Ciphertext is a number modulo n² under one key. The zero value is empty: it
// may be a destination or be unmarshalled into, and every operation refuses it
// as an operand. Results of this package are never changed by a later call
// unless they are given as its destination.
type Ciphertext struct {
	fp      Fingerprint
	w       []uint64 // 2·|n|/64 little-endian words, or none
	checked uint32   // 1 if Check has passed under the key of fp; atomic
}

// Fingerprint names the key that the ciphertext claims to be under.
func (c *Ciphertext) Fingerprint() Fingerprint { return c.fp }

// Int returns the ciphertext as a new integer.
func (c *Ciphertext) Int() *big.Int { return intOf(c.w) }

// Equal reports whether both are the same number under the same key.
func (c *Ciphertext) Equal(other *Ciphertext) bool {
	if other == nil || c.fp != other.fp || len(c.w) != len(other.w) {
		return false
	}
	for i := range c.w {
		if c.w[i] != other.w[i] {
			return false
		}
	}
	return true
}

// AppendBinary appends the encoding of the ciphertext to b. It fails with
// ErrEncoding if the ciphertext is empty.
func (c *Ciphertext) AppendBinary(b []byte) ([]byte, error) {
	if len(c.w) == 0 {
		return b, fmt.Errorf("ciphertext: %w: empty", ErrEncoding)
	}
	b = appendHeader(b, kindCiphertext, 0, 32*len(c.w))
	start := len(b)
	b = append(b, make([]byte, 8*len(c.w))...)
	bytesFromWords(b[start:], c.w)
	return append(b, c.fp[:]...), nil
}

// MarshalBinary encodes the ciphertext; see AppendBinary.
func (c *Ciphertext) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// MarshalText encodes the ciphertext as text; see AppendBinary.
func (c *Ciphertext) MarshalText() ([]byte, error) {
	b, err := c.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return toText(textCiphertext, b), nil
}

// UnmarshalBinary decodes a ciphertext without knowing its key: the first
// operation that it is given to, or PublicKey.Check, checks the number. Errors:
// ErrEncoding, ErrVersion, ErrModulusSize.
func (c *Ciphertext) UnmarshalBinary(b []byte) error {
	form, bits, body, fp, err := split(b, kindCiphertext)
	if err != nil {
		return fmt.Errorf("ciphertext: %w", err)
	}
	if form != 0 {
		return fmt.Errorf("ciphertext: %w: form %d", ErrEncoding, form)
	}
	c.reset(fp, bits/32)
	wordsFromBytes(c.w, body)
	c.unmark()
	return nil
}

// UnmarshalText decodes the text form; see UnmarshalBinary.
func (c *Ciphertext) UnmarshalText(text []byte) error {
	b, err := fromText(textCiphertext, text)
	if err != nil {
		return fmt.Errorf("ciphertext: %w", err)
	}
	return c.UnmarshalBinary(b)
}

func (c *Ciphertext) passed() bool { return atomic.LoadUint32(&c.checked) == 1 }
func (c *Ciphertext) mark()        { atomic.StoreUint32(&c.checked, 1) }
func (c *Ciphertext) unmark()      { atomic.StoreUint32(&c.checked, 0) }

// reset gives c room for size words under the key fp, reusing its own.
func (c *Ciphertext) reset(fp Fingerprint, size int) {
	if cap(c.w) < size {
		c.w = make([]uint64, size)
	}
	c.w, c.fp = c.w[:size], fp
}

// set makes c the number v, which the caller knows to be in range.
func (c *Ciphertext) set(pk *PublicKey, v *big.Int) {
	c.reset(pk.fp, 2*pk.size)
	putWords(c.w, v, make([]byte, 16*pk.size))
	c.mark()
}

// ParseCiphertext decodes a ciphertext and checks it under the key. Errors:
// UnmarshalBinary's and Check's.
func (pk *PublicKey) ParseCiphertext(b []byte) (*Ciphertext, error) {
	c := new(Ciphertext)
	if err := c.UnmarshalBinary(b); err != nil {
		return nil, err
	}
	return c, pk.Check(c)
}

// ImportCiphertext makes a ciphertext of a number from elsewhere. Errors: Check's.
func (pk *PublicKey) ImportCiphertext(v *big.Int) (*Ciphertext, error) {
	if v == nil || v.Sign() <= 0 || v.Cmp(pk.nn) >= 0 {
		return nil, ErrCiphertextRange
	}
	c := new(Ciphertext)
	c.set(pk, v)
	c.unmark()
	return c, pk.Check(c)
}

// Check reports whether c is an encryption under the key that may be used: in
// range, coprime to n, not 1 modulo n. It remembers a success. Errors:
// ErrKeyMismatch, ErrCiphertextRange, ErrCiphertextBare, ErrCiphertextFactor.
func (pk *PublicKey) Check(c *Ciphertext) error {
	if err := pk.owns(c); err != nil || c.passed() {
		return err
	}
	v := c.Int()
	if v.Sign() == 0 || v.Cmp(pk.nn) >= 0 {
		return ErrCiphertextRange
	}
	v.Mod(v, pk.n)
	if v.Cmp(one) == 0 {
		return ErrCiphertextBare
	}
	if v.GCD(nil, nil, v, pk.n).Cmp(one) != 0 {
		return ErrCiphertextFactor
	}
	c.mark()
	return nil
}

// owns reports whether c is a ciphertext that claims to be under the key.
func (pk *PublicKey) owns(c *Ciphertext) error {
	switch {
	case c == nil || len(c.w) == 0:
		return fmt.Errorf("%w: empty", ErrCiphertextRange)
	case c.fp != pk.fp || len(c.w) != 2*pk.size:
		return fmt.Errorf("%w: %s, not %s", ErrKeyMismatch, c.fp, pk.fp)
	}
	return nil
}
