package paillier

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
)

// The encodings of threshold decryption; see codec.go for their frame. A
// verification key stands by itself: its header has the form of its Paillier key,
// and its fingerprint is its own.
//
//	verification key  version kind form bits(2) n threshold(2) parties(2)
//	                  value(bits/4)… fingerprint(16)
//	key share         … index(2) s(bits/4)
//	decryption share  … index(2) count(4) x(bits/4)…
//	share proof       … index(2) e(32) z
//
// z has ⌈(2·bits + |parties!| + 256 + 128 + 1)/8⌉ bytes.
const (
	kindVerification = 'V'
	kindKeyShare     = 'K'
	kindShare        = 'D'
	kindShareProof   = 'E'

	textVerification = "paillier-verification-key-1."
	textKeyShare     = "paillier-key-share-1."
	textShare        = "paillier-decryption-share-1."
	textShareProof   = "paillier-share-proof-1."
)

// MaxShare is the largest number of ciphertexts in a decryption share that is
// decoded.
const MaxShare = 1 << 20

// body is the encoding of the key without its fingerprint.
func (vk *VerificationKey) body() []byte {
	bits := vk.pk.Bits()
	b := appendHeader(nil, kindVerification, byte(vk.pk.form), bits)
	b = appendNumber(b, vk.pk.n, bits/8)
	b = binary.BigEndian.AppendUint16(b, uint16(vk.threshold))
	b = binary.BigEndian.AppendUint16(b, uint16(len(vk.values)))
	for _, v := range vk.values {
		b = appendNumber(b, v, bits/4)
	}
	return b
}

// MarshalBinary encodes the key. It never fails.
func (vk *VerificationKey) MarshalBinary() ([]byte, error) {
	return seal(vk.body(), vk.Fingerprint()), nil
}

// MarshalText encodes the key as text. It never fails.
func (vk *VerificationKey) MarshalText() ([]byte, error) {
	return toText(textVerification, seal(vk.body(), vk.Fingerprint())), nil
}

// ParseVerificationKey decodes and checks a key. Errors: ErrEncoding, ErrVersion,
// ErrFingerprint, NewPublicKey's and NewVerificationKey's.
func ParseVerificationKey(b []byte) (*VerificationKey, error) {
	vk, err := parseVerificationKey(b)
	if err != nil {
		return nil, fmt.Errorf("verification key: %w", err)
	}
	return vk, nil
}

func parseVerificationKey(b []byte) (*VerificationKey, error) {
	switch {
	case len(b) < headerSize+FingerprintSize:
		return nil, fmt.Errorf("%w: %d bytes", ErrEncoding, len(b))
	case b[0] != encodingVersion:
		return nil, fmt.Errorf("%w: %d", ErrVersion, b[0])
	case b[1] != kindVerification:
		return nil, fmt.Errorf("%w: kind %q, want %q", ErrEncoding, b[1], kindVerification)
	}
	form, bits := Form(b[2]), int(binary.BigEndian.Uint16(b[3:]))
	if bits < MinBits || bits > MaxBits || bits%64 != 0 {
		return nil, fmt.Errorf("%w: %d bits", ErrModulusSize, bits)
	}
	fp := Fingerprint(b[len(b)-FingerprintSize:])
	f := &fields{b: b[headerSize : len(b)-FingerprintSize]}
	n, threshold, parties := f.number(bits/8), f.count(2), f.count(2)
	if parties < 1 || parties > MaxParties || len(f.b) != parties*bits/4 {
		return nil, fmt.Errorf("%w: %d parties", ErrEncoding, parties)
	}
	values := make([]*big.Int, parties)
	for i := range values {
		values[i] = f.number(bits / 4)
	}
	if err := f.end(); err != nil {
		return nil, err
	}
	if digest := verificationDigest(b[:len(b)-FingerprintSize]); Fingerprint(digest[:FingerprintSize]) != fp {
		return nil, ErrFingerprint
	}
	if n.BitLen() != bits {
		return nil, fmt.Errorf("%w: %d bits, not %d", ErrModulusSize, n.BitLen(), bits)
	}
	pk, err := NewPublicKey(n, form)
	if err != nil {
		return nil, err
	}
	return NewVerificationKey(pk, threshold, values)
}

