package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
)

// Opening is how a ciphertext was made: its plaintext m and its noise r, c = (1 +
// m·n)·r^n. It opens the ciphertext, and does not print itself.
type Opening struct {
	m, r *big.Int
}

// Format prints that there is an opening, under every verb.
func (o *Opening) Format(s fmt.State, _ rune) { fmt.Fprint(s, "paillier opening") }

// MarshalJSON refuses with ErrPrivate.
func (o *Opening) MarshalJSON() ([]byte, error) { return nil, ErrPrivate }

// NewOpening makes the opening of EncryptWith(m, r). Errors: ErrPlaintextRange.
func (pk *PublicKey) NewOpening(m, r *big.Int) (*Opening, error) {
	if err := pk.checkPlaintext(m); err != nil {
		return nil, err
	}
	if r == nil || r.Sign() <= 0 || r.Cmp(pk.n) >= 0 {
		return nil, fmt.Errorf("noise: %w", ErrPlaintextRange)
	}
	return &Opening{new(big.Int).Set(m), new(big.Int).Set(r)}, nil
}

// EncryptOpenings encrypts m with the noise r^n, r uniform, under either form, and
// returns the openings besides, for proofs. Errors: ErrPlaintextRange, random's,
// the context's.
func (pk *PublicKey) EncryptOpenings(ctx context.Context, random io.Reader, m []*big.Int) ([]*Ciphertext, []*Opening, error) {
	if err := pk.checkPlaintexts(m); err != nil {
		return nil, nil, err
	}
	openings, noise := make([]*Opening, len(m)), make([]*big.Int, len(m))
	for i := range m {
		r, err := drawBelow(source(random), pk.n)
		if err != nil {
			return nil, nil, err
		}
		openings[i], noise[i] = &Opening{new(big.Int).Set(m[i]), r}, r
	}
	powers, err := pk.powersN(ctx, noise)
	if err != nil {
		return nil, nil, err
	}
	c := make([]*Ciphertext, len(m))
	for i := range c {
		if c[i], err = pk.ImportCiphertext(pk.times(powers[i], pk.binomial(m[i]))); err != nil {
			return nil, nil, err
		}
	}
	return c, openings, nil
}

// binomial returns (1+n)^m = 1 + m·n modulo n².
func (pk *PublicKey) binomial(m *big.Int) *big.Int {
	v := new(big.Int).Mul(m, pk.n)
	return v.Add(v, one).Mod(v, pk.nn)
}

// KnowledgeProof proves that its maker knows the plaintext and the noise of a
// ciphertext (R. Cramer, I. Damgård, J. Nielsen, "Multiparty computation from
// threshold homomorphic encryption", Eurocrypt 2001, section 8): without it, a
// department could contribute a copy of another's ciphertext, changed or not. It
// says nothing about the plaintext's size, nor about what is packed into it.
type KnowledgeProof struct {
	fp   Fingerprint
	bits int
	e    *big.Int // challenge
	w    *big.Int // x + e·m modulo n
	z    *big.Int // u·r^e modulo n
}

// Fingerprint names the key that the proof claims to belong to.
func (p *KnowledgeProof) Fingerprint() Fingerprint { return p.fp }

// knowledgeChallenge hashes the statement and the commitment.
func (pk *PublicKey) knowledgeChallenge(seed []byte, a *big.Int) *big.Int {
	s := newStatement("plaintext knowledge challenge", Context{})
	s.bytes("statement", seed)
	s.number("a", a, pk.Bits()/4)
	return s.challenge()
}

func (pk *PublicKey) knowledgeStatement(at Context, c *Ciphertext) []byte {
	s := newStatement("plaintext knowledge", at)
	s.publicKey(pk)
	s.number("ciphertext", c.Int(), pk.Bits()/4)
	return s.sum()
}

