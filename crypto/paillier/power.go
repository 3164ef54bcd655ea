package paillier

import (
	"math/big"
	"math/bits"
)

// secretWindow is the width of a secret exponent's digits: a table of 32 powers,
// read whole for each of them.
const secretWindow = 5

// secretDigits splits e into digits, highest first.
func secretDigits(e *big.Int) []byte {
	n := (e.BitLen() + secretWindow - 1) / secretWindow
	digits := make([]byte, n)
	for i := range digits {
		for b := range secretWindow {
			digits[n-1-i] |= byte(e.Bit(i*secretWindow+b)) << b
		}
	}
	return digits
}

// powSecret sets z to x^e in every lane, by a sequence of operations and memory
// accesses that depends on e's length alone. table has room for 32 elements.
func (r *ring) powSecret(z, x []uint64, digits []byte, table []uint64, s *scratch) {
	const entries = 1 << secretWindow
	table = table[:entries*r.size]
	copy(z, r.one)
	r.path.place(table, z, entries, 0)
	copy(z, x)
	for i := 1; i < entries; i++ {
		r.path.place(table, z, entries, i)
		r.mul(z, z, x, s)
	}
	r.path.scan(z, table, entries, uint64(digits[0]))
	for _, d := range digits[1:] {
		for range secretWindow {
			r.sqr(z, z, s)
		}
		r.path.scan(s.x, table, entries, uint64(d))
		r.mul(z, z, s.x, s)
	}
}

// publicWindow is the width of a public exponent's sliding windows.
const publicWindow = 6

// slide is a run of squarings, then a product with x^odd (none if odd is 0).
type slide struct {
	squarings int
	odd       int
}

// slides plans x^e for e > 0 by sliding windows. The first has no squarings.
func slides(e *big.Int) []slide {
	var plan []slide
	squarings := 0
	for i := e.BitLen() - 1; i >= 0; {
		if e.Bit(i) == 0 {
			squarings, i = squarings+1, i-1
			continue
		}
		low := max(i-publicWindow+1, 0)
		for e.Bit(low) == 0 {
			low++
		}
		odd := 0
		for j := i; j >= low; j-- {
			odd = odd<<1 | int(e.Bit(j))
		}
		plan = append(plan, slide{squarings + i - low + 1, odd})
		squarings, i = 0, low-1
	}
	plan[0].squarings = 0
	if squarings > 0 {
		plan = append(plan, slide{squarings, 0})
	}
	return plan
}

// powPublic sets z to x^e in every lane by e's plan: the time depends on e, not on
// x. table has room for 32 elements.
func (r *ring) powPublic(z, x []uint64, plan []slide, table []uint64, s *scratch) {
	entry := func(odd int) []uint64 { return table[odd/2*r.size : (odd/2+1)*r.size] }
	r.sqr(z, x, s)
	copy(entry(1), x)
	for odd := 3; odd < 1<<publicWindow; odd += 2 {
		r.mul(entry(odd), entry(odd-2), z, s)
	}
	for i, step := range plan {
		for range step.squarings {
			r.sqr(z, z, s)
		}
		switch {
		case i == 0:
			copy(z, entry(step.odd))
		case step.odd != 0:
			r.mul(z, z, entry(step.odd), s)
		}
	}
}

// powEach raises each lane of x to a public exponent of its own, given as
// little-endian words: 4-bit windows from the top. table has room for 16
// elements.
func (r *ring) powEach(z, x []uint64, exponents [][]uint64, table []uint64, s *scratch) {
	const window = 4
	lanes, length := r.path.lanes(), 0
	for _, e := range exponents {
		for i, w := range e {
			if w != 0 {
				length = max(length, 64*i+bits.Len64(w))
			}
		}
	}
	copy(table[:r.size], r.one)
	copy(table[r.size:], x)
	for i := 2; i < 1<<min(window, length); i++ {
		r.mul(table[i*r.size:(i+1)*r.size], table[(i-1)*r.size:i*r.size], x, s)
	}
	copy(z, r.one)
	for at := (length+window-1)/window - 1; at >= 0; at-- {
		any := false
		for l := range lanes {
			d := 0
			if l < len(exponents) && at*window/64 < len(exponents[l]) {
				d = int(exponents[l][at*window/64]>>(at*window%64)) & (1<<window - 1)
			}
			any = any || d != 0
			entry := table[d*r.size : (d+1)*r.size]
			for i := l; i < r.size; i += lanes {
				s.x[i] = entry[i]
			}
		}
		if any {
			r.mul(z, z, s.x, s)
		}
		if at > 0 {
			for range window {
				r.sqr(z, z, s)
			}
		}
	}
}
