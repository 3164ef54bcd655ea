package paillier

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/bits"
)

// MaxWeight is the largest |weight| after division by the weights' gcd.
const MaxWeight = 255

// Layout is what contributors, the contract and the receiver must agree on to
// compute a weighted sum over vectors of signed fixed-point numbers, many to a
// plaintext. Its JSON is its description; NewPacking checks it.
type Layout struct {
	// Bits is the length of the modulus.
	Bits int `json:"bits"`
	// Scale is the number of decimal digits after the point, 0 to 18: the
	// integer v stands for v/10^Scale.
	Scale int `json:"scale"`
	// ValueBits bounds the integers: -2^(ValueBits-1) ≤ v < 2^(ValueBits-1);
	// 1 to 62.
	ValueBits int `json:"valueBits"`
	// Weights has one weight for each addend, not all 0, each at most
	// MaxWeight in magnitude after division by their gcd.
	Weights []int64 `json:"weights"`
}

// Packing lays vectors out in plaintexts. Each slot has
//
//	ValueBits + ⌈log₂ Σ|weight/gcd|⌉ + 1
//
// bits, and a plaintext has ⌊(Bits-1)/slot bits⌋ slots, slot 0 lowest. A value v
// is encoded as v + 2^(ValueBits-1). The evaluation adds Offset, which is public,
// for the negative weights, so that no slot of the weighted sum goes below 0 or
// reaches its neighbour, whatever the values are. A Packing is immutable and may
// be used by any number of goroutines at once.
type Packing struct {
	layout   Layout
	gcd      int64
	reduced  []int64 // weights / gcd
	sum      int64   // Σ reduced
	negative int64   // Σ|reduced| over the negative ones
	slotBits int
	slots    int
}

// NewPacking checks a layout. Errors: ErrLayout.
func NewPacking(l Layout) (*Packing, error) {
	if l.Bits < MinBits || l.Bits > MaxBits || l.Bits%64 != 0 || l.Scale < 0 || l.Scale > 18 ||
		l.ValueBits < 1 || l.ValueBits > 62 || len(l.Weights) == 0 || len(l.Weights) > 1<<24 {
		return nil, fmt.Errorf("%w: out of range", ErrLayout)
	}
	p := &Packing{layout: l}
	p.layout.Weights = append([]int64(nil), l.Weights...)
	for _, w := range l.Weights {
		p.gcd = int64(gcd(uint64(p.gcd), magnitude(w)))
	}
	if p.gcd <= 0 {
		return nil, fmt.Errorf("%w: weights are all 0", ErrLayout)
	}
	var total int64
	for i, w := range l.Weights {
		w /= p.gcd
		if magnitude(w) > MaxWeight {
			return nil, fmt.Errorf("%w: weight %d is %d times the gcd, above %d", ErrLayout, i, w, MaxWeight)
		}
		p.reduced = append(p.reduced, w)
		p.sum += w
		total += int64(magnitude(w))
		if w < 0 {
			p.negative -= w
		}
	}
	p.slotBits = l.ValueBits + bits.Len64(uint64(total-1)) + 1
	if grown := p.slotBits + bits.Len64(uint64(p.gcd)); p.slotBits > 63 || grown > 64 {
		return nil, fmt.Errorf("%w: %d bits for a result, the bound is 63", ErrLayout, max(p.slotBits, grown-1))
	}
	p.slots = (l.Bits - 1) / p.slotBits
	return p, nil
}

