package paillier

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
)

// MaxParties is the largest number of parties of a threshold key.
const MaxParties = 64

// VerificationKey is the public half of a threshold key: the Paillier key, the
// threshold and, for each party, what its decryption shares are checked against.
// It may be used by any number of goroutines at once and must not be copied.
type VerificationKey struct {
	pk        *PublicKey
	threshold int
	base      *big.Int   // V: a square modulo n², fixed by n
	values    []*big.Int // values[i-1] = V^(Δ·s_i) for party i
	factorial *big.Int   // Δ = parties!
	digest    [sha256.Size]byte
}

// NewVerificationKey checks and keeps verification values, values[i-1] being party
// i's. It refuses with ErrThreshold what is not 2 ≤ threshold ≤ parties ≤
// MaxParties, and with ErrVerificationKey values that are not units modulo n² or
// do not lie on one polynomial of degree threshold-1: any threshold of parties
// then hold the same key. That this key is the one which opens pk's ciphertexts,
// and that n is the product of two safe primes, is the dealer's word.
func NewVerificationKey(pk *PublicKey, threshold int, values []*big.Int) (*VerificationKey, error) {
	if threshold < 2 || threshold > len(values) || len(values) > MaxParties {
		return nil, fmt.Errorf("%w: %d of %d", ErrThreshold, threshold, len(values))
	}
	for i, v := range values {
		if !pk.unit(v) {
			return nil, fmt.Errorf("%w: value %d", ErrVerificationKey, i+1)
		}
	}
	vk := newVerificationKey(pk, threshold, values)
	for j := threshold + 1; j <= len(values); j++ {
		if !vk.onPolynomial(j) {
			return nil, fmt.Errorf("%w: value %d is off the others' polynomial", ErrVerificationKey, j)
		}
	}
	return vk, nil
}

// newVerificationKey makes a key without any check.
func newVerificationKey(pk *PublicKey, threshold int, values []*big.Int) *VerificationKey {
	vk := &VerificationKey{pk: pk, threshold: threshold}
	for _, v := range values {
		vk.values = append(vk.values, new(big.Int).Set(v))
	}
	vk.factorial = new(big.Int).MulRange(1, int64(len(values)))
	vk.base = verificationBase(pk)
	vk.digest = verificationDigest(vk.body())
	return vk
}

// verificationBase returns V, the square of a number that SHA-256 expands from n:
// nobody can plant one of small order, under which every proof would hold. It
// generates the squares modulo n² but with odds of about 2^-(|n|/2-1), n's primes
// being safe.
func verificationBase(pk *PublicKey) *big.Int {
	x := new(big.Int).SetBytes(expand("paillier verification base v1", pk.n.Bytes(), pk.Bits()/4+16))
	return x.Mul(x, x).Mod(x, pk.nn)
}

// onPolynomial reports whether value j is what the first threshold values make it.
func (vk *VerificationKey) onPolynomial(j int) bool {
	indexes := make([]int, vk.threshold)
	for i := range indexes {
		indexes[i] = i + 1
	}
	weights, denominator := lagrange(indexes, j)
	product := big.NewInt(1)
	for i, w := range weights {
		product = vk.pk.times(product, new(big.Int).Exp(vk.values[i], w, vk.pk.nn))
	}
	return product.Cmp(new(big.Int).Exp(vk.values[j-1], denominator, vk.pk.nn)) == 0
}

// lagrange returns integers w and the least d > 0 such that Σ w[k]·f(indexes[k]) =
// d·f(at) for every polynomial f of degree below len(indexes).
func lagrange(indexes []int, at int) (w []*big.Int, d *big.Int) {
	d = big.NewInt(1)
	fractions := make([]*big.Rat, len(indexes))
	for k, i := range indexes {
		f := big.NewRat(1, 1)
		for _, j := range indexes {
			if i != j {
				f.Mul(f, big.NewRat(int64(at-j), int64(i-j)))
			}
		}
		fractions[k] = f
		gcd := new(big.Int).GCD(nil, nil, d, f.Denom())
		d.Mul(d, new(big.Int).Div(f.Denom(), gcd))
	}
	for _, f := range fractions {
		v := new(big.Int).Div(d, f.Denom())
		w = append(w, v.Mul(v, f.Num()))
	}
	return w, d
}

// Public returns the key that contributors encrypt under.
func (vk *VerificationKey) Public() *PublicKey { return vk.pk }

// Threshold returns how many parties open a ciphertext.
func (vk *VerificationKey) Threshold() int { return vk.threshold }

// Parties returns how many parties hold a share. Their indexes are 1 to Parties.
func (vk *VerificationKey) Parties() int { return len(vk.values) }

