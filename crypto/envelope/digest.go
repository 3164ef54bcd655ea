package envelope

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
)

// Digest is a SHA-256 digest. As text it is 64 lower-case hexadecimal digits.
type Digest [sha256.Size]byte

// ParseDigest reads what String wrote, and nothing else: ErrMalformed.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return Digest{}, fmt.Errorf("digest of %d characters: %w", len(s), ErrMalformed)
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil || d.String() != s {
		return Digest{}, fmt.Errorf("digest %q: %w", s, ErrMalformed)
	}
	return d, nil
}

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes what String returns.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDigest accepts.
func (d *Digest) UnmarshalText(text []byte) error {
	parsed, err := ParseDigest(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Commitment is what the ledger says about a sealed object. It is public and
// betrays nothing but the size.
type Commitment struct {
	SealedDigest Digest // SHA-256 of the sealed bytes
	SealedSize   int64  // bytes, > 0
	SaltedDigest Digest // SHA-256 of salt ‖ SHA-256(content)
}

// Check reads src to its end and compares it with the sealed half of c: the
// check that needs no secret. It reads at most one byte more than c.SealedSize.
// It answers ErrSealedDigest, or the error of src as it is.
func Check(src io.Reader, c Commitment) error {
	in, err := newMeter(src, c.SealedSize)
	if err != nil {
		return err
	}
	return in.check(c.SealedDigest)
}

// meter hashes and counts sealed bytes on their way, and tells a source that
// fails from one that ends.
type meter struct {
	src  io.Reader // one byte longer than size at most
	hash hash.Hash
	size int64 // expected
	n    int64 // seen
	err  error // of the source, never io.EOF
}

func newMeter(src io.Reader, size int64) (*meter, error) {
	if size <= 0 || size == math.MaxInt64 {
		return nil, fmt.Errorf("sealed size %d: %w", size, ErrMalformed)
	}
	return &meter{src: io.LimitReader(src, size+1), hash: sha256.New(), size: size}, nil
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.src.Read(p)
	m.n += int64(n)
	m.hash.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

// check reads what is left of the source and compares the whole with want.
func (m *meter) check(want Digest) error {
	if m.err == nil {
		io.Copy(io.Discard, m) // its error is m.err
	}
	switch {
	case m.err != nil:
		return fmt.Errorf("read sealed object: %w", m.err)
	case m.n < m.size:
		return fmt.Errorf("%w: %d of %d bytes: %w", ErrSealedDigest, m.n, m.size, io.ErrUnexpectedEOF)
	case m.n > m.size:
		return fmt.Errorf("%w: more than %d bytes", ErrSealedDigest, m.size)
	case Digest(m.hash.Sum(nil)) != want:
		return fmt.Errorf("%w: found %x", ErrSealedDigest, m.hash.Sum(nil))
	}
	return nil
}

// saltedDigest is what the ledger holds in place of the content's digest.
func saltedDigest(salt Salt, content Digest) Digest {
	return Digest(sha256.Sum256(append(salt.Bytes(), content[:]...)))
}
