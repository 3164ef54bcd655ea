package paillier

import (
	"fmt"
	"math/big"
)

// The evaluations of this file draw no randomness: the same operands give the
// same bytes on every machine, as a contract needs. What leaves its owner should
// be rerandomised afterwards by someone who may draw randomness.

// Add returns an encryption of the sum of a's and b's plaintexts modulo n.
// Errors: Check's, for either operand or for the result.
func (pk *PublicKey) Add(a, b *Ciphertext) (*Ciphertext, error) {
	if err := pk.checkAll(a, b); err != nil {
		return nil, err
	}
	v := a.Int()
	v.Mul(v, b.Int()).Mod(v, pk.nn)
	return pk.result(v)
}

// AddPlain returns an encryption of the sum of c's plaintext and m modulo n,
// -n < m < n. Errors: Check's, ErrPlaintextRange.
func (pk *PublicKey) AddPlain(c *Ciphertext, m *big.Int) (*Ciphertext, error) {
	if err := pk.checkAll(c); err != nil {
		return nil, err
	}
	if err := pk.checkScalar(m); err != nil {
		return nil, err
	}
	g := new(big.Int).Mod(m, pk.n)
	g.Mul(g, pk.n).Add(g, one)
	return pk.result(g.Mul(g, c.Int()).Mod(g, pk.nn))
}

// MulConst returns an encryption of k times c's plaintext modulo n, -n < k < n.
// k is public: the time depends on it. Errors: Check's, ErrPlaintextRange, and
// ErrCiphertextBare if k is 0.
func (pk *PublicKey) MulConst(c *Ciphertext, k *big.Int) (*Ciphertext, error) {
	if err := pk.checkAll(c); err != nil {
		return nil, err
	}
	if err := pk.checkScalar(k); err != nil {
		return nil, err
	}
	return pk.result(new(big.Int).Exp(c.Int(), k, pk.nn))
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
	if err := pk.checkAll(c...); err != nil {
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

func (pk *PublicKey) checkAll(cs ...*Ciphertext) error {
	for i, c := range cs {
		if err := pk.Check(c); err != nil {
			return fmt.Errorf("operand %d: %w", i, err)
		}
	}
	return nil
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
