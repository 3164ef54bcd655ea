package paillier

import "math/big"

// fermat is the power x^(m-1) modulo m², m a secret prime, of which decryption
// wants the high digit. Windows multiply by the low digit t of a power of x alone:
// x^i = t·(1 + μ·m), so that only 1 + μ·m is left out, and all that was left out is
// made good by one sum at the end, 1 + Σ weight[i]·μ[i]·m. That saves a fifth of each
// window's product and half of each look at the table.
//
// The sum's denominators are powers of x, and x^(m-1) = 1 modulo m gives the
// inverse of one on the way: with m - 1 = 32·high + 32 + last, x^(32·high) is
// x^-(32+last).
type fermat struct {
	high    []byte   // digits of high
	last    byte     // below 32
	weights []uint64 // weight[i]·R modulo m, a digit for each window digit i
}

const fermatEntries = 1 << secretWindow

func newFermat(r *ring) *fermat {
	e := new(big.Int).Sub(r.m, one)
	low := new(big.Int).And(e, big.NewInt(fermatEntries-1))
	high := new(big.Int).Rsh(e, secretWindow)
	f := &fermat{high: secretDigits(high.Sub(high, one)), last: byte(low.Uint64())}
	var weights [fermatEntries]big.Int
	for i, d := range f.high {
		unit := new(big.Int).Lsh(one, uint(secretWindow*(len(f.high)-i)))
		weights[d].Add(&weights[d], unit)
	}
	for _, d := range []byte{f.last, fermatEntries - 1, 1} {
		weights[d].Add(&weights[d], one)
	}
	f.weights = make([]uint64, fermatEntries*r.half)
	for i := range weights {
		v := weights[i].Mul(&weights[i], r.radix(1))
		r.broadcast(f.weights[i*r.half:(i+1)*r.half], v.Mod(v, r.m))
	}
	return f
}

// raise sets z to x^(m-1) in every lane, by a sequence of operations and memory
// accesses that does not depend on m's value. z and sum are elements, table has
// room for 32 digits.
func (f *fermat) raise(r *ring, z, x, sum, table []uint64, s *scratch) {
	h := r.half
	table = table[:fermatEntries*h]
	clear(sum)
	copy(z, r.one)
	for i := range fermatEntries {
		r.path.place(table, z[:h], fermatEntries, i)
		r.path.dot(r, sum[h:], sum[h:], x[:h], z[h:], f.weights[i*h:(i+1)*h], s)
		if i+1 < fermatEntries {
			r.mul(z, z, x, s)
		}
	}
	entry := s.x[:h]
	look := func(d byte) { r.path.scan(entry, table, fermatEntries, uint64(d)) }
	look(f.high[0])
	copy(z, entry)
	clear(z[h:])
	for _, d := range f.high[1:] {
		for range secretWindow {
			r.sqr(z, z, s)
		}
		look(d)
		r.path.mulDigit(r, z, z, entry, s)
	}
	for range secretWindow {
		r.sqr(z, z, s)
	}
	// sum is Σ weight[i]·high(x^i)·x^(31-i): times x^-31 it is z's missing part.
	zero := s.x[h:]
	clear(zero)
	times := func(b []uint64) { r.path.dot(r, sum[h:], sum[h:], b, zero, zero, s) }
	times(z[:h])
	for _, d := range []byte{f.last, 1, fermatEntries - 1} {
		look(d)
		if d != fermatEntries-1 {
			times(entry)
		}
		r.path.mulDigit(r, z, z, entry, s)
	}
	r.path.add(r, z, z, sum)
}