// verificationDigest is the hash that a verification key's body is known by.
func verificationDigest(body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte("paillier verification key v1\x00"), body...))
}

// ParseVerificationKeyText decodes and checks the text form of a key.
func ParseVerificationKeyText(text []byte) (*VerificationKey, error) {
	const longest = headerSize + MaxBits/8 + 4 + MaxParties*MaxBits/4 + FingerprintSize
	b, err := fromLongText(textVerification, text, longest)
	if err != nil {
		return nil, fmt.Errorf("verification key: %w", err)
	}
	return ParseVerificationKey(b)
}

// Export returns the share's bytes. They are the secret itself: seal them before
// they are stored or sent.
func (ks *KeyShare) Export() []byte {
	b := appendHeader(nil, kindKeyShare, 0, ks.vk.pk.Bits())
	b = binary.BigEndian.AppendUint16(b, uint16(ks.index))
	return seal(appendNumber(b, ks.secret, ks.vk.pk.Bits()/4), ks.vk.Fingerprint())
}

// ExportText returns Export as text.
func (ks *KeyShare) ExportText() []byte { return toText(textKeyShare, ks.Export()) }

// ParseKeyShare decodes what Export wrote and checks it against its verification
// value. Errors: ErrEncoding, ErrVersion, ErrKeyMismatch, and NewKeyShare's.
func (vk *VerificationKey) ParseKeyShare(ctx context.Context, b []byte) (*KeyShare, error) {
	f, err := open(b, kindKeyShare, vk.pk.Bits(), vk.Fingerprint())
	if err != nil {
		return nil, fmt.Errorf("key share: %w", err)
	}
	index, s := f.count(2), f.number(vk.pk.Bits()/4)
	if err := f.end(); err != nil {
		return nil, fmt.Errorf("key share: %w", err)
	}
	return NewKeyShare(ctx, vk, index, s)
}

// ParseKeyShareText decodes and checks what ExportText wrote.
func (vk *VerificationKey) ParseKeyShareText(ctx context.Context, text []byte) (*KeyShare, error) {
	b, err := fromLongText(textKeyShare, text, headerSize+2+MaxBits/4+FingerprintSize)
	if err != nil {
		return nil, fmt.Errorf("key share: %w", err)
	}
	return vk.ParseKeyShare(ctx, b)
}

// MarshalBinary encodes the share. It fails with ErrEncoding for the zero value.
func (d *DecryptionShare) MarshalBinary() ([]byte, error) {
	if len(d.x) == 0 {
		return nil, fmt.Errorf("decryption share: %w: empty", ErrEncoding)
	}
	b := appendHeader(nil, kindShare, 0, 32*len(d.x[0].w))
	b = binary.BigEndian.AppendUint16(b, uint16(d.index))
	b = binary.BigEndian.AppendUint32(b, uint32(len(d.x)))
	for _, x := range d.x {
		at := len(b)
		b = append(b, make([]byte, 8*len(x.w))...)
		bytesFromWords(b[at:], x.w)
	}
	return seal(b, d.fp), nil
}

// MarshalText encodes the share as text; see MarshalBinary.
func (d *DecryptionShare) MarshalText() ([]byte, error) { return marshalText(textShare, d) }

// ParseDecryptionShare decodes a share and checks its numbers, which takes a proof
// besides. Errors: ErrEncoding, ErrVersion, ErrKeyMismatch, ErrShareIndex, Check's.
func (vk *VerificationKey) ParseDecryptionShare(b []byte) (*DecryptionShare, error) {
	d, err := vk.parseDecryptionShare(b)
	if err != nil {
		return nil, fmt.Errorf("decryption share: %w", err)
	}
	return d, nil
}

