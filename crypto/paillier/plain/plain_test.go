package plain_test

import (
	"math/big"
	"testing"

	"chancery/crypto/paillier/plain"
)

// TestToyVector is the published example n = 1009·1013, and the algebra on it.
func TestToyVector(t *testing.T) {
	k := plain.New(big.NewInt(1009), big.NewInt(1013))
	m, r := big.NewInt(123456), big.NewInt(54321)
	c := k.Encrypt(m, r)
	if c.Int64() != 815306460394 {
		t.Fatalf("encrypted %v", c)
	}
	if got := k.Decrypt(c); got.Cmp(m) != 0 {
		t.Errorf("decrypted %v", got)
	}
	h, x := k.NthPower(big.NewInt(-4)), big.NewInt(98765)
	power, owner := k.EncryptPower(m, h, x), k.EncryptOwner(m, h, x)
	if power.Cmp(owner) != 0 || k.Decrypt(power).Cmp(m) != 0 {
		t.Errorf("by powers %v and %v", power, owner)
	}
	sum := k.Decrypt(k.Add(k.Scale(c, big.NewInt(3)), power))
	if want := new(big.Int).Mod(big.NewInt(4*123456), k.N()); sum.Cmp(want) != 0 {
		t.Errorf("3m + m = %v, not %v", sum, want)
	}
}
