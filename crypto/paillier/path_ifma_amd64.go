//go:build amd64 && !purego

package paillier

import (
	"math/big"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd internal/asm && go run . -out ../../kernel_amd64.s -stubs ../../kernel_amd64.go -pkg paillier"

// ifmaPath computes with eight numbers at once in limbs of 52 bits, by AVX-512
// IFMA. R is at least 2^8 times m, which is why digits never need to be reduced
// within the ring: operands below 4m give results below 2m.
type ifmaPath struct{}

const ifmaBlock = 10

func hasIFMA() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512IFMA
}

func (ifmaPath) name() string   { return "avx512ifma" }
func (ifmaPath) lanes() int     { return 8 }
func (ifmaPath) limbBits() uint { return 52 }
func (ifmaPath) window() int    { return 6 }

func (ifmaPath) limbsFor(bits int) int {
	limbs := (bits + 8 + 51) / 52
	return (limbs + ifmaBlock - 1) / ifmaBlock * ifmaBlock
}

func (ifmaPath) prepare(r *ring) {
	// k = R - 1 + excess is a multiple of m: every limb holds 2^52 - 1 and a
	// limb of the excess, so that subtracting q's limbs borrows nothing.
	excess := new(big.Int).Mod(r.radix(1), r.m)
	excess.Sub(r.m, excess).Add(excess, one)
	r.k = make([]uint64, r.half)
	r.broadcast(r.k, excess)
	for i := range r.k {
		r.k[i] += 1<<52 - 1
	}
	modulus := new(big.Int).Lsh(one, 52)
	inv := new(big.Int).ModInverse(r.m, modulus)
	r.zero = make([]uint64, r.half)
	r.inv = make([]uint64, 8)
	for i := range r.inv {
		r.inv[i] = 1<<52 - inv.Uint64()
	}
}

func (r *ring) blocks() uint64 { return uint64(r.limbs / ifmaBlock) }

// reduce leaves t/R in t's upper half, open, and sets u to k - q.
func (ifmaPath) reduce(r *ring, u, t []uint64) {
	ifmaReduce(&u[0], &t[0], &r.n[0], &r.k[0], &r.inv[0], r.blocks())
}

// carry sets z's digits to the upper halves of low and high. It comes last, when
// operands that z may be are no longer needed.
func (ifmaPath) carry(r *ring, z, low, high []uint64) {
	h := r.half
	ifmaCarry(&z[0], &low[h], &z[h], &high[h], r.blocks())
}

// mulTo sets t to a·b + low, low a digit that may be in t.
func (ifmaPath) mulTo(r *ring, t, a, b, low []uint64) {
	ifmaMul(&t[0], &a[0], &b[0], &low[0], r.blocks())
}

func (p ifmaPath) mul(r *ring, z, a, b []uint64, s *scratch) {
	h := r.half
	p.mulTo(r, s.t, a, b, r.zero)
	p.reduce(r, s.u, s.t)
	p.mulTo(r, s.u, a, b[h:], s.u)
	ifmaMulAcc(&s.u[0], &a[h], &b[0], r.blocks())
	p.reduce(r, s.v, s.u)
	p.carry(r, z, s.t, s.u)
}

func (p ifmaPath) sqr(r *ring, z, a []uint64, s *scratch) {
	ifmaSquare(&s.t[0], &a[0], &r.zero[0], r.blocks())
	ifmaTwice(&s.r[0], &a[r.half], r.blocks())
	p.reduce(r, s.u, s.t)
	p.mulTo(r, s.u, a, s.r, s.u)
	p.reduce(r, s.v, s.u)
	p.carry(r, z, s.t, s.u)
}

func (p ifmaPath) mulDigit(r *ring, z, a, d []uint64, s *scratch) {
	p.mulTo(r, s.t, a, d, r.zero)
	p.reduce(r, s.u, s.t)
	p.mulTo(r, s.u, a[r.half:], d, s.u)
	p.reduce(r, s.v, s.u)
	p.carry(r, z, s.t, s.u)
}

func (p ifmaPath) dot(r *ring, z, a, b, c, d []uint64, s *scratch) {
	h := r.half
	p.mulTo(r, s.t, a, b, r.zero)
	ifmaMulAcc(&s.t[0], &c[0], &d[0], r.blocks())
	p.reduce(r, s.u, s.t)
	ifmaCarry(&z[0], &s.t[h], &z[0], &s.t[h], r.blocks())
}

func (p ifmaPath) redc(r *ring, z, lo, hi []uint64, s *scratch) {
	h := r.half
	n := copy(s.t[:2*h], lo)
	clear(s.t[n : 2*h])
	p.reduce(r, s.u, s.t)
	clear(s.u[h : 2*h])
	for i, v := range hi {
		s.u[i] += v
	}
	p.reduce(r, s.v, s.u)
	p.carry(r, z, s.t, s.u)
}

// settle: both digits are below 2m, the high one with a carry from the low one
// too.
func (ifmaPath) settle(r *ring, z []uint64) {
	low, high := z[:r.half], z[r.half:]
	for lane := range 8 {
		bit := subtractIf(low, r.n, lane)
		for i := lane; i < len(high); i += 8 {
			v := high[i] + bit
			bit = v >> 52
			high[i] = v & (1<<52 - 1)
		}
		subtractIf(high, r.n, lane)
	}
}

// subtractIf subtracts n from one lane of a digit that is n or more, and returns
// 1 if it did. It takes the same time either way.
func subtractIf(d, n []uint64, lane int) uint64 {
	borrow := uint64(0)
	for i := lane; i < len(d); i += 8 {
		borrow = (d[i] - n[i] - borrow) >> 63
	}
	take := borrow - 1 // all ones if d ≥ n
	borrow = 0
	for i := lane; i < len(d); i += 8 {
		v := d[i] - n[i]&take - borrow
		borrow = v >> 63
		d[i] = v & (1<<52 - 1)
	}
	return take & 1
}

func (ifmaPath) add(r *ring, z, a, b []uint64) {
	for _, at := range []int{0, r.half} {
		z, a, b := z[at:at+r.half], a[at:at+r.half], b[at:at+r.half]
		var carry [8]uint64
		for i := 0; i+8 <= len(z); i += 8 {
			z, a, b := z[i:i+8], a[i:i+8], b[i:i+8]
			for l := range carry {
				v := a[l] + b[l] + carry[l]
				carry[l] = v >> 52
				z[l] = v & (1<<52 - 1)
			}
		}
	}
}

func (ifmaPath) product(t, a, b []uint64) {
	ifmaMul(&t[0], &a[0], &b[0], &t[0], uint64(len(a)/(8*ifmaBlock)))
}

func (ifmaPath) lookup(z, table, index []uint64) {
	ifmaLookup(&z[0], &table[0], &index[0], uint64(len(z)/8))
}

func (ifmaPath) place(table, x []uint64, entries, i int) {
	const group = ifmaBlock * 8
	for g := 0; g*group < len(x); g++ {
		copy(table[(g*entries+i)*group:], x[g*group:(g+1)*group])
	}
}

func (ifmaPath) scan(z, table []uint64, entries int, index uint64) {
	ifmaScan(&z[0], &table[0], uint64(entries), uint64(len(z)/(8*ifmaBlock)), index)
}
