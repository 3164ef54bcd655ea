package paillier

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
)

// setupRounds is how often a set-up's proof is challenged, by a bit each.
const setupRounds = 128

// Setup is what commitments to integers are made with: a modulus N of two safe
// primes and two squares s and t modulo N, s a power of t; s^x·t^r commits to x
// (E. Fujisaki, T. Okamoto, Crypto '97; I. Damgård, E. Fujisaki, Asiacrypt 2002).
//
// Whoever knows N's factors can open a commitment as anything: a proof under a
// set-up convinces only those who trust that its maker is not on the prover's
// side. So the verifier makes it, or somebody whom the verifier trusts, never the
// prover. Its own proof protects the prover: it shows that s is a power of t, so
// that a commitment hides. It may be used by any number of goroutines at once.
type Setup struct {
	pk   *PublicKey // of N: what computes modulo N²
	s, t *big.Int
	e    []byte     // challenge: a bit for each round
	z    []*big.Int // responses
}

// NewSetup makes a set-up of a key of two safe primes, which should serve for
// nothing else, and proves at a context that s is a power of t (IACR ePrint
// 2021/060, figure 17). random is nil for the operating system's. It takes time
// that depends on the primes. Errors: ErrThreshold for primes that are not safe,
// random's.
func NewSetup(sk *PrivateKey, random io.Reader, at Context) (*Setup, error) {
	half := func(p *big.Int) *big.Int { return new(big.Int).Rsh(p, 1) }
	if !half(sk.p).ProbablyPrime(20) || !half(sk.q).ProbablyPrime(20) {
		return nil, fmt.Errorf("%w: primes are not safe", ErrThreshold)
	}
	order := new(big.Int).Mul(half(sk.p), half(sk.q))
	root, err := drawBelow(source(random), sk.n)
	if err != nil {
		return nil, err
	}
	lambda, err := drawBelow(source(random), order)
	if err != nil {
		return nil, err
	}
	u := &Setup{pk: newPublicKey(sk.n, FormStandard)}
	u.t = root.Mul(root, root).Mod(root, sk.n)
	power := func(e *big.Int) *big.Int {
		return sk.powCRT(u.t, [2]*big.Int{e, e})
	}
	u.s = power(lambda)
	masks, commitments := make([]*big.Int, setupRounds), make([]*big.Int, setupRounds)
	for i := range masks {
		if masks[i], err = drawBelow(source(random), order); err != nil {
			return nil, err
		}
		commitments[i] = power(masks[i])
	}
	u.e = u.challenge(at, commitments)
	for i, z := range masks {
		if u.e[i/8]>>(i%8)&1 == 1 {
			z.Add(z, lambda).Mod(z, order)
		}
		u.z = append(u.z, z)
	}
	return u, nil
}

// Bits returns the length of N in bits.
func (u *Setup) Bits() int { return u.pk.Bits() }

// Fingerprint names N.
func (u *Setup) Fingerprint() Fingerprint { return u.pk.fp }

func (u *Setup) challenge(at Context, commitments []*big.Int) []byte {
	s := newStatement("set-up", at)
	u.describe(s)
	for _, v := range commitments {
		s.number("commitment", v, u.pk.Bits()/8)
	}
	return s.sum()[:setupRounds/8]
}

// describe adds N, s and t to a statement.
func (u *Setup) describe(st *statement) {
	st.number("N", u.pk.n, u.pk.Bits()/8)
	st.number("s", u.s, u.pk.Bits()/8)
	st.number("t", u.t, u.pk.Bits()/8)
}

