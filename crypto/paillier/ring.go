package paillier

import "math/big"

// A ring is the integers modulo m², for m = n, p or q, in base-m digits: a number
// is a₀ + a₁·m. With T = a₀b₀, q = -T/m mod R and r = (T + q·m)/R, Montgomery's
// product of two numbers is
//
//	r + m·redc(a₀b₁ + a₁b₀ - q)   modulo m²
//
// because T = r·R - q·m. That is five products of m's length, reductions
// included, where the product of two numbers of twice the length takes eight; a
// square takes three and a half of seven. Digits may exceed m by a little: they
// are brought below m only when a number leaves the ring.
//
// A path computes with lanes numbers at once. An element is 2·limbs·lanes words:
// the limbs of a₀, lowest first, lanes words each, then those of a₁. Elements are
// in Montgomery form, x·R, unless said otherwise. A ring is immutable.
type ring struct {
	path  path
	m, mm *big.Int
	limbs int
	half  int // words of a digit: limbs·lanes
	size  int // words of an element

	n    []uint64 // m in every lane
	k    []uint64 // a multiple of m of R and above, in limbs that q's never exceed
	inv  []uint64 // -1/m: modulo 2^52 in every lane, or modulo 2^256 in words
	zero []uint64 // a digit, 0, for eight lanes
	one  []uint64 // 1
	cube []uint64 // R³, of which element() holds R·R²: takes x/R to x·R
}

// path is one machine's way to compute in a ring. Destinations may be operands.
type path interface {
	// name is the path's name in KernelName and in tests.
	name() string
	// lanes is how many numbers an element holds.
	lanes() int
	// limbBits is the payload of a word.
	limbBits() uint
	// limbsFor is the length of a digit for a modulus of bits bits.
	limbsFor(bits int) int
	// window is the width of a comb's digits in bits.
	window() int
	// prepare fills the ring's constants k, inv and zero.
	prepare(r *ring)
	mul(r *ring, z, a, b []uint64, s *scratch)
	sqr(r *ring, z, a []uint64, s *scratch)
	// mulDigit sets z to a·d, d a digit.
	mulDigit(r *ring, z, a, d []uint64, s *scratch)
	// dot sets z to (a·b + c·d)/R modulo m; all are digits.
	dot(r *ring, z, a, b, c, d []uint64, s *scratch)
	// redc sets z to (lo + hi·m)/R. lo has one or two digits' words, in carried
	// limbs, and is below 16·m·R; hi has one digit's words or none.
	redc(r *ring, z, lo, hi []uint64, s *scratch)
	// settle brings the digits that redc left, of operands below 4m, below m.
	settle(r *ring, z []uint64)
	// add sets z to a + b, digits below 4m of operands below 2m.
	add(r *ring, z, a, b []uint64)
	// product sets t, as long as a and b together, to t's lower half plus a·b;
	// a and b are equally long, a multiple of a digit's words, and carried. What
	// was in the upper half is lost; the limbs of t need carrying.
	product(t, a, b []uint64)
	// lookup sets lane l of vector v of z to table[v<<window + index[l]], in
	// time that does not depend on index.
	lookup(z, table, index []uint64)
	// place makes x entry number i of a table of entries.
	place(table, x []uint64, entries, i int)
	// scan copies entry number index of such a table to z, in time that does not
	// depend on index.
	scan(z, table []uint64, entries int, index uint64)
}

// scratch is the working space of one goroutine in one ring.
type scratch struct {
	t, u, v []uint64 // two digits and a carry
	r       []uint64 // a digit
	x       []uint64 // an element, for lookups
	index   []uint64 // a lookup's indices
}

func (r *ring) newScratch() *scratch {
	extra := 16 * r.path.lanes()
	return &scratch{
		t:     make([]uint64, r.size+extra),
		u:     make([]uint64, r.size+extra),
		v:     make([]uint64, r.size+extra),
		r:     make([]uint64, r.half+extra),
		x:     make([]uint64, r.size),
		index: make([]uint64, r.path.lanes()),
	}
}

func newRing(p path, m *big.Int) *ring {
	r := &ring{path: p, m: m, mm: new(big.Int).Mul(m, m), limbs: p.limbsFor(m.BitLen())}
	r.half = r.limbs * p.lanes()
	r.size = 2 * r.half
	r.n = make([]uint64, r.half)
	r.broadcast(r.n, m)
	p.prepare(r)
	r.one = r.element(one)
	r.cube = r.element(new(big.Int).Mod(r.radix(2), r.mm))
	return r
}