// Fingerprint names the verification key: the first 16 bytes of a
// domain-separated SHA-256 over all that it is made of.
func (vk *VerificationKey) Fingerprint() (fp Fingerprint) {
	copy(fp[:], vk.digest[:])
	return fp
}

// Equal reports whether both keys are the same.
func (vk *VerificationKey) Equal(other *VerificationKey) bool {
	return other != nil && vk.digest == other.digest
}

// checkIndex refuses with ErrShareIndex an index that is no party's.
func (vk *VerificationKey) checkIndex(i int) error {
	if i < 1 || i > len(vk.values) {
		return fmt.Errorf("%w: %d of %d", ErrShareIndex, i, len(vk.values))
	}
	return nil
}

// witnessBits bounds Δ·s_i, whose knowledge share proofs prove.
func (vk *VerificationKey) witnessBits() int { return 2*vk.pk.Bits() + vk.factorial.BitLen() }

// maskBits is the length of a share proof's mask: 2|n| + |Δ| + 256 + 128.
func (vk *VerificationKey) maskBits() int { return vk.witnessBits() + challengeBits + maskSlack }

// Deal splits the key among parties so that any threshold of them open ciphertexts
// together and fewer learn nothing (I. Damgård, M. Jurik, J. Nielsen, "A
// generalization of Paillier's public-key system with applications to electronic
// voting", IJIS 2010, section 5, after V. Shoup, "Practical threshold signatures",
// Eurocrypt 2000). Whoever calls it is the dealer, and must forget sk, the shares
// and its randomness afterwards. shares[i-1] is party i's. random is nil for the
// operating system's. Errors: ErrThreshold for numbers that are not 2 ≤ threshold
// ≤ parties ≤ MaxParties and for primes that are not safe; the context's, random's.
func (sk *PrivateKey) Deal(ctx context.Context, random io.Reader, threshold, parties int) (*VerificationKey, []*KeyShare, error) {
	if threshold < 2 || threshold > parties || parties > MaxParties {
		return nil, nil, fmt.Errorf("%w: %d of %d", ErrThreshold, threshold, parties)
	}
	half := func(p *big.Int) *big.Int { return new(big.Int).Rsh(p, 1) }
	if !half(sk.p).ProbablyPrime(20) || !half(sk.q).ProbablyPrime(20) {
		return nil, nil, fmt.Errorf("%w: primes are not safe", ErrThreshold)
	}
	m := new(big.Int).Mul(half(sk.p), half(sk.q))
	modulus := new(big.Int).Mul(sk.n, m)
	// d is 0 modulo m and 1 modulo n: c^d is 1 + n·plaintext.
	d := new(big.Int).ModInverse(m, sk.n)
	coefficients := []*big.Int{d.Mul(d, m)}
	for len(coefficients) < threshold {
		a, err := drawBelow(source(random), modulus)
		if err != nil {
			return nil, nil, err
		}
		coefficients = append(coefficients, a)
	}
	pk := sk.Public()
	unchecked := newVerificationKey(pk, threshold, onesOf(parties))
	values := make([]*big.Int, parties)
	secrets := make([]*big.Int, parties)
	for i := range values {
		secrets[i] = evaluatePolynomial(coefficients, int64(i+1), modulus)
		v, err := newKeyShare(unchecked, i+1, secrets[i]).verificationValue(ctx)
		if err != nil {
			return nil, nil, err
		}
		values[i] = v
	}
	vk, err := NewVerificationKey(pk, threshold, values)
	if err != nil {
		return nil, nil, err
	}
	shares := make([]*KeyShare, parties)
	for i := range shares {
		shares[i] = newKeyShare(vk, i+1, secrets[i])
	}
	return vk, shares, nil
}

// onesOf returns n ones.
func onesOf(n int) []*big.Int {
	v := make([]*big.Int, n)
	for i := range v {
		v[i] = one
	}
	return v
}

// evaluatePolynomial returns Σ coefficients[k]·x^k modulo m.
func evaluatePolynomial(coefficients []*big.Int, x int64, m *big.Int) *big.Int {
	sum, at := new(big.Int), big.NewInt(x)
	for k := len(coefficients) - 1; k >= 0; k-- {
		sum.Mul(sum, at).Add(sum, coefficients[k]).Mod(sum, m)
	}
	return sum
}

// drawBelow draws a number in [0, m), uniform to within 2^-128.
func drawBelow(random io.Reader, m *big.Int) (*big.Int, error) {
	b := make([]byte, (m.BitLen()+7)/8+16)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	v := new(big.Int).SetBytes(b)
	return v.Mod(v, m), nil
}