// Verify checks the set-up's proof at the context of its maker: what a prover does
// before it commits to a secret under it. Errors: ErrSetup, the context's.
func (u *Setup) Verify(ctx context.Context, at Context) error {
	inverse := new(big.Int).ModInverse(u.s, u.pk.n)
	if inverse == nil || !u.pk.residue(u.s) || !u.pk.residue(u.t) || len(u.z) != setupRounds || len(u.e) != setupRounds/8 {
		return fmt.Errorf("%w: out of range", ErrSetup)
	}
	bases := make([]*big.Int, setupRounds)
	for i := range bases {
		bases[i] = u.t
	}
	commitments, err := u.pk.powersEach(ctx, bases, u.z)
	if err != nil {
		return err
	}
	for i, v := range commitments {
		if u.e[i/8]>>(i%8)&1 == 1 {
			v.Mul(v, inverse)
		}
		v.Mod(v, u.pk.n)
	}
	if string(u.challenge(at, commitments)) != string(u.e) {
		return fmt.Errorf("%w: its proof does not hold", ErrSetup)
	}
	return nil
}

// A set-up stands by itself; its fingerprint is that of N as a key.
//
//	set-up  version 'R' 0 bits(2) N s t e(16) z(bits/8)… fingerprint(16)
const (
	kindSetup = 'R'
	textSetup = "paillier-setup-1."
)

// MarshalBinary encodes the set-up with its proof. It never fails.
func (u *Setup) MarshalBinary() ([]byte, error) {
	size := u.pk.Bits() / 8
	b := appendHeader(nil, kindSetup, 0, u.pk.Bits())
	for _, v := range []*big.Int{u.pk.n, u.s, u.t} {
		b = appendNumber(b, v, size)
	}
	b = append(b, u.e...)
	for _, v := range u.z {
		b = appendNumber(b, v, size)
	}
	return seal(b, u.pk.fp), nil
}

// MarshalText encodes the set-up as text. It never fails.
func (u *Setup) MarshalText() ([]byte, error) { return marshalText(textSetup, u) }

// ParseSetup decodes a set-up and checks its proof at the context of its maker.
// Errors: ErrEncoding, ErrVersion, ErrFingerprint, NewPublicKey's, ErrSetup, the
// context's.
func ParseSetup(ctx context.Context, b []byte, at Context) (*Setup, error) {
	u, err := parseSetup(b)
	if err == nil {
		err = u.Verify(ctx, at)
	}
	if err != nil {
		return nil, fmt.Errorf("set-up: %w", err)
	}
	return u, nil
}

func parseSetup(b []byte) (*Setup, error) {
	if len(b) < headerSize+FingerprintSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrEncoding, len(b))
	}
	bits, fp := int(binary.BigEndian.Uint16(b[3:])), Fingerprint(b[len(b)-FingerprintSize:])
	f, err := open(b, kindSetup, bits, fp)
	if err != nil {
		return nil, err
	}
	if bits < MinBits || bits > MaxBits || bits%64 != 0 {
		return nil, fmt.Errorf("%w: %d bits", ErrModulusSize, bits)
	}
	n := f.number(bits / 8)
	u := &Setup{s: f.number(bits / 8), t: f.number(bits / 8), e: f.bytes(setupRounds / 8)}
	for range setupRounds {
		u.z = append(u.z, f.number(bits/8))
	}
	if err := f.end(); err != nil {
		return nil, err
	}
	if n.BitLen() != bits {
		return nil, fmt.Errorf("%w: %d bits, not %d", ErrModulusSize, n.BitLen(), bits)
	}
	if fingerprint(FormStandard, n) != fp {
		return nil, ErrFingerprint
	}
	u.pk, err = NewPublicKey(n, FormStandard)
	return u, err
}

// ParseSetupText decodes and checks the text form of a set-up.
func ParseSetupText(ctx context.Context, text []byte, at Context) (*Setup, error) {
	const longest = headerSize + (3+setupRounds)*MaxBits/8 + setupRounds/8 + FingerprintSize
	b, err := fromLongText(textSetup, text, longest)
	if err != nil {
		return nil, fmt.Errorf("set-up: %w", err)
	}
	return ParseSetup(ctx, b, at)
}