// ProveKnowledge proves the knowledge of the openings of c at a context, one proof
// for each. An opening of something else makes a proof that does not hold. random
// is nil for the operating system's. Errors: ErrLength, ErrWitness for an opening
// that is missing, Check's, the context's, random's.
func (pk *PublicKey) ProveKnowledge(ctx context.Context, random io.Reader, at Context, c []*Ciphertext, openings []*Opening) ([]*KnowledgeProof, error) {
	if len(c) != len(openings) {
		return nil, fmt.Errorf("%w: %d ciphertexts, %d openings", ErrLength, len(c), len(openings))
	}
	if err := pk.CheckBatch(ctx, c); err != nil {
		return nil, err
	}
	x, u := make([]*big.Int, len(c)), make([]*big.Int, len(c))
	seeds := make([][]byte, len(c))
	for i, o := range openings {
		if o == nil || o.m == nil {
			return nil, fmt.Errorf("%w: no opening of ciphertext %d", ErrWitness, i)
		}
		seeds[i] = pk.knowledgeStatement(at, c[i])
		hide, err := newMasks(random, pk.openingKey(o), seeds[i])
		if err != nil {
			return nil, err
		}
		x[i], u[i] = hide.below(pk.n), hide.unit(pk.n)
	}
	powers, err := pk.powersN(ctx, u)
	if err != nil {
		return nil, err
	}
	proofs, r, e := make([]*KnowledgeProof, len(c)), make([]*big.Int, len(c)), make([]*big.Int, len(c))
	for i, o := range openings {
		r[i], e[i] = o.r, pk.knowledgeChallenge(seeds[i], pk.times(powers[i], pk.binomial(x[i])))
	}
	if powers, err = pk.powersEach(ctx, r, e); err != nil {
		return nil, err
	}
	for i, o := range openings {
		w := new(big.Int).Mul(e[i], o.m)
		z := new(big.Int).Mul(u[i], powers[i])
		proofs[i] = &KnowledgeProof{pk.fp, pk.Bits(), e[i], w.Add(w, x[i]).Mod(w, pk.n), z.Mod(z, pk.n)}
	}
	return proofs, nil
}

// openingKey is the secret that an opening's masks are made from.
func (pk *PublicKey) openingKey(o *Opening) []byte {
	b := appendNumber([]byte("paillier opening v1\x00"), o.m, pk.Bits()/8)
	return appendNumber(b, o.r, pk.Bits()/8)
}

// VerifyKnowledge checks proofs[i] of c[i] at a context. It draws no randomness.
// The error names the first that fails. Errors: ErrProof, ErrLength,
// ErrKeyMismatch, Check's, the context's.
func (pk *PublicKey) VerifyKnowledge(ctx context.Context, at Context, c []*Ciphertext, proofs []*KnowledgeProof) error {
	if len(c) != len(proofs) {
		return fmt.Errorf("%w: %d ciphertexts, %d proofs", ErrLength, len(c), len(proofs))
	}
	if err := pk.CheckBatch(ctx, c); err != nil {
		return err
	}
	z, e, inverses := make([]*big.Int, len(c)), make([]*big.Int, len(c)), make([]*big.Int, len(c))
	for i, p := range proofs {
		if err := pk.checkKnowledge(p); err != nil {
			return fmt.Errorf("ciphertext %d: %w", i, err)
		}
		v, err := pk.inverse(c[i].Int())
		if err != nil {
			return fmt.Errorf("ciphertext %d: %w", i, err)
		}
		z[i], e[i], inverses[i] = p.z, p.e, v
	}
	left, err := pk.powersN(ctx, z)
	if err != nil {
		return err
	}
	right, err := pk.powersEach(ctx, inverses, e)
	if err != nil {
		return err
	}
	for i, p := range proofs {
		a := pk.times(pk.times(left[i], right[i]), pk.binomial(p.w))
		if pk.knowledgeChallenge(pk.knowledgeStatement(at, c[i]), a).Cmp(p.e) != 0 {
			return fmt.Errorf("%w: ciphertext %d", ErrProof, i)
		}
	}
	return nil
}

// checkKnowledge refuses a proof that is out of range.
func (pk *PublicKey) checkKnowledge(p *KnowledgeProof) error {
	switch {
	case p == nil || p.e == nil || p.w == nil || p.z == nil:
		return fmt.Errorf("%w: there is none", ErrProof)
	case p.fp != pk.fp:
		return fmt.Errorf("%w: proof of %s, not %s", ErrKeyMismatch, p.fp, pk.fp)
	case p.e.Sign() < 0 || p.e.BitLen() > challengeBits || pk.checkPlaintext(p.w) != nil || !pk.residue(p.z):
		return fmt.Errorf("%w: out of range", ErrProof)
	}
	return nil
}

// residue reports whether v is in [1, n) and coprime to n.
func (pk *PublicKey) residue(v *big.Int) bool { return v.Cmp(pk.n) < 0 && pk.unit(v) }
