package paillier

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/big"
)

// Context is what a proof is bound to: it holds there and nowhere else. A verifier
// takes it from its own records (the ledger), never from the one who proves. Any
// field may be empty.
type Context struct {
	// Channel is the ledger's channel.
	Channel string
	// Epoch is the keyring's epoch.
	Epoch uint64
	// Job is the computation's id.
	Job string
	// Department is the one who proves.
	Department string
}

// challengeBits is the length of a challenge: SHA-256's.
const challengeBits = 256

// maskSlack is how many bits a mask is longer than what it hides, so that a
// response is within 2^-128 of independent of the secret.
const maskSlack = 128

// statement hashes what a proof is about (Fiat-Shamir). Each item is a label and a
// value, both behind their lengths, so that no two lists of items make the same
// bytes; the first says which proof it is.
type statement struct {
	h hash.Hash
}

func newStatement(proof string, c Context) *statement {
	s := &statement{sha256.New()}
	s.bytes("chancery paillier proof v1", []byte(proof))
	s.bytes("channel", []byte(c.Channel))
	s.count("epoch", c.Epoch)
	s.bytes("job", []byte(c.Job))
	s.bytes("department", []byte(c.Department))
	return s
}

// bytes adds an item: the label's length (1 byte), the label, the value's length
// (8 bytes), the value.
func (s *statement) bytes(label string, value []byte) {
	b := append([]byte{byte(len(label))}, label...)
	s.h.Write(binary.BigEndian.AppendUint64(b, uint64(len(value))))
	s.h.Write(value)
}

// count adds a number as 8 bytes.
func (s *statement) count(label string, v uint64) {
	s.bytes(label, binary.BigEndian.AppendUint64(nil, v))
}

// number adds v, at least 0, as size big-endian bytes.
func (s *statement) number(label string, v *big.Int, size int) {
	s.bytes(label, v.FillBytes(make([]byte, size)))
}

// sum returns the hash of all items.
func (s *statement) sum() []byte { return s.h.Sum(nil) }

// challenge returns the hash of all items as a number.
func (s *statement) challenge() *big.Int { return new(big.Int).SetBytes(s.sum()) }

// publicKey adds the modulus and the form.
func (s *statement) publicKey(pk *PublicKey) {
	s.bytes("form", []byte{byte(pk.form)})
	s.number("n", pk.n, pk.Bits()/8)
}
