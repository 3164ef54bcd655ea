package paillier

import (
	"encoding"
	"encoding/binary"
	"fmt"
	"math/big"
)

// What belongs to a key is encoded as
//
//	version kind 0 bits(2) fields fingerprint(16)
//
// where the fingerprint is the key's and every field has a length that the key and
// the fields before it fix. Numbers are big-endian. The text form is a prefix and
// the same bytes in unpadded base64url. There is one encoding of each thing.

// seal closes an encoding that began with appendHeader.
func seal(b []byte, fp Fingerprint) []byte { return append(b, fp[:]...) }

// marshalText returns the text form of what v encodes to.
func marshalText(prefix string, v encoding.BinaryMarshaler) ([]byte, error) {
	b, err := v.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return toText(prefix, b), nil
}

// appendNumber appends v as size bytes.
func appendNumber(b []byte, v *big.Int, size int) []byte {
	at := len(b)
	b = append(b, make([]byte, size)...)
	v.FillBytes(b[at:])
	return b
}

// fields reads an encoding's fields in their order. What is missing reads as 0 and
// is told by end.
type fields struct {
	b   []byte
	err error
}

// open checks the frame of an encoding that belongs to a key.
func open(b []byte, kind byte, bits int, fp Fingerprint) (*fields, error) {
	if len(b) < headerSize+FingerprintSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrEncoding, len(b))
	}
	if b[0] != encodingVersion {
		return nil, fmt.Errorf("%w: %d", ErrVersion, b[0])
	}
	if b[1] != kind || b[2] != 0 {
		return nil, fmt.Errorf("%w: kind %q %d, want %q 0", ErrEncoding, b[1], b[2], kind)
	}
	rest := b[headerSize : len(b)-FingerprintSize]
	if got := Fingerprint(b[len(b)-FingerprintSize:]); got != fp {
		return nil, fmt.Errorf("%w: %s, not %s", ErrKeyMismatch, got, fp)
	}
	if got := int(binary.BigEndian.Uint16(b[3:])); got != bits {
		return nil, fmt.Errorf("%w: %d bits, not %d", ErrEncoding, got, bits)
	}
	return &fields{b: rest}, nil
}

// bytes reads n bytes.
func (f *fields) bytes(n int) []byte {
	if f.err != nil || len(f.b) < n {
		f.err = fmt.Errorf("%w: too short", ErrEncoding)
		return make([]byte, n)
	}
	b := f.b[:n:n]
	f.b = f.b[n:]
	return b
}

// count reads a number of size bytes, 1 to 4.
func (f *fields) count(size int) int {
	v := 0
	for _, b := range f.bytes(size) {
		v = v<<8 | int(b)
	}
	return v
}

// number reads a number of size bytes.
func (f *fields) number(size int) *big.Int { return new(big.Int).SetBytes(f.bytes(size)) }

// end tells whether all fields were there and nothing else.
func (f *fields) end() error {
	if f.err == nil && len(f.b) != 0 {
		f.err = fmt.Errorf("%w: %d bytes too many", ErrEncoding, len(f.b))
	}
	return f.err
}
