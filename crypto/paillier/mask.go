package paillier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
)

// masks is where proofs take the randomness that hides their secrets: SHA-256 in
// counter mode under a key made from the secret, the statement and 32 fresh bytes.
// A source of randomness that repeats itself then repeats a mask only for the same
// statement, where it does no harm.
type masks struct {
	key     [sha256.Size]byte
	counter uint64
	rest    []byte
}

func newMasks(random io.Reader, secret, statement []byte) (*masks, error) {
	var fresh [32]byte
	if _, err := io.ReadFull(source(random), fresh[:]); err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("paillier proof masks v1\x00"))
	mac.Write(statement)
	mac.Write(fresh[:])
	m := new(masks)
	mac.Sum(m.key[:0])
	return m, nil
}

// Read fills b. It never fails.
func (m *masks) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		if len(m.rest) == 0 {
			block := sha256.Sum256(binary.BigEndian.AppendUint64(append([]byte(nil), m.key[:]...), m.counter))
			m.counter++
			m.rest = block[:]
		}
		k := copy(b[n:], m.rest)
		n, m.rest = n+k, m.rest[k:]
	}
	return len(b), nil
}

// words draws a number of count bits, as little-endian words with one to spare.
func (m *masks) words(count int) []uint64 {
	w := make([]uint64, count/64+2)
	b := make([]byte, 8*len(w))
	_, _ = m.Read(b)
	wordsFromBytes(w, b)
	w[count/64] &= 1<<(count%64) - 1
	w[count/64+1] = 0
	return w
}

// bits draws a number of count bits.
func (m *masks) bits(count int) *big.Int { return intOf(m.words(count)) }

// below draws a number in [0, v), uniform to within 2^-128.
func (m *masks) below(v *big.Int) *big.Int {
	x, _ := drawBelow(m, v)
	return x
}

// unit draws a number in [1, n) that is coprime to n but for odds below 2^-1000.
func (m *masks) unit(n *big.Int) *big.Int {
	for {
		if x := m.below(n); x.Sign() != 0 {
			return x
		}
	}
}
