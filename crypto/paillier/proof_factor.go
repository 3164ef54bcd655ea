package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
)

// FactorProof proves, under a set-up of the verifier's, that n is a product of two
// numbers that are both longer than |n|/2 - 387 bits: 1149 of 1536 at 3072 bits
// (IACR ePrint 2021/060, figure 28, no small factor). With a ModulusProof, those
// are n's two primes. Without a set-up whose factors the prover does not know it
// proves nothing.
//
// P and Q commit to the primes p and q. The proof shows that their exponents are
// below 2^(|n|/2 + 385), and that the product of the exponents is n.
type FactorProof struct {
	fp      Fingerprint // of the key
	setup   Fingerprint
	widths  factorWidths
	p, q    *big.Int // commitments
	sigma   *big.Int // s^n·t^σ is Q^p·t^(σ - νp)
	e       *big.Int // challenge
	z1, z2  *big.Int // α + e·p, β + e·q
	w1, w2  *big.Int // x + e·μ, y + e·ν
	product *big.Int // r + e·(σ - νp)
}

// Fingerprint names the key that the proof claims to belong to.
func (p *FactorProof) Fingerprint() Fingerprint { return p.fp }

// factorWidths are the lengths, in bits, of a factor proof's numbers, all at least
// 0. A mask is 256 + 128 bits longer than what it hides.
type factorWidths struct {
	bits, setup    int // of n and of N
	prime          int // p, q
	noise          int // μ, ν: N and 128
	sigma          int // N, n and 256: covers ν·p by 2^-128 and more
	primeAnswer    int
	noiseAnswer    int
	relationAnswer int
}

func newFactorWidths(pk *PublicKey, u *Setup) factorWidths {
	const mask = challengeBits + maskSlack
	w := factorWidths{bits: pk.Bits(), setup: u.Bits(), prime: pk.Bits() / 2}
	w.noise = u.Bits() + maskSlack
	w.sigma = u.Bits() + pk.Bits() + 2*maskSlack
	w.primeAnswer, w.noiseAnswer, w.relationAnswer = w.prime+mask, w.noise+mask, w.sigma+mask
	return w
}

func (pk *PublicKey) factorStatement(at Context, u *Setup) []byte {
	s := newStatement("no small factor", at)
	s.publicKey(pk)
	u.describe(s)
	return s.sum()
}

// factorChallenge hashes the statement, what p has besides its answers, and the
// three commitments of the masks.
func (u *Setup) factorChallenge(seed []byte, p *FactorProof, a, b, t *big.Int) *big.Int {
	s := newStatement("no small factor challenge", Context{})
	s.bytes("statement", seed)
	for _, v := range []*big.Int{p.p, p.q, a, b, t} {
		s.number("commitment", v, u.pk.Bits()/8)
	}
	s.number("sigma", p.sigma, (p.widths.sigma+8)/8)
	return s.challenge()
}

// commit returns base^x·t^r modulo N in a time that depends on the lengths alone,
// which x and r keep to but for a key whose primes differ in length.
func (u *Setup) commit(ctx context.Context, base, x *big.Int, xBits int, r *big.Int, rBits int) (*big.Int, error) {
	xBits, rBits = max(xBits, x.BitLen()), max(rBits, r.BitLen())
	a, err := u.pk.powersSecret(ctx, []*big.Int{base}, numberDigits(wordsOf(x, xBits/64+2), xBits))
	if err != nil {
		return nil, err
	}
	b, err := u.pk.powersSecret(ctx, []*big.Int{u.t}, numberDigits(wordsOf(r, rBits/64+2), rBits))
	if err != nil {
		return nil, err
	}
	v := new(big.Int).Mul(a[0], b[0])
	return v.Mod(v, u.pk.n), nil
}

