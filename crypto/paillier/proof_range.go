package paillier

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"math/bits"
)

// RangeProof proves that the plaintext of a ciphertext lies in [low, high], signed
// (a negative v is n + v), and that its maker knows it. It has no slack: what is
// proved is the range itself. It needs no set-up: its soundness rests on nothing
// but the hash, and its secrecy on Paillier's assumption.
//
// x = plaintext - low is written as Σ h_i·b_i with bits b_i and h_i = ⌊(H + 2^i) /
// 2^(i+1)⌋, H = high - low, which makes the numbers from 0 to H and no others (H.
// Lipmaa, N. Asokan, V. Niemi, "Secure Vickrey auctions without threshold trust",
// Financial Cryptography 2002). Each b_i has a ciphertext and a proof that it
// encrypts 0 or 1: that c_i or c_i/(1+n) is an n-th power (I. Damgård, M. Jurik, "A
// generalisation, a simplification and some applications of Paillier's
// probabilistic public-key system", PKC 2001, by the disjunction of R. Cramer, I.
// Damgård, B. Schoenmakers, Crypto '94). The last weight is 1, and the last
// ciphertext is what the others leave of c, so that they add up by themselves.
//
// It is long (BENCH.md): k bits take k-1 ciphertexts and 2k numbers modulo n. It is
// for single values: nothing here proves anything about the slots of a packed
// plaintext, whose contributors are trusted to keep to their ranges.
type RangeProof struct {
	fp   Fingerprint
	bits int
	e    *big.Int   // challenge
	c    []*big.Int // ciphertexts of all bits but the last
	part []bitProof
}

// bitProof answers for one bit: e0 and e - e0 modulo 2^256 are the challenges of
// "it is 0" and "it is 1".
type bitProof struct {
	e0, z0, z1 *big.Int
}

// Fingerprint names the key that the proof claims to belong to.
func (p *RangeProof) Fingerprint() Fingerprint { return p.fp }

// rangeWeights returns the weights h_i of [0, span], span at least 1; the last is 1.
func rangeWeights(span uint64) []uint64 {
	h := make([]uint64, bits.Len64(span))
	for i := range h {
		sum, carry := bits.Add64(span, 1<<i, 0)
		h[i] = sum >> (i + 1)
		if i < 63 {
			h[i] |= carry << (63 - i)
		} else {
			h[i] = carry
		}
	}
	return h
}

// rangeBits returns x as a sum of weights, for x in [0, Σ weights].
func rangeBits(x uint64, weights []uint64) []uint {
	left := uint64(0)
	for _, h := range weights {
		left += h
	}
	b := make([]uint, len(weights))
	for i, h := range weights {
		if left -= h; x > left {
			b[i], x = 1, x-h
		}
	}
	return b
}

var challengeModulus = new(big.Int).Lsh(one, challengeBits)

// bounds is the statement that every part of a range proof is about.
type bounds struct {
	pk      *PublicKey
	weights []uint64
	shifted *big.Int // c/(1+n)^low
	seed    []byte
}

func (pk *PublicKey) newBounds(at Context, c *Ciphertext, low, high int64) (*bounds, error) {
	if low >= high {
		return nil, fmt.Errorf("%w: range [%d, %d]", ErrOptions, low, high)
	}
	if err := pk.Check(c); err != nil {
		return nil, err
	}
	b := &bounds{pk: pk, weights: rangeWeights(uint64(high) - uint64(low))}
	minus := new(big.Int).Neg(big.NewInt(low))
	b.shifted = pk.times(c.Int(), pk.binomial(minus.Mod(minus, pk.n)))
	s := newStatement("plaintext range", at)
	s.publicKey(pk)
	s.bytes("low", binary.BigEndian.AppendUint64(nil, uint64(low)))
	s.bytes("high", binary.BigEndian.AppendUint64(nil, uint64(high)))
	s.number("ciphertext", c.Int(), pk.Bits()/4)
	b.seed = s.sum()
	return b, nil
}

