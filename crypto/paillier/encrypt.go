package paillier

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
)

// source returns r, or the operating system's randomness for nil.
func source(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}

// Encrypt encrypts m, 0 ≤ m < n, with noise of the key's form drawn from random
// (nil: the operating system's). Errors: ErrPlaintextRange, random's.
func (pk *PublicKey) Encrypt(random io.Reader, m *big.Int) (*Ciphertext, error) {
	c := new(Ciphertext)
	return c, pk.EncryptBatch(context.Background(), random, []*Ciphertext{c}, []*big.Int{m})
}

// EncryptWith encrypts m with the noise r^n, r coprime to n: the same r makes
// the same ciphertext, and whoever knows r can check it. Errors:
// ErrPlaintextRange for m or r.
func (pk *PublicKey) EncryptWith(m, r *big.Int) (*Ciphertext, error) {
	if err := pk.checkPlaintext(m); err != nil {
		return nil, err
	}
	if r == nil || r.Sign() <= 0 || r.Cmp(pk.n) >= 0 || new(big.Int).GCD(nil, nil, r, pk.n).Cmp(one) != 0 {
		return nil, fmt.Errorf("noise: %w", ErrPlaintextRange)
	}
	v := encryptWith(pk.n, pk.nn, m, r)
	return pk.ImportCiphertext(v)
}

// encryptWith returns (1 + m·n)·r^n mod n² without any check.
func encryptWith(n, nn, m, r *big.Int) *big.Int {
	v := new(big.Int).Exp(r, n, nn)
	g := new(big.Int).Mul(m, n)
	g.Add(g, one)
	return v.Mul(v, g).Mod(v, nn)
}

// Encrypt encrypts m, 0 ≤ m < n, as the key's owner: the noise has the same
// distribution as r^n for uniform r, at a fraction of the time. Errors:
// ErrPlaintextRange, random's.
func (sk *PrivateKey) Encrypt(random io.Reader, m *big.Int) (*Ciphertext, error) {
	c := new(Ciphertext)
	return c, sk.EncryptBatch(context.Background(), random, []*Ciphertext{c}, []*big.Int{m})
}

func (pk *PublicKey) checkPlaintext(m *big.Int) error {
	if m == nil || m.Sign() < 0 || m.Cmp(pk.n) >= 0 {
		return ErrPlaintextRange
	}
	return nil
}

// Center maps a plaintext to the signed number of least magnitude that it
// stands for: m, or m - n if m > n/2. It changes m and returns it.
func (pk *PublicKey) Center(m *big.Int) *big.Int {
	if m.Cmp(new(big.Int).Rsh(pk.n, 1)) > 0 {
		m.Sub(m, pk.n)
	}
	return m
}
