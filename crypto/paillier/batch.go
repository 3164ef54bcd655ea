package paillier

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
)

// EncryptBatch encrypts m[i] into dst[i].
func (pk *PublicKey) EncryptBatch(ctx context.Context, random io.Reader, dst []*Ciphertext, m []*big.Int) error {
	if len(dst) != len(m) {
		return fmt.Errorf("%w: %d destinations, %d plaintexts", ErrLength, len(dst), len(m))
	}
	for i, v := range m {
		if err := pk.checkPlaintext(v); err != nil {
			return fmt.Errorf("plaintext %d: %w", i, err)
		}
		r, err := rand.Int(source(random), pk.n)
		if err != nil {
			return err
		}
		dst[i].set(pk, encryptWith(pk.n, pk.nn, v, r))
	}
	return ctx.Err()
}

// DecryptBatch decrypts c[i] into dst[i].
func (sk *PrivateKey) DecryptBatch(ctx context.Context, dst []*big.Int, c []*Ciphertext) error {
	if err := sk.checkAll(c...); err != nil {
		return err
	}
	half := func(v, p, h *big.Int) *big.Int {
		pp := new(big.Int).Mul(p, p)
		e := new(big.Int).Sub(p, one)
		x := new(big.Int).Exp(v, e, pp)
		x.Sub(x, one).Div(x, p).Mul(x, h)
		return x.Mod(x, p)
	}
	for i := range c {
		v := c[i].Int()
		mp, mq := half(v, sk.p, sk.hp), half(v, sk.q, sk.hq)
		t := new(big.Int).Sub(mq, mp)
		t.Mul(t, sk.pinv).Mod(t, sk.q)
		dst[i].Mul(t, sk.p).Add(dst[i], mp)
	}
	return ctx.Err()
}

func (pk *PublicKey) combine(c []*Ciphertext, weights []int64) (*Ciphertext, error) {
	acc := big.NewInt(1)
	for i := range c {
		acc.Mul(acc, new(big.Int).Exp(c[i].Int(), big.NewInt(weights[i]), pk.nn)).Mod(acc, pk.nn)
	}
	return pk.result(acc)
}

// EncryptBatch encrypts m[i] into dst[i] as the owner.
func (sk *PrivateKey) EncryptBatch(ctx context.Context, random io.Reader, dst []*Ciphertext, m []*big.Int) error {
	return sk.PublicKey.EncryptBatch(ctx, random, dst, m)
}

// CheckBatch checks all of c.
func (pk *PublicKey) CheckBatch(ctx context.Context, c []*Ciphertext) error {
	if err := pk.checkAll(c...); err != nil {
		return err
	}
	return ctx.Err()
}

// Rerandomise returns another encryption of c's plaintext.
func (pk *PublicKey) Rerandomise(random io.Reader, c *Ciphertext) (*Ciphertext, error) {
	z, err := pk.Encrypt(random, new(big.Int))
	if err != nil {
		return nil, err
	}
	return pk.Add(c, z)
}
