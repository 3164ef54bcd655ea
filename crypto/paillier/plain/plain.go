// Package plain is Paillier's scheme in math/big, used well but
// straightforwardly: residues modulo p² and q² where the factors are known, and
// no tables, no kernels. It is what package paillier is checked and measured
// against, and nothing else: it checks no argument, and math/big is not
// constant-time, so no secret belongs in it.
package plain

import "math/big"

// Key is a modulus with its factors. Any number of goroutines may use it.
type Key struct {
	n, nn  *big.Int
	p, q   *big.Int
	pp, qq *big.Int // squares
	hp, hq *big.Int // (-q)^-1 mod p, (-p)^-1 mod q
	pinv   *big.Int // p^-1 mod q
	lift   *big.Int // p^-2 mod q²
}

// New makes a key of two different odd primes.
func New(p, q *big.Int) *Key {
	k := &Key{p: new(big.Int).Set(p), q: new(big.Int).Set(q)}
	k.n = new(big.Int).Mul(p, q)
	k.nn = new(big.Int).Mul(k.n, k.n)
	k.pp, k.qq = new(big.Int).Mul(p, p), new(big.Int).Mul(q, q)
	k.hp = new(big.Int).ModInverse(new(big.Int).Neg(q), p)
	k.hq = new(big.Int).ModInverse(new(big.Int).Neg(p), q)
	k.pinv = new(big.Int).ModInverse(p, q)
	k.lift = new(big.Int).ModInverse(k.pp, k.qq)
	return k
}

// N returns a copy of the modulus.
func (k *Key) N() *big.Int { return new(big.Int).Set(k.n) }

// NthPower returns h^n mod n²: a base of noise.
func (k *Key) NthPower(h *big.Int) *big.Int { return new(big.Int).Exp(h, k.n, k.nn) }

// Encrypt returns (1 + m·n)·r^n mod n² (Paillier 1999).
func (k *Key) Encrypt(m, r *big.Int) *big.Int { return k.blind(m, k.NthPower(r)) }

// EncryptPower returns (1 + m·n)·base^x mod n², base an n-th power (Damgård,
// Jurik, Nielsen 2010).
func (k *Key) EncryptPower(m, base, x *big.Int) *big.Int {
	return k.blind(m, new(big.Int).Exp(base, x, k.nn))
}

// EncryptOwner returns (1 + m·n)·base^x mod n², with the power taken modulo p²
// and q².
func (k *Key) EncryptOwner(m, base, x *big.Int) *big.Int {
	y, z := new(big.Int).Exp(base, x, k.pp), new(big.Int).Exp(base, x, k.qq)
	z.Sub(z, y).Mul(z, k.lift).Mod(z, k.qq).Mul(z, k.pp).Add(z, y)
	return k.blind(m, z)
}

func (k *Key) blind(m, noise *big.Int) *big.Int {
	g := new(big.Int).Mul(m, k.n)
	return g.Add(g, big.NewInt(1)).Mul(g, noise).Mod(g, k.nn)
}

// Add returns the ciphertext of the sum of two ciphertexts' plaintexts.
func (k *Key) Add(a, b *big.Int) *big.Int {
	v := new(big.Int).Mul(a, b)
	return v.Mod(v, k.nn)
}

// Scale returns the ciphertext of s times c's plaintext.
func (k *Key) Scale(c, s *big.Int) *big.Int { return new(big.Int).Exp(c, s, k.nn) }

// Decrypt returns the plaintext of c, modulo p² and q².
func (k *Key) Decrypt(c *big.Int) *big.Int {
	mp, mq := half(c, k.p, k.pp, k.hp), half(c, k.q, k.qq, k.hq)
	t := new(big.Int).Sub(mq, mp)
	t.Mul(t, k.pinv).Mod(t, k.q)
	return t.Mul(t, k.p).Add(t, mp)
}

func half(c, p, pp, h *big.Int) *big.Int {
	x := new(big.Int).Sub(p, big.NewInt(1))
	x.Exp(c, x, pp).Sub(x, big.NewInt(1)).Div(x, p).Mul(x, h)
	return x.Mod(x, p)
}