// last returns the ciphertext that is left for the last bit.
func (b *bounds) last(ctx context.Context, c []*big.Int) (*big.Int, error) {
	exponents := make([]*big.Int, len(c))
	for i := range c {
		exponents[i] = new(big.Int).SetUint64(b.weights[i])
	}
	powers, err := b.pk.powersEach(ctx, c, exponents)
	if err != nil {
		return nil, err
	}
	product := big.NewInt(1)
	for _, v := range powers {
		product = b.pk.times(product, v)
	}
	if product, err = b.pk.inverse(product); err != nil {
		return nil, err
	}
	return b.pk.times(b.shifted, product), nil
}

// challenge hashes the ciphertexts of the bits and the commitments, two for each.
func (b *bounds) challenge(c, commitments []*big.Int) *big.Int {
	s := newStatement("plaintext range challenge", Context{})
	s.bytes("statement", b.seed)
	for _, v := range c {
		s.number("bit", v, b.pk.Bits()/4)
	}
	for _, v := range commitments {
		s.number("commitment", v, b.pk.Bits()/4)
	}
	return s.challenge()
}

// commitments returns z0^n·c^-e0 and z1^n·(c/(1+n))^-e1 for each bit.
func (b *bounds) commitments(ctx context.Context, c []*big.Int, answers [][2]answer) ([]*big.Int, error) {
	var z, e, inverses []*big.Int
	for i, v := range c {
		inverse, err := b.pk.inverse(v)
		if err != nil {
			return nil, err
		}
		// (c/(1+n))^-1 is c^-1·(1+n).
		inverses = append(inverses, inverse, b.pk.times(inverse, b.pk.binomial(one)))
		for _, a := range answers[i] {
			z, e = append(z, a.z), append(e, a.e)
		}
	}
	left, err := b.pk.powersN(ctx, z)
	if err != nil {
		return nil, err
	}
	right, err := b.pk.powersEach(ctx, inverses, e)
	if err != nil {
		return nil, err
	}
	for i := range left {
		left[i] = b.pk.times(left[i], right[i])
	}
	return left, nil
}

// answer is a response and its challenge.
type answer struct{ z, e *big.Int }

// ProveRange proves that c's plaintext lies in [low, high], low < high, at a
// context. random is nil for the operating system's. Errors: ErrOptions, Check's,
// ErrWitness for a plaintext outside the range or an opening of something else, the
// context's, random's.
func (pk *PublicKey) ProveRange(ctx context.Context, random io.Reader, at Context, c *Ciphertext, o *Opening, low, high int64) (*RangeProof, error) {
	b, err := pk.newBounds(at, c, low, high)
	if err != nil {
		return nil, err
	}
	if o == nil || o.m == nil {
		return nil, fmt.Errorf("%w: no opening", ErrWitness)
	}
	x := new(big.Int).Sub(o.m, big.NewInt(low))
	if x.Mod(x, pk.n); !x.IsUint64() || x.Uint64() > uint64(high)-uint64(low) {
		return nil, fmt.Errorf("%w: plaintext outside [%d, %d]", ErrWitness, low, high)
	}
	hide, err := newMasks(random, pk.openingKey(o), b.seed)
	if err != nil {
		return nil, err
	}
	values := rangeBits(x.Uint64(), b.weights)
	noise, cipher, err := b.encryptBits(ctx, hide, o, values)
	if err != nil {
		return nil, err
	}
	answers, real := make([][2]answer, len(values)), make([]*big.Int, len(values))
	for i, v := range values {
		real[i] = hide.unit(pk.n)
		answers[i][v] = answer{real[i], new(big.Int)} // a^n, for now
		answers[i][1-v] = answer{hide.unit(pk.n), hide.bits(challengeBits)}
	}
	commitments, err := b.commitments(ctx, cipher, answers)
	if err != nil {
		return nil, err
	}
	p := &RangeProof{fp: pk.fp, bits: pk.Bits(), c: cipher[:len(cipher)-1]}
	p.e = b.challenge(cipher, commitments)
	exponents := make([]*big.Int, len(values))
	for i, v := range values {
		e := new(big.Int).Sub(p.e, answers[i][1-v].e)
		exponents[i] = e.Mod(e, challengeModulus)
	}
	powers, err := pk.powersEach(ctx, noise, exponents)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		z := new(big.Int).Mul(real[i], powers[i])
		answers[i][v] = answer{z.Mod(z, pk.n), exponents[i]}
		p.part = append(p.part, bitProof{answers[i][0].e, answers[i][0].z, answers[i][1].z})
	}
	return p, nil
}