func (vk *VerificationKey) parseDecryptionShare(b []byte) (*DecryptionShare, error) {
	bits := vk.pk.Bits()
	f, err := open(b, kindShare, bits, vk.Fingerprint())
	if err != nil {
		return nil, err
	}
	d := &DecryptionShare{fp: vk.Fingerprint(), index: f.count(2)}
	n := f.count(4)
	if n < 1 || n > MaxShare || len(f.b) != n*bits/4 {
		return nil, fmt.Errorf("%w: %d numbers", ErrEncoding, n)
	}
	for range n {
		x := new(Ciphertext)
		x.reset(vk.pk.fp, 2*vk.pk.size)
		wordsFromBytes(x.w, f.bytes(bits/4))
		d.x = append(d.x, x)
	}
	if err := f.end(); err != nil {
		return nil, err
	}
	if err := vk.checkIndex(d.index); err != nil {
		return nil, err
	}
	return d, vk.pk.CheckBatch(context.Background(), d.x)
}

// ParseDecryptionShareText decodes and checks the text form of a share.
func (vk *VerificationKey) ParseDecryptionShareText(text []byte) (*DecryptionShare, error) {
	b, err := fromLongText(textShare, text, headerSize+6+MaxShare*MaxBits/4+FingerprintSize)
	if err != nil {
		return nil, fmt.Errorf("decryption share: %w", err)
	}
	return vk.ParseDecryptionShare(b)
}

// responseSize is the length of a share proof's response in bytes.
func (vk *VerificationKey) responseSize() int { return (vk.maskBits() + 1 + 7) / 8 }

// MarshalBinary encodes the proof. It fails with ErrEncoding for the zero value.
func (p *ShareProof) MarshalBinary() ([]byte, error) {
	if p.e == nil {
		return nil, fmt.Errorf("share proof: %w: empty", ErrEncoding)
	}
	b := appendHeader(nil, kindShareProof, 0, p.bits)
	b = binary.BigEndian.AppendUint16(b, uint16(p.index))
	b = appendNumber(b, p.e, challengeBits/8)
	return seal(appendNumber(b, p.z, p.size), p.fp), nil
}

// MarshalText encodes the proof as text; see MarshalBinary.
func (p *ShareProof) MarshalText() ([]byte, error) { return marshalText(textShareProof, p) }

// ParseShareProof decodes a proof, which Verify checks. Errors: ErrEncoding,
// ErrVersion, ErrKeyMismatch, ErrShareIndex, ErrProof for numbers out of range.
func (vk *VerificationKey) ParseShareProof(b []byte) (*ShareProof, error) {
	f, err := open(b, kindShareProof, vk.pk.Bits(), vk.Fingerprint())
	if err != nil {
		return nil, fmt.Errorf("share proof: %w", err)
	}
	p := vk.newShareProof(f.count(2))
	p.e, p.z = f.number(challengeBits/8), f.number(p.size)
	if err = f.end(); err == nil {
		err = vk.checkIndex(p.index)
	}
	if err == nil {
		err = vk.checkProof(p, p.index)
	}
	if err != nil {
		return nil, fmt.Errorf("share proof: %w", err)
	}
	return p, nil
}

// ParseShareProofText decodes the text form of a proof.
func (vk *VerificationKey) ParseShareProofText(text []byte) (*ShareProof, error) {
	b, err := fromLongText(textShareProof, text, headerSize+2+challengeBits/8+vk.responseSize()+FingerprintSize)
	if err != nil {
		return nil, fmt.Errorf("share proof: %w", err)
	}
	return vk.ParseShareProof(b)
}

func (vk *VerificationKey) newShareProof(index int) *ShareProof {
	return &ShareProof{fp: vk.Fingerprint(), index: index, bits: vk.pk.Bits(), size: vk.responseSize()}
}
