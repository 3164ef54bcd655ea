package paillier

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
)

// ShareProof proves that a decryption share is the party's own: that one exponent
// takes V to the party's verification value and each ciphertext to its number
// (Damgård, Jurik, Nielsen, section 5; Chaum and Pedersen's proof in a group of
// unknown order).
//
// One proof covers a list. The statement's hash gives a random weight t of 128 bits
// to each ciphertext but the first, whose weight is 1, and the proof is made for
//
//	C = Π c_i^t_i, X = Π x_i^t_i:   log of X² to the base C⁴ = log of V_i to V
//
// which is the small exponents test of M. Bellare, J. Garay, T. Rabin, "Fast batch
// verification for modular exponentiation and digital signatures", Eurocrypt '98,
// for shares as in R. Aditya, K. Peng, C. Boyd, E. Dawson, B. Lee, "Batch
// verification for equality of discrete logarithms and threshold decryptions",
// ACNS 2004. It is sound because the squares modulo n² are a cyclic group whose
// order n·p'·q' has no prime factor below 2^1000: if some y_i = x_i²/c_i^(4Δs) is
// not 1, then for any other weights at most one t_i in 2^128 makes the product 1.
// So each hash that a forger computes succeeds with odds of at most 2^-128. In the
// combined statement, two answers to different challenges give the logarithm,
// since a difference below 2^256 has an inverse modulo the group's order.
//
// What is proved is x_i up to a square root of 1; combination squares it away.
type ShareProof struct {
	fp    Fingerprint // of the verification key
	index int
	bits  int      // of n
	size  int      // bytes of z's encoding
	e, z  *big.Int // challenge and response
}

// Index returns the party's index, from 1.
func (p *ShareProof) Index() int { return p.index }

// Fingerprint names the verification key that the proof claims to belong to.
func (p *ShareProof) Fingerprint() Fingerprint { return p.fp }

// claim is the combined statement of a share.
type claim struct {
	index  int
	seed   []byte   // hash of key, context, party, ciphertexts and numbers
	c4, x2 *big.Int // C⁴ and X²
}

// newClaim checks the numbers of a share and combines them.
func (vk *VerificationKey) newClaim(ctx context.Context, at Context, c []*Ciphertext, d *DecryptionShare) (*claim, error) {
	if err := vk.owns(d, len(c)); err != nil {
		return nil, err
	}
	if err := vk.pk.CheckBatch(ctx, c); err != nil {
		return nil, fmt.Errorf("ciphertexts: %w", err)
	}
	if err := vk.pk.CheckBatch(ctx, d.x); err != nil {
		return nil, fmt.Errorf("share of party %d: %w", d.index, err)
	}
	s := newStatement("decryption share", at)
	s.bytes("verification key", vk.digest[:])
	s.count("index", uint64(d.index))
	s.count("count", uint64(len(c)))
	buf := make([]byte, vk.pk.Bits()/4)
	for i, v := range c {
		bytesFromWords(buf, v.w)
		s.bytes("ciphertext", buf)
		bytesFromWords(buf, d.x[i].w)
		s.bytes("share", buf)
	}
	q := &claim{index: d.index, seed: s.sum()}
	weights := shareWeights(q.seed, len(c))
	product := func(c []*Ciphertext) (*big.Int, error) {
		if len(c) == 1 {
			return c[0].Int(), nil
		}
		return vk.pk.weighted(ctx, c, weights)
	}
	var err error
	if q.c4, err = product(c); err != nil {
		return nil, err
	}
	if q.x2, err = product(d.x); err != nil {
		return nil, err
	}
	q.c4 = vk.pk.times(q.c4, q.c4)
	q.c4 = vk.pk.times(q.c4, q.c4)
	q.x2 = vk.pk.times(q.x2, q.x2)
	return q, nil
}

// shareWeights expands the weights: 1, then big-endian numbers of 16 bytes.
func shareWeights(seed []byte, n int) [][weightBits / 64]uint64 {
	b := expand("paillier share weights v1", seed, n*weightBits/8)
	w := make([][weightBits / 64]uint64, n)
	for i := range w {
		w[i][1] = binary.BigEndian.Uint64(b[16*i:])
		w[i][0] = binary.BigEndian.Uint64(b[16*i+8:])
	}
	w[0] = [weightBits / 64]uint64{1}
	return w
}

// owns checks everything about a share but its numbers.
func (vk *VerificationKey) owns(d *DecryptionShare, n int) error {
	switch {
	case d == nil || n == 0 || len(d.x) != n:
		return fmt.Errorf("%w: a share for other than %d ciphertexts", ErrLength, n)
	case d.fp != vk.Fingerprint():
		return fmt.Errorf("%w: share of %s, not %s", ErrKeyMismatch, d.fp, vk.Fingerprint())
	}
	return vk.checkIndex(d.index)
}

// challenge returns e for the commitments a = C^(4r) and b = V^r.
func (vk *VerificationKey) challenge(q *claim, a, b *big.Int) *big.Int {
	s := newStatement("decryption share challenge", Context{})
	s.bytes("statement", q.seed)
	s.number("a", a, vk.pk.Bits()/4)
	s.number("b", b, vk.pk.Bits()/4)
	return s.challenge()
}

