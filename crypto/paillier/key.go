package paillier

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"math/big"
)

// Form says how a key's public encryption draws its noise.
type Form uint8

const (
	// FormDJN: h^x mod n², h an n-th residue fixed by n, x of |n|/2 bits
	// (Damgård, Jurik, Nielsen 2010). It takes p ≡ q ≡ 3 mod 4 and
	// gcd(p-1, q-1) = 2. The default.
	FormDJN Form = 1
	// FormStandard: r^n mod n², r uniform (Paillier 1999). Slower, with no
	// assumption beyond Paillier's own.
	FormStandard Form = 2
)

// String returns "djn" or "standard".
func (f Form) String() string {
	switch f {
	case FormDJN:
		return "djn"
	case FormStandard:
		return "standard"
	}
	return fmt.Sprintf("form %d", uint8(f))
}

// FingerprintSize is the length of a Fingerprint in bytes.
const FingerprintSize = 16

// Fingerprint names a public key: the first 16 bytes of a domain-separated
// SHA-256 over its form and modulus.
type Fingerprint [FingerprintSize]byte

// String returns the fingerprint in lower-case hex.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// PublicKey is a checked modulus and a form; g is n+1. It may be used by any
// number of goroutines at once and must not be copied.
type PublicKey struct {
	n, nn *big.Int // n and n²
	form  Form
	fp    Fingerprint
	size  int // 64-bit words of n

	cache publicCache
}

// NewPublicKey checks a modulus and makes a key of it. Errors: ErrModulusSize,
// ErrModulusEven, ErrModulusForm, ErrModulusSmallFactor, ErrModulusPower,
// ErrModulusPrime. That n has exactly two prime factors cannot be seen from n:
// keys of strangers need a proof of it besides.
func NewPublicKey(n *big.Int, form Form) (*PublicKey, error) {
	if err := checkModulus(n, form); err != nil {
		return nil, err
	}
	return newPublicKey(n, form), nil
}

// newPublicKey makes a key without any check.
func newPublicKey(n *big.Int, form Form) *PublicKey {
	pk := &PublicKey{n: new(big.Int).Set(n), form: form, size: (n.BitLen() + 63) / 64}
	pk.nn = new(big.Int).Mul(n, n)
	pk.fp = fingerprint(form, n)
	return pk
}

func fingerprint(form Form, n *big.Int) (fp Fingerprint) {
	h := sha256.New()
	h.Write([]byte("paillier public key v1\x00"))
	h.Write([]byte{byte(form)})
	h.Write(n.Bytes())
	copy(fp[:], h.Sum(nil))
	return fp
}

// N returns a copy of the modulus.
func (pk *PublicKey) N() *big.Int { return new(big.Int).Set(pk.n) }

// Bits returns the length of the modulus in bits.
func (pk *PublicKey) Bits() int { return pk.n.BitLen() }

// Form returns how the key draws noise.
func (pk *PublicKey) Form() Form { return pk.form }

// Fingerprint returns the key's name.
func (pk *PublicKey) Fingerprint() Fingerprint { return pk.fp }

// Equal reports whether both keys have the same modulus and form.
func (pk *PublicKey) Equal(other *PublicKey) bool {
	return other != nil && pk.form == other.form && pk.n.Cmp(other.n) == 0
}

// base returns h, the base that DJN noise is made from, before it is raised
// to n: -x² mod n, with x expanded by SHA-256 from n, so that anyone can
// recompute it and nobody can plant one of small order.
func (pk *PublicKey) base() *big.Int {
	x := new(big.Int)
	size := (pk.n.BitLen()+7)/8 + 16
	x.SetBytes(expand("paillier djn base v1", pk.n.Bytes(), size))
	x.Mod(x, pk.n)
	x.Mul(x, x).Neg(x)
	return x.Mod(x, pk.n)
}

