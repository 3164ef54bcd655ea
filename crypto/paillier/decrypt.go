package paillier

import (
	"context"
	"math/big"
)

// Decrypt returns the plaintext of c, in [0, n). Errors: Check's. Whoever offers
// decryption to others must not decrypt what others choose: Paillier ciphertexts
// can be changed by anyone, so that an oracle opens all of them.
func (sk *PrivateKey) Decrypt(c *Ciphertext) (*big.Int, error) {
	m := new(big.Int)
	if err := sk.DecryptBatch(context.Background(), []*big.Int{m}, []*Ciphertext{c}); err != nil {
		return nil, err
	}
	return m, nil
}