// Prove proves that d, this party's share of c, is correct, at a context. random
// is nil for the operating system's; the mask is drawn from it and from the key
// share and the statement, so that it is secret and new even if random is neither.
// Errors: ErrLength, ErrKeyMismatch, Check's, the context's, random's; ErrWitness
// for another party's share.
func (ks *KeyShare) Prove(ctx context.Context, random io.Reader, at Context, c []*Ciphertext, d *DecryptionShare) (*ShareProof, error) {
	q, err := ks.vk.newClaim(ctx, at, c, d)
	if err != nil {
		return nil, err
	}
	if d.index != ks.index {
		return nil, fmt.Errorf("%w: party %d's share, not %d's", ErrWitness, d.index, ks.index)
	}
	return ks.prove(ctx, random, q, ks.vk.maskBits())
}

// prove answers the challenge of a claim under a mask of maskBits bits.
func (ks *KeyShare) prove(ctx context.Context, random io.Reader, q *claim, maskBits int) (*ShareProof, error) {
	hide, err := newMasks(random, ks.nonce[:], q.seed)
	if err != nil {
		return nil, err
	}
	z := hide.words(maskBits)
	digits := numberDigits(z, maskBits)
	commitments, err := ks.vk.pk.powersSecret(ctx, []*big.Int{q.c4, ks.vk.base}, digits)
	if err != nil {
		return nil, err
	}
	p := ks.vk.newShareProof(ks.index)
	p.e = ks.vk.challenge(q, commitments[0], commitments[1])
	response := make([]uint64, max(len(z), len(ks.witness)+challengeBits/64)+1)
	copy(response, z)
	mulAddWords(response, ks.witness, wordsOf(p.e, challengeBits/64))
	p.z = intOf(response)
	return p, nil
}

// Verify checks a share of c and its proof at a context. c and at come from the
// verifier's own records. It draws no randomness and gives the same answer on every
// machine. Errors: ErrProof, ErrLength, ErrKeyMismatch, ErrShareIndex, Check's, the
// context's.
func (vk *VerificationKey) Verify(ctx context.Context, at Context, c []*Ciphertext, d *DecryptionShare, p *ShareProof) error {
	faults, err := vk.verifyAll(ctx, at, c, []Post{{at.Department, d, p}})
	if err != nil {
		return err
	}
	return faults[0]
}

// verifyAll checks posts, whose departments stand in for at's: one error for each,
// and another if ctx ended.
func (vk *VerificationKey) verifyAll(ctx context.Context, at Context, c []*Ciphertext, posts []Post) (faults []error, err error) {
	faults = make([]error, len(posts))
	var bases, exponents, inverses, challenges []*big.Int
	var claims []*claim
	var which []int
	for i, post := range posts {
		at.Department = post.Department
		q, err := vk.newClaim(ctx, at, c, post.Share)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			err = vk.checkProof(post.Proof, q.index)
		}
		if err != nil {
			faults[i] = err
			continue
		}
		claims, which = append(claims, q), append(which, i)
		for _, pair := range [2][2]*big.Int{{q.c4, q.x2}, {vk.base, vk.values[q.index-1]}} {
			inverse, err := vk.pk.inverse(pair[1])
			if err != nil {
				return nil, err
			}
			bases, inverses = append(bases, pair[0]), append(inverses, inverse)
			exponents, challenges = append(exponents, post.Proof.z), append(challenges, post.Proof.e)
		}
	}
	left, err := vk.pk.powersEach(ctx, bases, exponents)
	if err != nil {
		return nil, err
	}
	right, err := vk.pk.powersEach(ctx, inverses, challenges)
	if err != nil {
		return nil, err
	}
	for k, q := range claims {
		a, b := vk.pk.times(left[2*k], right[2*k]), vk.pk.times(left[2*k+1], right[2*k+1])
		if i := which[k]; vk.challenge(q, a, b).Cmp(posts[i].Proof.e) != 0 {
			faults[i] = fmt.Errorf("%w: share of party %d", ErrProof, q.index)
		}
	}
	return faults, nil
}

// checkProof refuses a proof that is out of range, before anything is computed.
func (vk *VerificationKey) checkProof(p *ShareProof, index int) error {
	switch {
	case p == nil || p.e == nil || p.z == nil:
		return fmt.Errorf("%w: there is none", ErrProof)
	case p.fp != vk.Fingerprint():
		return fmt.Errorf("%w: proof of %s, not %s", ErrKeyMismatch, p.fp, vk.Fingerprint())
	case p.index != index:
		return fmt.Errorf("%w: proof of party %d for a share of %d", ErrProof, p.index, index)
	case p.e.Sign() < 0 || p.e.BitLen() > challengeBits || p.z.Sign() < 0 || p.z.BitLen() > vk.maskBits()+1:
		return fmt.Errorf("%w: out of range", ErrProof)
	}
	return nil
}