// encryptBits returns the noise and the ciphertexts of the bits; the last's follow
// from the others' and from the opening.
func (b *bounds) encryptBits(ctx context.Context, hide *masks, o *Opening, values []uint) (noise, cipher []*big.Int, err error) {
	n := b.pk.n
	rest := new(big.Int).Set(o.r)
	for i := range values[1:] {
		r := hide.unit(n)
		noise = append(noise, r)
		h := new(big.Int).Neg(new(big.Int).SetUint64(b.weights[i]))
		rest.Mul(rest, new(big.Int).Exp(r, h, n)).Mod(rest, n)
	}
	noise = append(noise, rest)
	powers, err := b.pk.powersN(ctx, noise)
	if err != nil {
		return nil, nil, err
	}
	for i, v := range values {
		cipher = append(cipher, b.pk.times(powers[i], b.pk.binomial(new(big.Int).SetUint64(uint64(v)))))
	}
	last, err := b.last(ctx, cipher[:len(cipher)-1])
	if err != nil {
		return nil, nil, err
	}
	if last.Cmp(cipher[len(cipher)-1]) != 0 {
		return nil, nil, fmt.Errorf("%w: not the ciphertext's opening", ErrWitness)
	}
	return noise, cipher, nil
}

// VerifyRange checks a proof that c's plaintext lies in [low, high], at a context.
// It draws no randomness. Errors: ErrProof, ErrOptions, ErrKeyMismatch, Check's, the
// context's.
func (pk *PublicKey) VerifyRange(ctx context.Context, at Context, c *Ciphertext, low, high int64, p *RangeProof) error {
	b, err := pk.newBounds(at, c, low, high)
	if err != nil {
		return err
	}
	if err := pk.checkRange(p, len(b.weights)); err != nil {
		return err
	}
	last, err := b.last(ctx, p.c)
	if err != nil {
		return err
	}
	cipher := append(append([]*big.Int(nil), p.c...), last)
	answers := make([][2]answer, len(cipher))
	for i, part := range p.part {
		e1 := new(big.Int).Sub(p.e, part.e0)
		answers[i] = [2]answer{{part.z0, part.e0}, {part.z1, e1.Mod(e1, challengeModulus)}}
	}
	commitments, err := b.commitments(ctx, cipher, answers)
	if err != nil {
		return err
	}
	if b.challenge(cipher, commitments).Cmp(p.e) != 0 {
		return fmt.Errorf("%w: plaintext range", ErrProof)
	}
	return nil
}

// checkRange refuses a proof that is out of range.
func (pk *PublicKey) checkRange(p *RangeProof, n int) error {
	switch {
	case p == nil || p.e == nil:
		return fmt.Errorf("%w: there is none", ErrProof)
	case p.fp != pk.fp:
		return fmt.Errorf("%w: proof of %s, not %s", ErrKeyMismatch, p.fp, pk.fp)
	case len(p.part) != n || len(p.c) != n-1:
		return fmt.Errorf("%w: %d bits for a range of %d", ErrProof, len(p.part), n)
	}
	for i, part := range p.part {
		if part.e0.BitLen() > challengeBits || !pk.residue(part.z0) || !pk.residue(part.z1) || i < n-1 && !pk.unit(p.c[i]) {
			return fmt.Errorf("%w: bit %d is out of range", ErrProof, i)
		}
	}
	return nil
}