// radix returns R^e.
func (r *ring) radix(e int) *big.Int {
	return new(big.Int).Lsh(one, uint(r.limbs)*r.path.limbBits()*uint(e))
}

// element returns v, in [0, m²), in every lane.
func (r *ring) element(v *big.Int) []uint64 {
	z := make([]uint64, r.size)
	for lane := range r.path.lanes() {
		r.setLane(z, lane, v)
	}
	return z
}

// setLane sets one lane of z to v, in [0, m²). It is for constants: it allocates.
func (r *ring) setLane(z []uint64, lane int, v *big.Int) {
	x := new(big.Int).Mul(v, r.radix(1))
	x.Mod(x, r.mm)
	high, low := new(big.Int).DivMod(x, r.m, new(big.Int))
	r.putLane(z[:r.half], lane, low)
	r.putLane(z[r.half:], lane, high)
}

// broadcast writes v to every lane of z, whatever z's length.
func (r *ring) broadcast(z []uint64, v *big.Int) {
	for lane := range r.path.lanes() {
		r.putLane(z, lane, v)
	}
}

// putLane writes v to one lane of z. It is for constants: it allocates.
func (r *ring) putLane(z []uint64, lane int, v *big.Int) {
	r.load(z, lane, wordsOf(v, (v.BitLen()+63)/64))
}

// load writes words, little-endian, to one lane of z; what lies beyond them is 0.
func (r *ring) load(z []uint64, lane int, words []uint64) {
	lanes, bits := r.path.lanes(), r.path.limbBits()
	mask := uint64(1)<<bits - 1
	for i, at := lane, uint(0); i < len(z); i, at = i+lanes, at+bits {
		word, shift := int(at/64), at%64
		var v uint64
		if word < len(words) {
			v = words[word] >> shift
			if shift != 0 && word+1 < len(words) {
				v |= words[word+1] << (64 - shift)
			}
		}
		z[i] = v & mask
	}
}

// store reads one lane of z, whose limbs need not be carried, into words.
func (r *ring) store(words []uint64, z []uint64, lane int) {
	lanes, bits := r.path.lanes(), r.path.limbBits()
	if bits == 64 {
		copy(words, z)
		clear(words[min(len(words), len(z)):])
		return
	}
	mask := uint64(1)<<bits - 1
	var carry, pending uint64
	have, out := uint(0), 0
	for i := lane; i < len(z) && out < len(words); i += lanes {
		v := z[i] + carry
		carry = v >> bits
		v &= mask
		pending |= v << have
		if have += bits; have >= 64 {
			words[out] = pending
			out++
			have -= 64
			pending = v >> (bits - have)
		}
	}
	for ; out < len(words); out++ {
		words[out], pending = pending, 0
	}
}

func (r *ring) mul(z, a, b []uint64, s *scratch) { r.path.mul(r, z, a, b, s) }
func (r *ring) sqr(z, a []uint64, s *scratch)    { r.path.sqr(r, z, a, s) }

// enter sets z to the numbers of t, two digits' words below 16·m·R.
func (r *ring) enter(z, t []uint64, s *scratch) {
	r.path.redc(r, z, t, nil, s)
	r.mul(z, z, r.cube, s)
}

// leave sets z to digits of a below m, no longer in Montgomery form.
func (r *ring) leave(z, a []uint64, s *scratch) {
	r.path.redc(r, z, a[:r.half], a[r.half:], s)
	r.path.settle(r, z)
}

// join sets t, two digits' words, to a₀ + a₁·m of digits below m; its limbs need
// carrying.
func (r *ring) join(t, a []uint64) {
	copy(t, a[:r.half])
	r.path.product(t[:r.size], a[r.half:r.size], r.n)
}

// loadBinomial sets one lane of an element to 1 + v·m, not in Montgomery form, v
// given as words.
func (r *ring) loadBinomial(z []uint64, lane int, v []uint64) {
	low := z[:r.half]
	for i := lane; i < len(low); i += r.path.lanes() {
		low[i] = 0
	}
	low[lane] = 1
	r.load(z[r.half:], lane, v)
}
