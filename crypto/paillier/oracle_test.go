package paillier

import "math/big"

// The scheme once more in math/big, straight from Paillier's paper: what the
// kernels are checked and measured against.

// decryptBig decrypts modulo n², with λ = (p-1)(q-1).
func decryptBig(sk *PrivateKey, c *big.Int) *big.Int {
	lambda := new(big.Int).Mul(new(big.Int).Sub(sk.p, one), new(big.Int).Sub(sk.q, one))
	x := new(big.Int).Exp(c, lambda, sk.nn)
	x.Sub(x, one).Div(x, sk.n)
	x.Mul(x, new(big.Int).ModInverse(lambda, sk.n))
	return x.Mod(x, sk.n)
}

// decryptCRTBig decrypts modulo p² and q².
func decryptCRTBig(sk *PrivateKey, c *big.Int) *big.Int {
	half := func(p, h *big.Int) *big.Int {
		e := new(big.Int).Sub(p, one)
		x := new(big.Int).Exp(c, e, new(big.Int).Mul(p, p))
		x.Sub(x, one).Div(x, p).Mul(x, h)
		return x.Mod(x, p)
	}
	mp, mq := half(sk.p, sk.hp), half(sk.q, sk.hq)
	t := new(big.Int).Sub(mq, mp)
	t.Mul(t, sk.pinv).Mod(t, sk.q)
	return t.Mul(t, sk.p).Add(t, mp)
}
