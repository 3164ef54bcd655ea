package paillier

import (
	"math/big"
	"math/bits"
)

// wordPath computes with one number at a time in 64-bit words, in rows of four
// words. Digits are always below m, so that R need not exceed m by anything.
type wordPath struct {
	title string
	// multiply sets t[0:an+bn] to t[0:bn] + a·b; what was above is lost.
	multiply func(t, a, b []uint64)
	// accumulate adds a·b, equally long, to t[0:2n] and returns the carry.
	accumulate func(t, a, b []uint64) uint64
	// eliminate sets q to -t/n modulo R, adds q·n to t[0:2n] and returns the
	// carry; inv is -1/n modulo 2^256.
	eliminate func(t, q, n, inv []uint64) uint64
}

func (p wordPath) name() string        { return p.title }
func (wordPath) lanes() int            { return 1 }
func (wordPath) limbBits() uint        { return 64 }
func (wordPath) limbsFor(bits int) int { return (bits + 255) / 256 * 4 }
func (wordPath) window() int           { return 4 }

func (wordPath) prepare(r *ring) {
	// k = R + excess is a multiple of m; the excess is kept.
	excess := new(big.Int).Mod(r.radix(1), r.m)
	r.k = make([]uint64, r.half)
	r.broadcast(r.k, excess.Sub(r.m, excess))
	modulus := new(big.Int).Lsh(one, 256)
	inv := new(big.Int).ModInverse(r.m, modulus)
	r.inv = wordsOf(inv.Sub(modulus, inv), 4)
}

func (p wordPath) product(t, a, b []uint64) { p.multiply(t, a, b) }

// reduce sets z to (t + carry·2^(128h))/R + add, less m as often as it fits, up
// to times, and q to -t/m modulo R; it returns how often. It spoils t.
func (p wordPath) reduce(r *ring, z, q, t []uint64, carry, add uint64, times int) uint64 {
	h := r.half
	carry += p.eliminate(t[:2*h], q[:h], r.n, r.inv)
	t = t[h : 2*h]
	carry += addWord(t, add)
	taken := uint64(0)
	for range times {
		taken += subtractIfWords(t, r.n, &carry)
	}
	copy(z[:h], t)
	return taken
}

// subtractIfWords subtracts n from carry, t if that is n or more, in the same
// time either way, and returns 1 if it did.
func subtractIfWords(t, n []uint64, carry *uint64) uint64 {
	n = n[:len(t)]
	borrow := uint64(0)
	for i, v := range t {
		_, borrow = bits.Sub64(v, n[i], borrow)
	}
	nonzero := (*carry | -*carry) >> 63
	take := nonzero | (1 - borrow)
	mask := -take
	borrow = 0
	for i, v := range t {
		t[i], borrow = bits.Sub64(v, n[i]&mask, borrow)
	}
	*carry -= borrow
	return take
}

// begin sets u[0:h] to R + k - q less the word that it returns for u[h].
func (wordPath) begin(r *ring, u, q []uint64) uint64 {
	borrow := uint64(0)
	for i, v := range r.k {
		u[i], borrow = bits.Sub64(v, q[i], borrow)
	}
	return 1 - borrow
}

// addWord adds v to t and returns the carry.
func addWord(t []uint64, v uint64) uint64 {
	for i := range t {
		t[i], v = bits.Add64(t[i], v, 0)
	}
	return v
}

func (p wordPath) mul(r *ring, z, a, b []uint64, s *scratch) {
	h := r.half
	clear(s.t[:h])
	p.multiply(s.t, a[:h], b[:h])
	q := s.u[:h]
	taken := p.reduce(r, s.r, q, s.t, 0, 0, 1)
	top := p.begin(r, s.t, q)
	p.multiply(s.t, a[:h], b[h:2*h])
	carry := addWord(s.t[h:2*h], top)
	carry += p.accumulate(s.t[:2*h], a[h:2*h], b[:h])
	p.reduce(r, z[h:], s.u, s.t, carry, taken, 3)
	copy(z[:h], s.r[:h])
}

