package paillier

import (
	"context"
	"fmt"
	"math/big"
)

// The evaluations of this file draw no randomness: the same operands give the
// same bytes on every machine, as a contract needs. What leaves its owner should
// be rerandomised afterwards by someone who may draw randomness.

// Add returns an encryption of the sum of a's and b's plaintexts modulo n.
// Errors: Check's, for either operand or for the result.
func (pk *PublicKey) Add(a, b *Ciphertext) (*Ciphertext, error) {
	c := []*Ciphertext{new(Ciphertext)}
	if err := pk.AddBatch(context.Background(), c, []*Ciphertext{a}, []*Ciphertext{b}); err != nil {
		return nil, err
	}
	return c[0], nil
}

// AddPlain returns an encryption of the sum of c's plaintext and m modulo n,
// -n < m < n. Errors: Check's, ErrPlaintextRange.
func (pk *PublicKey) AddPlain(c *Ciphertext, m *big.Int) (*Ciphertext, error) {
	z := []*Ciphertext{new(Ciphertext)}
	if err := pk.AddPlainBatch(context.Background(), z, []*Ciphertext{c}, []*big.Int{m}); err != nil {
		return nil, err
	}
	return z[0], nil
}

// MulConst returns an encryption of k times c's plaintext modulo n, -n < k < n.
// k is public: the time depends on it. Errors: Check's, ErrPlaintextRange, and
// ErrCiphertextBare if k is 0.
func (pk *PublicKey) MulConst(c *Ciphertext, k *big.Int) (*Ciphertext, error) {
	z := []*Ciphertext{new(Ciphertext)}
	if err := pk.MulConstBatch(context.Background(), z, []*Ciphertext{c}, []*big.Int{k}); err != nil {
		return nil, err
	}
	return z[0], nil
}

// Neg returns an encryption of the negative of c's plaintext modulo n. Errors:
// Check's.
func (pk *PublicKey) Neg(c *Ciphertext) (*Ciphertext, error) {
	return pk.MulConst(c, big.NewInt(-1))
}

// LinearCombination returns an encryption of Σ weights[i]·plaintext(c[i]) modulo
// n. Weights are public; ciphertexts of weight 0 are checked and left out.
// Errors: ErrLength, Check's, and ErrCiphertextBare if nothing is left.
func (pk *PublicKey) LinearCombination(c []*Ciphertext, weights []int64) (*Ciphertext, error) {
	if len(c) == 0 || len(c) != len(weights) {
		return nil, fmt.Errorf("%w: %d ciphertexts, %d weights", ErrLength, len(c), len(weights))
	}
	if err := pk.CheckBatch(context.Background(), c); err != nil {
		return nil, err
	}
	return pk.combine(c, weights)
}

func (pk *PublicKey) checkScalar(k *big.Int) error {
	if k == nil || k.CmpAbs(pk.n) >= 0 {
		return ErrPlaintextRange
	}
	return nil
}

// negate sets w, a ciphertext that is checked, to its inverse modulo n².
func (pk *PublicKey) negate(w []uint64) error {
	c := intOf(w)
	x := new(big.Int).ModInverse(new(big.Int).Mod(c, pk.n), pk.n)
	if x == nil {
		return ErrCiphertextFactor
	}
	// x(2 - cx) is the inverse modulo n² if x is modulo n (Hensel).
	c.Mul(c, x).Sub(big.NewInt(2), c).Mul(c, x).Mod(c, pk.nn)
	putWords(w, c, make([]byte, 8*len(w)))
	return nil
}

// multiply returns a·b modulo n².
func (pk *PublicKey) multiply(a, b []uint64) *big.Int {
	v := intOf(a)
	return v.Mul(v, intOf(b)).Mod(v, pk.nn)
}

// result makes a ciphertext of an evaluation's outcome. Products of numbers
// coprime to n are coprime to n, so that only bareness is left to see.
func (pk *PublicKey) result(v *big.Int) (*Ciphertext, error) {
	if new(big.Int).Mod(v, pk.n).Cmp(one) == 0 {
		return nil, ErrCiphertextBare
	}
	c := new(Ciphertext)
	c.set(pk, v)
	return c, nil
}
