package paillier

import "fmt"

// The encodings of proofs about a Paillier key; see codec.go for their frame. All
// proofs have a fingerprint, which is the key's.
//
//	knowledge proof  … e(32) w(bits/8) z(bits/8)
//	range proof      … k(1) e(32) c(bits/4)×(k-1) (e0(32) z0(bits/8) z1(bits/8))×k
//	modulus proof    … w(bits/8) (sign(1) x(bits/8) z(bits/8))×128
//	factor proof     … N's bits(2) N's fingerprint(16) P Q σ e z1 z2 w1 w2 v
//
// P and Q have the bytes of N; the numbers behind them ⌈l/8⌉ bytes for the l that
// is a number's greatest length in bits, given with |N| = N's bits and n = bits:
// |N|+n+257, 256, n/2+385 twice, |N|+513 twice, |N|+n+641.
const (
	kindKnowledge = 'N'
	kindRange     = 'I'
	kindModulus   = 'M'
	kindFactor    = 'F'

	textKnowledge = "paillier-knowledge-proof-1."
	textRange     = "paillier-range-proof-1."
	textModulus   = "paillier-modulus-proof-1."
	textFactor    = "paillier-factor-proof-1."
)

// longestProof bounds the encodings of proofs, of which a modulus proof under the
// longest key is the longest.
const longestProof = headerSize + MaxBits/8 + modulusRounds*(1+MaxBits/4) + FingerprintSize

// parseText decodes a proof's text form by the parser of its bytes.
func parseText[T any](prefix string, text []byte, parse func([]byte) (*T, error)) (*T, error) {
	b, err := fromLongText(prefix, text, longestProof)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", prefix, err)
	}
	return parse(b)
}

// MarshalBinary encodes the proof. It fails with ErrEncoding for the zero value.
func (p *KnowledgeProof) MarshalBinary() ([]byte, error) {
	if p.e == nil {
		return nil, fmt.Errorf("knowledge proof: %w: empty", ErrEncoding)
	}
	b := appendHeader(nil, kindKnowledge, 0, p.bits)
	b = appendNumber(b, p.e, challengeBits/8)
	b = appendNumber(b, p.w, p.bits/8)
	return seal(appendNumber(b, p.z, p.bits/8), p.fp), nil
}

// MarshalText encodes the proof as text; see MarshalBinary.
func (p *KnowledgeProof) MarshalText() ([]byte, error) { return marshalText(textKnowledge, p) }

// ParseKnowledgeProof decodes a proof, which VerifyKnowledge checks. Errors:
// ErrEncoding, ErrVersion, ErrKeyMismatch, ErrProof for numbers out of range.
func (pk *PublicKey) ParseKnowledgeProof(b []byte) (*KnowledgeProof, error) {
	f, err := open(b, kindKnowledge, pk.Bits(), pk.fp)
	if err != nil {
		return nil, fmt.Errorf("knowledge proof: %w", err)
	}
	p := &KnowledgeProof{fp: pk.fp, bits: pk.Bits(), e: f.number(challengeBits / 8)}
	p.w, p.z = f.number(pk.Bits()/8), f.number(pk.Bits()/8)
	if err = f.end(); err == nil {
		err = pk.checkKnowledge(p)
	}
	if err != nil {
		return nil, fmt.Errorf("knowledge proof: %w", err)
	}
	return p, nil
}

// ParseKnowledgeProofText decodes the text form of a proof.
func (pk *PublicKey) ParseKnowledgeProofText(text []byte) (*KnowledgeProof, error) {
	return parseText(textKnowledge, text, pk.ParseKnowledgeProof)
}

// MarshalBinary encodes the proof. It fails with ErrEncoding for the zero value.
func (p *RangeProof) MarshalBinary() ([]byte, error) {
	if p.e == nil {
		return nil, fmt.Errorf("range proof: %w: empty", ErrEncoding)
	}
	b := append(appendHeader(nil, kindRange, 0, p.bits), byte(len(p.part)))
	b = appendNumber(b, p.e, challengeBits/8)
	for _, c := range p.c {
		b = appendNumber(b, c, p.bits/4)
	}
	for _, part := range p.part {
		b = appendNumber(b, part.e0, challengeBits/8)
		b = appendNumber(b, part.z0, p.bits/8)
		b = appendNumber(b, part.z1, p.bits/8)
	}
	return seal(b, p.fp), nil
}

// MarshalText encodes the proof as text; see MarshalBinary.
func (p *RangeProof) MarshalText() ([]byte, error) { return marshalText(textRange, p) }

// ParseRangeProof decodes a proof, which VerifyRange checks. Errors: ErrEncoding,
// ErrVersion, ErrKeyMismatch, ErrProof for numbers out of range.
func (pk *PublicKey) ParseRangeProof(b []byte) (*RangeProof, error) {
	f, err := open(b, kindRange, pk.Bits(), pk.fp)
	if err != nil {
		return nil, fmt.Errorf("range proof: %w", err)
	}
	n, size := f.count(1), pk.Bits()/8
	if n < 1 || n > 64 {
		return nil, fmt.Errorf("range proof: %w: %d bits", ErrEncoding, n)
	}
	p := &RangeProof{fp: pk.fp, bits: pk.Bits(), e: f.number(challengeBits / 8)}
	for range n - 1 {
		p.c = append(p.c, f.number(2*size))
	}
	for range n {
		p.part = append(p.part, bitProof{f.number(challengeBits / 8), f.number(size), f.number(size)})
	}
	if err = f.end(); err == nil {
		err = pk.checkRange(p, n)
	}
	if err != nil {
		return nil, fmt.Errorf("range proof: %w", err)
	}
	return p, nil
}