func magnitude(w int64) uint64 {
	if w < 0 {
		return -uint64(w)
	}
	return uint64(w)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Layout returns a copy of the layout.
func (p *Packing) Layout() Layout {
	l := p.layout
	l.Weights = append([]int64(nil), l.Weights...)
	return l
}

// MarshalJSON writes the layout.
func (p *Packing) MarshalJSON() ([]byte, error) { return json.Marshal(p.layout) }

// SlotBits returns the width of a slot in bits.
func (p *Packing) SlotBits() int { return p.slotBits }

// Slots returns the number of slots in a plaintext.
func (p *Packing) Slots() int { return p.slots }

// Plaintexts returns how many plaintexts a vector of n values takes.
func (p *Packing) Plaintexts(n int) int { return (n + p.slots - 1) / p.slots }

// Range returns the least and the greatest value, as scaled integers.
func (p *Packing) Range() (least, greatest int64) {
	half := int64(1) << (p.layout.ValueBits - 1)
	return -half, half - 1
}

// Weights returns the weights divided by their gcd: the ones to evaluate with.
func (p *Packing) Weights() []int64 { return append([]int64(nil), p.reduced...) }

// Pack encodes values into Plaintexts(len(values)) plaintexts, appended to dst.
// Unused slots hold the encoding of 0. Errors: ErrOverflow, naming the index.
func (p *Packing) Pack(dst []*big.Int, values []int64) ([]*big.Int, error) {
	least, greatest := p.Range()
	for i, v := range values {
		if v < least || v > greatest {
			return dst, fmt.Errorf("%w: value %d is outside [%d, %d]", ErrOverflow, i, least, greatest)
		}
	}
	for len(values) > 0 {
		n := min(len(values), p.slots)
		dst = append(dst, p.fill(func(i int) uint64 {
			if i < n {
				return uint64(values[i] - least)
			}
			return uint64(-least)
		}))
		values = values[n:]
	}
	return dst, nil
}

// Offset returns the plaintext that Evaluate adds: in each slot
// 2^ValueBits · Σ|negative weight/gcd|.
func (p *Packing) Offset() *big.Int {
	off := uint64(p.negative) << p.layout.ValueBits
	return p.fill(func(int) uint64 { return off })
}

// fill makes a plaintext of its slots' contents.
func (p *Packing) fill(slot func(i int) uint64) *big.Int {
	w := make([]uint64, (p.layout.Bits+63)/64)
	for i := range p.slots {
		at, v := i*p.slotBits, slot(i)
		w[at/64] |= v << (at % 64)
		if at%64+p.slotBits > 64 {
			w[at/64+1] |= v >> (64 - at%64)
		}
	}
	return intOf(w)
}

// Evaluate returns the encrypted weighted sum of one plaintext's worth of each
// addend, with the offset: LinearCombination, then AddPlain. It draws no
// randomness. Errors: ErrLength, ErrLayout if the key's length is not the
// layout's, and the operations'.
func (p *Packing) Evaluate(pk *PublicKey, addends []*Ciphertext) (*Ciphertext, error) {
	if pk.Bits() != p.layout.Bits {
		return nil, fmt.Errorf("%w: key of %d bits, layout of %d", ErrLayout, pk.Bits(), p.layout.Bits)
	}
	c, err := pk.LinearCombination(addends, p.reduced)
	if err != nil || p.negative == 0 {
		return c, err
	}
	return pk.AddPlain(c, p.Offset())
}

// Unpack decodes n values of a weighted sum from the plaintexts that Evaluate's
// results decrypt to. The results are exact, to be read with the layout's Scale.
// Errors: ErrLength, ErrPlaintextRange, and ErrOverflow if a slot holds what no
// values within the range could have summed to.
func (p *Packing) Unpack(plaintexts []*big.Int, n int) ([]int64, error) {
	if n < 0 || len(plaintexts) != p.Plaintexts(n) {
		return nil, fmt.Errorf("%w: %d plaintexts for %d values", ErrLength, len(plaintexts), n)
	}
	least, greatest := p.Range()
	positive := p.sum + p.negative
	shift := p.negative<<p.layout.ValueBits - least*p.sum // encoding of the sum 0
	low := positive*least - p.negative*greatest
	high := positive*greatest - p.negative*least
	values := make([]int64, 0, n)
	for _, m := range plaintexts {
		if m == nil || m.Sign() < 0 || m.BitLen() > p.slots*p.slotBits {
			return nil, fmt.Errorf("%w: %w", ErrOverflow, ErrPlaintextRange)
		}
		w := wordsOf(m, (p.layout.Bits+63)/64+1)
		for i := 0; i < p.slots; i++ {
			at := i * p.slotBits
			v := w[at/64] >> (at % 64)
			if at%64 != 0 {
				v |= w[at/64+1] << (64 - at%64)
			}
			s := int64(v&(1<<p.slotBits-1)) - shift
			if s < low || s > high {
				return nil, fmt.Errorf("%w: slot %d of a result", ErrOverflow, i)
			}
			if len(values) < n {
				values = append(values, s*p.gcd)
			}
		}
	}
	return values, nil
}
