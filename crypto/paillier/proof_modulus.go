package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
)

// modulusRounds is how often a modulus proof is challenged: a modulus that is not
// well formed passes each round with odds of at most 1/2, so that each hash that a
// forger computes succeeds with odds of at most 2^-128.
const modulusRounds = 128

// ModulusProof proves that n is the product of exactly two primes, both 3 mod 4,
// and that gcd(n, φ(n)) = 1, so that Paillier's scheme works under it (R. Canetti,
// R. Gennaro, S. Goldfeder, N. Makriyannis, U. Peled, "UC non-interactive,
// proactive, threshold ECDSA with identifiable aborts", IACR ePrint 2021/060,
// figure 16, the Paillier-Blum modulus). One of the primes could still be short:
// FactorProof is about that. It needs no set-up.
//
// Each challenge y, a hash, is answered by z with z^n = y and x with x⁴ =
// ±w^b·y modulo n; w, with Jacobi symbol -1, is fixed before the challenges.
type ModulusProof struct {
	fp   Fingerprint
	bits int
	w    *big.Int
	x, z []*big.Int
	sign []byte // for each round 1 for the minus, 2 for w
}

// Fingerprint names the key that the proof claims to belong to.
func (p *ModulusProof) Fingerprint() Fingerprint { return p.fp }

// modulusChallenges expands y for each round from the key, the context and w.
func (pk *PublicKey) modulusChallenges(at Context, w *big.Int) []*big.Int {
	s := newStatement("modulus", at)
	s.publicKey(pk)
	s.number("w", w, pk.Bits()/8)
	size := pk.Bits()/8 + 16
	b := expand("paillier modulus challenges v1", s.sum(), modulusRounds*size)
	y := make([]*big.Int, modulusRounds)
	for i := range y {
		y[i] = new(big.Int).SetBytes(b[i*size : (i+1)*size])
		y[i].Mod(y[i], pk.n)
	}
	return y
}

// ProveModulus proves at a context that the key's modulus is well formed. random
// is nil for the operating system's. It takes time that depends on the primes, as
// the generation of keys does. Errors: ErrWitness for primes that are not both 3
// mod 4 (only FormStandard allows them), random's.
func (sk *PrivateKey) ProveModulus(random io.Reader, at Context) (*ModulusProof, error) {
	if sk.p.Bit(1) == 0 || sk.q.Bit(1) == 0 {
		return nil, fmt.Errorf("%w: primes are not 3 mod 4", ErrWitness)
	}
	pk := sk.Public()
	p := &ModulusProof{fp: pk.fp, bits: pk.Bits()}
	for p.w == nil || big.Jacobi(p.w, pk.n) != -1 {
		w, err := drawBelow(source(random), pk.n)
		if err != nil {
			return nil, err
		}
		p.w = w
	}
	var roots, fourth [2]*big.Int // exponents modulo p-1 and q-1
	for i, m := range [2]*big.Int{sk.p, sk.q} {
		order := new(big.Int).Sub(m, one)
		roots[i] = new(big.Int).ModInverse(new(big.Int).Mod(pk.n, order), order)
		e := new(big.Int).Add(m, one)
		e.Rsh(e, 2)
		fourth[i] = e.Mul(e, e).Mod(e, order)
	}
	for _, y := range pk.modulusChallenges(at, p.w) {
		sign := sk.residueSign(y, p.w)
		p.sign = append(p.sign, sign)
		p.z = append(p.z, sk.powCRT(y, roots))
		p.x = append(p.x, sk.powCRT(pk.signed(y, p.w, sign), fourth))
	}
	return p, nil
}

// residueSign says what makes y a square modulo both primes: -1 changes both
// symbols, w one of them.
func (sk *PrivateKey) residueSign(y, w *big.Int) byte {
	for sign := range byte(3) {
		v := sk.PublicKey.signed(y, w, sign)
		if big.Jacobi(v, sk.p) == 1 && big.Jacobi(v, sk.q) == 1 {
			return sign
		}
	}
	return 3
}

// signed returns y, -y, w·y or -w·y modulo n by sign's bits.
func (pk *PublicKey) signed(y, w *big.Int, sign byte) *big.Int {
	v := new(big.Int).Set(y)
	if sign&1 != 0 {
		v.Neg(v)
	}
	if sign&2 != 0 {
		v.Mul(v, w)
	}
	return v.Mod(v, pk.n)
}

// powCRT returns v to exponents that are given modulo p-1 and q-1, modulo n.
func (sk *PrivateKey) powCRT(v *big.Int, e [2]*big.Int) *big.Int {
	x := new(big.Int).Exp(new(big.Int).Mod(v, sk.p), e[0], sk.p)
	y := new(big.Int).Exp(new(big.Int).Mod(v, sk.q), e[1], sk.q)
	y.Sub(y, x).Mul(y, sk.pinv).Mod(y, sk.q)
	return y.Mul(y, sk.p).Add(y, x)
}

// VerifyModulus checks a proof, at a context, that the key's modulus is well
// formed. It draws no randomness. Errors: ErrProof, ErrKeyMismatch, the context's.
func (pk *PublicKey) VerifyModulus(ctx context.Context, at Context, p *ModulusProof) error {
	if err := pk.checkModulusProof(p); err != nil {
		return err
	}
	challenges := pk.modulusChallenges(at, p.w)
	for i, y := range challenges {
		x := new(big.Int).Mul(p.x[i], p.x[i])
		x.Mod(x, pk.n).Mul(x, x).Mod(x, pk.n)
		if !pk.residue(y) || x.Cmp(pk.signed(y, p.w, p.sign[i])) != 0 {
			return fmt.Errorf("%w: modulus, round %d", ErrProof, i)
		}
	}
	powers, err := pk.powersN(ctx, p.z)
	if err != nil {
		return err
	}
	for i, y := range challenges {
		if powers[i].Mod(powers[i], pk.n).Cmp(y) != 0 {
			return fmt.Errorf("%w: modulus, round %d", ErrProof, i)
		}
	}
	return nil
}

// checkModulusProof refuses a proof that is out of range.
func (pk *PublicKey) checkModulusProof(p *ModulusProof) error {
	switch {
	case p == nil || p.w == nil:
		return fmt.Errorf("%w: there is none", ErrProof)
	case p.fp != pk.fp:
		return fmt.Errorf("%w: proof of %s, not %s", ErrKeyMismatch, p.fp, pk.fp)
	case len(p.x) != modulusRounds || len(p.z) != modulusRounds || len(p.sign) != modulusRounds:
		return fmt.Errorf("%w: %d rounds", ErrProof, len(p.x))
	case !pk.residue(p.w) || big.Jacobi(p.w, pk.n) != -1:
		return fmt.Errorf("%w: w", ErrProof)
	}
	for i := range p.x {
		if !pk.residue(p.x[i]) || !pk.residue(p.z[i]) || p.sign[i] > 3 {
			return fmt.Errorf("%w: modulus, round %d", ErrProof, i)
		}
	}
	return nil
}