// expand stretches seed to size bytes: SHA-256(label ‖ 0 ‖ counter ‖ seed) by
// an ascending 32-bit counter.
func expand(label string, seed []byte, size int) []byte {
	var out []byte
	for i := uint32(0); len(out) < size; i++ {
		h := sha256.New()
		h.Write([]byte(label))
		h.Write([]byte{0, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		h.Write(seed)
		out = h.Sum(out)
	}
	return out[:size]
}

// PrivateKey is the factorisation of a public key's modulus. It may be used by
// any number of goroutines at once and must not be copied. It prints as its
// fingerprint only, and marshals by Export only.
type PrivateKey struct {
	PublicKey
	p, q   *big.Int // p < q
	hp, hq *big.Int // (-q)^-1 mod p, (-p)^-1 mod q
	pinv   *big.Int // p^-1 mod q

	own privateCache
}

// NewPrivateKey checks two primes and makes a key of them; their order does not
// matter. It refuses, with ErrPrivateKey, factors that are not prime, not equally
// long, closer than 2^(|p|-100), or, for FormDJN, not both 3 mod 4 with
// gcd(p-1, q-1) = 2; and whatever NewPublicKey refuses.
func NewPrivateKey(p, q *big.Int, form Form) (*PrivateKey, error) {
	if p == nil || q == nil || p.Sign() <= 0 || q.Sign() <= 0 ||
		p.BitLen() != q.BitLen() || p.BitLen() > MaxBits/2 {
		return nil, fmt.Errorf("%w: lengths", ErrPrivateKey)
	}
	if err := checkModulus(new(big.Int).Mul(p, q), form); err != nil {
		return nil, err
	}
	gap := new(big.Int).Sub(p, q)
	if gap.Abs(gap).BitLen() < p.BitLen()-100 {
		return nil, fmt.Errorf("%w: too close", ErrPrivateKey)
	}
	if !p.ProbablyPrime(20) || !q.ProbablyPrime(20) {
		return nil, fmt.Errorf("%w: not prime", ErrPrivateKey)
	}
	if form == FormDJN && !suitsDJN(p, q) {
		return nil, fmt.Errorf("%w: not of the DJN form", ErrPrivateKey)
	}
	return newPrivateKey(p, q, form), nil
}

func suitsDJN(p, q *big.Int) bool {
	p1 := new(big.Int).Sub(p, one)
	q1 := new(big.Int).Sub(q, one)
	gcd := new(big.Int).GCD(nil, nil, p1, q1)
	return p.Bit(1) == 1 && q.Bit(1) == 1 && gcd.Cmp(big.NewInt(2)) == 0
}

var one = big.NewInt(1)

// newPrivateKey makes a key without any check.
func newPrivateKey(p, q *big.Int, form Form) *PrivateKey {
	if p.Cmp(q) > 0 {
		p, q = q, p
	}
	n := new(big.Int).Mul(p, q)
	sk := &PrivateKey{p: new(big.Int).Set(p), q: new(big.Int).Set(q)}
	sk.n, sk.form, sk.size = n, form, (n.BitLen()+63)/64
	sk.nn = new(big.Int).Mul(n, n)
	sk.fp = fingerprint(form, n)
	sk.hp = new(big.Int).ModInverse(new(big.Int).Neg(q), p)
	sk.hq = new(big.Int).ModInverse(new(big.Int).Neg(p), q)
	sk.pinv = new(big.Int).ModInverse(p, q)
	return sk
}

// Public returns the public half, which holds nothing of the private one.
func (sk *PrivateKey) Public() *PublicKey {
	sk.own.publicOnce.Do(func() {
		sk.own.public = newPublicKey(sk.n, sk.form)
		sk.own.public.cache.path = sk.cache.path
	})
	return sk.own.public
}

// Equal reports whether both keys have the same factors, in constant time.
func (sk *PrivateKey) Equal(other *PrivateKey) bool {
	if other == nil || sk.form != other.form {
		return false
	}
	return subtle.ConstantTimeCompare(sk.p.Bytes(), other.p.Bytes())&
		subtle.ConstantTimeCompare(sk.q.Bytes(), other.q.Bytes()) == 1
}

// String names the key without showing it.
func (sk *PrivateKey) String() string { return "paillier private key of " + sk.fp.String() }

// GoString is String.
func (sk *PrivateKey) GoString() string { return sk.String() }

// Format prints String under every verb.
func (sk *PrivateKey) Format(s fmt.State, _ rune) { fmt.Fprint(s, sk.String()) }

// MarshalJSON refuses with ErrPrivate.
func (sk *PrivateKey) MarshalJSON() ([]byte, error) { return nil, ErrPrivate }

// MarshalText refuses with ErrPrivate.
func (sk *PrivateKey) MarshalText() ([]byte, error) { return nil, ErrPrivate }

// MarshalBinary refuses with ErrPrivate.
func (sk *PrivateKey) MarshalBinary() ([]byte, error) { return nil, ErrPrivate }

// UnmarshalText refuses with ErrPrivate; see ParsePrivateKey.
func (sk *PrivateKey) UnmarshalText([]byte) error { return ErrPrivate }

// UnmarshalBinary refuses with ErrPrivate; see ParsePrivateKey.
func (sk *PrivateKey) UnmarshalBinary([]byte) error { return ErrPrivate }