// ProveFactors proves at a context that the key's modulus has no small factor,
// under a set-up that Setup.Verify has passed. random is nil for the operating
// system's. Errors: the context's, random's.
func (sk *PrivateKey) ProveFactors(ctx context.Context, random io.Reader, at Context, u *Setup) (*FactorProof, error) {
	pk := sk.Public()
	seed := pk.factorStatement(at, u)
	hide, err := newMasks(random, append(sk.p.Bytes(), sk.q.Bytes()...), seed)
	if err != nil {
		return nil, err
	}
	w := newFactorWidths(pk, u)
	p := &FactorProof{fp: pk.fp, setup: u.pk.fp, widths: w}
	alpha, beta := hide.bits(w.primeAnswer), hide.bits(w.primeAnswer)
	mu, nu := hide.bits(w.noise), hide.bits(w.noise)
	x, y := hide.bits(w.noiseAnswer), hide.bits(w.noiseAnswer)
	relation, r := hide.bits(w.sigma), hide.bits(w.relationAnswer)
	p.sigma = new(big.Int).Mul(nu, sk.p)
	p.sigma.Add(p.sigma, relation)
	var a, b, t *big.Int
	for _, c := range []struct {
		to     **big.Int
		x      *big.Int
		xBits  int
		r      *big.Int
		rBits  int
		second bool // to the base Q
	}{
		{&p.p, sk.p, w.prime, mu, w.noise, false},
		{&p.q, sk.q, w.prime, nu, w.noise, false},
		{&a, alpha, w.primeAnswer, x, w.noiseAnswer, false},
		{&b, beta, w.primeAnswer, y, w.noiseAnswer, false},
		{&t, alpha, w.primeAnswer, r, w.relationAnswer, true},
	} {
		base := u.s
		if c.second {
			base = p.q
		}
		if *c.to, err = u.commit(ctx, base, c.x, c.xBits, c.r, c.rBits); err != nil {
			return nil, err
		}
	}
	p.e = u.factorChallenge(seed, p, a, b, t)
	respond := func(mask, secret *big.Int) *big.Int {
		z := new(big.Int).Mul(p.e, secret)
		return z.Add(z, mask)
	}
	p.z1, p.z2 = respond(alpha, sk.p), respond(beta, sk.q)
	p.w1, p.w2 = respond(x, mu), respond(y, nu)
	p.product = respond(r, relation)
	return p, nil
}

// VerifyFactors checks a proof, at a context and under a set-up that the verifier
// trusts, that the key's modulus has no small factor. It draws no randomness.
// Errors: ErrProof, ErrKeyMismatch, the context's.
func (pk *PublicKey) VerifyFactors(ctx context.Context, at Context, u *Setup, p *FactorProof) error {
	if err := pk.checkFactors(u, p); err != nil {
		return err
	}
	left, err := u.pk.powersEach(ctx,
		[]*big.Int{u.t, u.t, u.t, u.t, u.s, u.s, p.q, u.s},
		[]*big.Int{p.sigma, p.product, p.w1, p.w2, p.z1, p.z2, p.z1, pk.n})
	if err != nil {
		return err
	}
	times := func(a, b *big.Int) *big.Int {
		v := new(big.Int).Mul(a, b)
		return v.Mod(v, u.pk.n)
	}
	relation := times(left[7], left[0]) // s^n·t^σ
	inverses := make([]*big.Int, 3)
	for i, v := range []*big.Int{p.p, p.q, relation} {
		if inverses[i] = new(big.Int).ModInverse(v, u.pk.n); inverses[i] == nil {
			return fmt.Errorf("%w: no small factor", ErrProof)
		}
	}
	right, err := u.pk.powersEach(ctx, inverses, []*big.Int{p.e, p.e, p.e})
	if err != nil {
		return err
	}
	a := times(times(left[4], left[2]), right[0])
	b := times(times(left[5], left[3]), right[1])
	t := times(times(left[6], left[1]), right[2])
	if u.factorChallenge(pk.factorStatement(at, u), p, a, b, t).Cmp(p.e) != 0 {
		return fmt.Errorf("%w: no small factor", ErrProof)
	}
	return nil
}

// checkFactors refuses a proof that is out of range: the length of z1 and z2 is
// what the proof is about.
func (pk *PublicKey) checkFactors(u *Setup, p *FactorProof) error {
	switch {
	case p == nil || p.e == nil:
		return fmt.Errorf("%w: there is none", ErrProof)
	case p.fp != pk.fp || p.setup != u.pk.fp || p.widths != newFactorWidths(pk, u):
		return fmt.Errorf("%w: proof of %s under %s, not %s under %s", ErrKeyMismatch, p.fp, p.setup, pk.fp, u.pk.fp)
	case !u.pk.residue(p.p) || !u.pk.residue(p.q):
		return fmt.Errorf("%w: commitments are out of range", ErrProof)
	}
	for _, f := range p.answers() {
		if v := *f.v; v.Sign() < 0 || v.BitLen() > f.bits {
			return fmt.Errorf("%w: out of range", ErrProof)
		}
	}
	return nil
}

// factorAnswer is a number of a proof and its greatest length.
type factorAnswer struct {
	v    **big.Int
	bits int
}

// answers lists what a proof holds behind its commitments, as it is encoded: each
// sum of a mask and what it hides is at most a bit longer than the mask.
func (p *FactorProof) answers() []factorAnswer {
	w := p.widths
	return []factorAnswer{
		{&p.sigma, w.sigma + 1}, {&p.e, challengeBits},
		{&p.z1, w.primeAnswer + 1}, {&p.z2, w.primeAnswer + 1},
		{&p.w1, w.noiseAnswer + 1}, {&p.w2, w.noiseAnswer + 1},
		{&p.product, w.relationAnswer + 1},
	}
}
