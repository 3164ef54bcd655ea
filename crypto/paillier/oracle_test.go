package paillier

import (
	"math/big"

	"chancery/crypto/paillier/plain"
)

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
func decryptCRTBig(sk *PrivateKey, c *big.Int) *big.Int { return plain.New(sk.p, sk.q).Decrypt(c) }