// ParseRangeProofText decodes the text form of a proof.
func (pk *PublicKey) ParseRangeProofText(text []byte) (*RangeProof, error) {
	return parseText(textRange, text, pk.ParseRangeProof)
}

// MarshalBinary encodes the proof. It fails with ErrEncoding for the zero value.
func (p *ModulusProof) MarshalBinary() ([]byte, error) {
	if p.w == nil {
		return nil, fmt.Errorf("modulus proof: %w: empty", ErrEncoding)
	}
	b := appendHeader(nil, kindModulus, 0, p.bits)
	b = appendNumber(b, p.w, p.bits/8)
	for i, sign := range p.sign {
		b = append(b, sign)
		b = appendNumber(b, p.x[i], p.bits/8)
		b = appendNumber(b, p.z[i], p.bits/8)
	}
	return seal(b, p.fp), nil
}

// MarshalText encodes the proof as text; see MarshalBinary.
func (p *ModulusProof) MarshalText() ([]byte, error) { return marshalText(textModulus, p) }

// ParseModulusProof decodes a proof, which VerifyModulus checks. Errors:
// ErrEncoding, ErrVersion, ErrKeyMismatch, ErrProof for numbers out of range.
func (pk *PublicKey) ParseModulusProof(b []byte) (*ModulusProof, error) {
	f, err := open(b, kindModulus, pk.Bits(), pk.fp)
	if err != nil {
		return nil, fmt.Errorf("modulus proof: %w", err)
	}
	size := pk.Bits() / 8
	p := &ModulusProof{fp: pk.fp, bits: pk.Bits(), w: f.number(size)}
	for range modulusRounds {
		p.sign = append(p.sign, byte(f.count(1)))
		p.x = append(p.x, f.number(size))
		p.z = append(p.z, f.number(size))
	}
	if err = f.end(); err == nil {
		err = pk.checkModulusProof(p)
	}
	if err != nil {
		return nil, fmt.Errorf("modulus proof: %w", err)
	}
	return p, nil
}

// ParseModulusProofText decodes the text form of a proof.
func (pk *PublicKey) ParseModulusProofText(text []byte) (*ModulusProof, error) {
	return parseText(textModulus, text, pk.ParseModulusProof)
}

// MarshalBinary encodes the proof. It fails with ErrEncoding for the zero value.
func (p *FactorProof) MarshalBinary() ([]byte, error) {
	if p.e == nil {
		return nil, fmt.Errorf("factor proof: %w: empty", ErrEncoding)
	}
	b := appendHeader(nil, kindFactor, 0, p.widths.bits)
	b = append(b, byte(p.widths.setup>>8), byte(p.widths.setup))
	b = append(b, p.setup[:]...)
	b = appendNumber(b, p.p, p.widths.setup/8)
	b = appendNumber(b, p.q, p.widths.setup/8)
	for _, f := range p.answers() {
		b = appendNumber(b, *f.v, (f.bits+7)/8)
	}
	return seal(b, p.fp), nil
}

// MarshalText encodes the proof as text; see MarshalBinary.
func (p *FactorProof) MarshalText() ([]byte, error) { return marshalText(textFactor, p) }

// ParseFactorProof decodes a proof under a set-up, which VerifyFactors checks.
// Errors: ErrEncoding, ErrVersion, ErrKeyMismatch, ErrProof for numbers out of
// range.
func (pk *PublicKey) ParseFactorProof(u *Setup, b []byte) (*FactorProof, error) {
	f, err := open(b, kindFactor, pk.Bits(), pk.fp)
	if err != nil {
		return nil, fmt.Errorf("factor proof: %w", err)
	}
	p := &FactorProof{fp: pk.fp, widths: newFactorWidths(pk, u)}
	setup := f.count(2)
	p.setup = Fingerprint(f.bytes(FingerprintSize))
	if f.err == nil && (setup != u.Bits() || p.setup != u.pk.fp) {
		return nil, fmt.Errorf("factor proof: %w: under set-up %s, not %s", ErrKeyMismatch, p.setup, u.pk.fp)
	}
	p.p, p.q = f.number(u.Bits()/8), f.number(u.Bits()/8)
	for _, a := range p.answers() {
		*a.v = f.number((a.bits + 7) / 8)
	}
	if err = f.end(); err == nil {
		err = pk.checkFactors(u, p)
	}
	if err != nil {
		return nil, fmt.Errorf("factor proof: %w", err)
	}
	return p, nil
}

// ParseFactorProofText decodes the text form of a proof under a set-up.
func (pk *PublicKey) ParseFactorProofText(u *Setup, text []byte) (*FactorProof, error) {
	return parseText(textFactor, text, func(b []byte) (*FactorProof, error) { return pk.ParseFactorProof(u, b) })
}
