package paillier

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
)

// Every encoding starts with a version, a kind and the length of n in bits,
// and carries the fingerprint of its public key:
//
//	public key   version kind form bits(2) n             fingerprint(16)
//	private key  version kind form bits(2) p q           fingerprint(16)
//	ciphertext   version kind 0    bits(2) c             fingerprint(16)
//
// Numbers are big-endian and of fixed length: bits/8 bytes for n, bits/16 for
// p < q, bits/4 for c. The text form is a prefix and the same bytes in unpadded
// base64url. There is one encoding of each thing: anything else is refused.
const (
	encodingVersion = 1

	kindPublic     = 'P'
	kindPrivate    = 'S'
	kindCiphertext = 'C'

	headerSize = 5

	textPublic     = "paillier-public-1."
	textPrivate    = "paillier-private-1."
	textCiphertext = "paillier-ciphertext-1."
)

// bodySize returns the bytes between header and fingerprint.
func bodySize(kind byte, bits int) int {
	if kind == kindCiphertext {
		return bits / 4
	}
	return bits / 8
}

func appendHeader(b []byte, kind, form byte, bits int) []byte {
	b = append(b, encodingVersion, kind, form)
	return binary.BigEndian.AppendUint16(b, uint16(bits))
}

// split checks everything about an encoding but its numbers.
func split(b []byte, kind byte) (form byte, bits int, body []byte, fp Fingerprint, err error) {
	if len(b) < headerSize {
		return 0, 0, nil, fp, fmt.Errorf("%w: %d bytes", ErrEncoding, len(b))
	}
	if b[0] != encodingVersion {
		return 0, 0, nil, fp, fmt.Errorf("%w: %d", ErrVersion, b[0])
	}
	if b[1] != kind {
		return 0, 0, nil, fp, fmt.Errorf("%w: kind %q, want %q", ErrEncoding, b[1], kind)
	}
	form, bits = b[2], int(binary.BigEndian.Uint16(b[3:]))
	if bits < MinBits || bits > MaxBits || bits%64 != 0 {
		return 0, 0, nil, fp, fmt.Errorf("%w: %d bits", ErrModulusSize, bits)
	}
	size := bodySize(kind, bits)
	if len(b) != headerSize+size+FingerprintSize {
		return 0, 0, nil, fp, fmt.Errorf("%w: %d bytes for %d bits", ErrEncoding, len(b), bits)
	}
	copy(fp[:], b[headerSize+size:])
	return form, bits, b[headerSize : headerSize+size], fp, nil
}

var encodingBase64 = base64.RawURLEncoding.Strict()

func toText(prefix string, b []byte) []byte {
	out := make([]byte, len(prefix), len(prefix)+encodingBase64.EncodedLen(len(b)))
	copy(out, prefix)
	return encodingBase64.AppendEncode(out, b)
}

func fromText(prefix string, text []byte) ([]byte, error) {
	return fromLongText(prefix, text, headerSize+MaxBits/4+FingerprintSize)
}

// fromLongText reads the text of at most longest bytes.
func fromLongText(prefix string, text []byte, longest int) ([]byte, error) {
	rest, ok := bytes.CutPrefix(text, []byte(prefix))
	if !ok || len(rest) > encodingBase64.EncodedLen(longest) {
		return nil, fmt.Errorf("%w: text", ErrEncoding)
	}
	if bytes.ContainsAny(rest, "\r\n") {
		return nil, fmt.Errorf("%w: line break in text", ErrEncoding)
	}
	b := make([]byte, encodingBase64.DecodedLen(len(rest)))
	if _, err := encodingBase64.Decode(b, rest); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return b, nil
}

// MarshalBinary encodes the key. It never fails.
func (pk *PublicKey) MarshalBinary() ([]byte, error) {
	b := appendHeader(nil, kindPublic, byte(pk.form), pk.Bits())
	b = append(b, pk.n.FillBytes(make([]byte, pk.Bits()/8))...)
	return append(b, pk.fp[:]...), nil
}

// MarshalText encodes the key as text. It never fails.
func (pk *PublicKey) MarshalText() ([]byte, error) {
	b, err := pk.MarshalBinary()
	return toText(textPublic, b), err
}

// ParsePublicKey decodes and checks a key. Errors: ErrEncoding, ErrVersion,
// ErrFingerprint, and NewPublicKey's.
func ParsePublicKey(b []byte) (*PublicKey, error) {
	form, bits, body, fp, err := split(b, kindPublic)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	n := new(big.Int).SetBytes(body)
	if n.BitLen() != bits {
		return nil, fmt.Errorf("public key: %w: %d bits, not %d", ErrModulusSize, n.BitLen(), bits)
	}
	if fingerprint(Form(form), n) != fp {
		return nil, fmt.Errorf("public key: %w", ErrFingerprint)
	}
	return NewPublicKey(n, Form(form))
}

// ParsePublicKeyText decodes and checks the text form of a key.
func ParsePublicKeyText(text []byte) (*PublicKey, error) {
	b, err := fromText(textPublic, text)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return ParsePublicKey(b)
}

// Export returns the private key's bytes. They are the secret itself: seal them
// before they are stored.
func (sk *PrivateKey) Export() []byte {
	b := appendHeader(nil, kindPrivate, byte(sk.form), sk.Bits())
	b = append(b, sk.p.FillBytes(make([]byte, sk.Bits()/16))...)
	b = append(b, sk.q.FillBytes(make([]byte, sk.Bits()/16))...)
	return append(b, sk.fp[:]...)
}

// ExportText returns Export as text.
func (sk *PrivateKey) ExportText() []byte { return toText(textPrivate, sk.Export()) }

// ParsePrivateKey decodes and checks what Export wrote. Errors: ErrEncoding,
// ErrVersion, ErrFingerprint, and NewPrivateKey's.
func ParsePrivateKey(b []byte) (*PrivateKey, error) {
	form, bits, body, fp, err := split(b, kindPrivate)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	p := new(big.Int).SetBytes(body[:bits/16])
	q := new(big.Int).SetBytes(body[bits/16:])
	if p.Cmp(q) >= 0 {
		return nil, fmt.Errorf("private key: %w: p is not below q", ErrEncoding)
	}
	n := new(big.Int).Mul(p, q)
	if n.BitLen() != bits {
		return nil, fmt.Errorf("private key: %w: %d bits, not %d", ErrModulusSize, n.BitLen(), bits)
	}
	if fingerprint(Form(form), n) != fp {
		return nil, fmt.Errorf("private key: %w", ErrFingerprint)
	}
	return NewPrivateKey(p, q, Form(form))
}

// ParsePrivateKeyText decodes and checks what ExportText wrote.
func ParsePrivateKeyText(text []byte) (*PrivateKey, error) {
	b, err := fromText(textPrivate, text)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return ParsePrivateKey(b)
}