func (p wordPath) sqr(r *ring, z, a []uint64, s *scratch) {
	h := r.half
	p.square(s.t, a[:h], s.v)
	low, q := s.u[h:2*h], s.u[:h]
	taken := p.reduce(r, low, q, s.t, 0, 0, 1)
	top := p.begin(r, s.r, q)
	clear(s.t[:h])
	p.multiply(s.t, a[:h], a[h:2*h])
	var out, carry uint64
	for i, v := range s.t[:h] {
		s.t[i], carry = bits.Add64(v<<1|out, s.r[i], carry)
		out = v >> 63
	}
	for i, v := range s.t[h : 2*h] {
		s.t[h+i], carry = bits.Add64(v<<1|out, 0, carry)
		out = v >> 63
	}
	carry += out + addWord(s.t[h:2*h], top)
	copy(z[:h], low)
	p.reduce(r, z[h:], s.u, s.t, carry, taken, 3)
}

// square sets t[0:2h] to a²: products of different blocks once, doubled, and the
// blocks' squares. d is working space.
func (p wordPath) square(t, a, d []uint64) {
	h := len(a)
	clear(t[:2*h])
	for i := 0; i+4 < h; i += 4 {
		p.multiply(t[2*i+4:], a[i:i+4], a[i+4:])
	}
	var out, carry uint64
	for i := 0; i < h; i += 4 {
		clear(d[:4])
		p.multiply(d[:8], a[i:i+4], a[i:i+4])
		t := t[2*i : 2*i+8]
		for j, v := range t {
			t[j], carry = bits.Add64(v<<1|out, d[j], carry)
			out = v >> 63
		}
	}
}

func (p wordPath) mulDigit(r *ring, z, a, d []uint64, s *scratch) {
	h := r.half
	clear(s.t[:h])
	p.multiply(s.t, a[:h], d[:h])
	q := s.u[:h]
	taken := p.reduce(r, s.r, q, s.t, 0, 0, 1)
	top := p.begin(r, s.t, q)
	p.multiply(s.t, a[h:2*h], d[:h])
	carry := addWord(s.t[h:2*h], top)
	p.reduce(r, z[h:], s.u, s.t, carry, taken, 3)
	copy(z[:h], s.r[:h])
}

func (p wordPath) dot(r *ring, z, a, b, c, d []uint64, s *scratch) {
	h := r.half
	clear(s.t[:h])
	p.multiply(s.t, a[:h], b[:h])
	carry := p.accumulate(s.t[:2*h], c[:h], d[:h])
	p.reduce(r, z[:h], s.u, s.t, carry, 0, 2)
}

func (p wordPath) redc(r *ring, z, lo, hi []uint64, s *scratch) {
	h := r.half
	n := copy(s.t[:2*h], lo)
	clear(s.t[n : 2*h])
	q := s.u[:h]
	taken := p.reduce(r, s.r, q, s.t, 0, 0, 17)
	top := p.begin(r, s.t, q)
	clear(s.t[h : 2*h])
	carry := uint64(0)
	for i, v := range hi {
		s.t[i], carry = bits.Add64(s.t[i], v, carry)
	}
	addWord(s.t[h:2*h], top)
	addWord(s.t[h:2*h], carry)
	p.reduce(r, z[h:], s.u, s.t, 0, taken, 2)
	copy(z[:h], s.r[:h])
}

func (wordPath) settle(*ring, []uint64) {}

func (wordPath) add(r *ring, z, a, b []uint64) {
	h := r.half
	bit := uint64(0)
	for _, at := range []int{0, h} {
		z, a, b := z[at:at+h], a[at:at+h], b[at:at+h]
		carry := bit
		for i, v := range a {
			z[i], carry = bits.Add64(v, b[i], carry)
		}
		bit = subtractIfWords(z, r.n, &carry)
		if at == h {
			subtractIfWords(z, r.n, &carry)
		}
	}
}

func (wordPath) lookup(z, table, index []uint64) {
	var mask [16]uint64
	for i := range mask {
		mask[i] = equalMask(uint64(i), index[0])
	}
	for v := range z {
		t, x := table[16*v:16*v+16], uint64(0)
		for i, m := range mask {
			x |= t[i] & m
		}
		z[v] = x
	}
}

func (wordPath) place(table, x []uint64, _, i int) { copy(table[i*len(x):], x) }

func (wordPath) scan(z, table []uint64, entries int, index uint64) {
	clear(z)
	for e := range entries {
		mask := equalMask(uint64(e), index)
		for v, x := range table[e*len(z) : (e+1)*len(z)] {
			z[v] |= x & mask
		}
	}
}

// equalMask returns all ones if a = b, else 0, for values below 2^63.
func equalMask(a, b uint64) uint64 { return ((a ^ b) - 1) >> 63 * ^uint64(0) }
