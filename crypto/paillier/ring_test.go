package paillier

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// allPaths are the paths that should be tested on amd64; TestPathsPresent says
// which of them this machine lacks.
var allPaths = []string{"avx512ifma", "adx", "go"}

func TestPathsPresent(t *testing.T) {
	var names []string
	for _, p := range paths() {
		names = append(names, p.name())
	}
	for _, want := range allPaths {
		if !slices.Contains(names, want) {
			t.Logf("ATTENTION: THIS MACHINE HAS NO PATH %q: ITS KERNELS ARE NOT TESTED HERE", want)
			fmt.Printf("ATTENTION: THIS MACHINE HAS NO PATH %q: ITS KERNELS ARE NOT TESTED HERE\n", want)
		}
	}
	if !slices.Contains(names, "go") {
		t.Fatal(names)
	}
}

// value returns what a lane of an element stands for, without R.
func (r *ring) value(z []uint64, lane int) *big.Int {
	v := new(big.Int).Mul(r.digit(z[r.half:], lane), r.m)
	v.Add(v, r.digit(z[:r.half], lane))
	v.Mul(v, new(big.Int).ModInverse(r.radix(1), r.mm))
	return v.Mod(v, r.mm)
}

// digit sums up limbs, carried or not.
func (r *ring) digit(z []uint64, lane int) *big.Int {
	v, lanes := new(big.Int), r.path.lanes()
	for i := len(z)/lanes - 1; i >= 0; i-- {
		v.Lsh(v, r.path.limbBits())
		v.Add(v, new(big.Int).SetUint64(z[i*lanes+lane]))
	}
	return v
}

// edges are numbers below bound that carries go wrong with.
func edges(rng *rand.Rand, m, bound *big.Int) []*big.Int {
	list := []*big.Int{new(big.Int), one, new(big.Int).Sub(m, one), new(big.Int).Set(m), new(big.Int).Add(m, one),
		new(big.Int).Sub(bound, one)}
	for _, bits := range []uint{52, 64} {
		limb := uint(rng.IntN(m.BitLen()/int(bits))) * bits
		v := new(big.Int).Lsh(one, limb)
		list = append(list, new(big.Int).Sub(v, one), v)
		ones := new(big.Int).Lsh(one, uint(m.BitLen())-1)
		list = append(list, ones.Sub(ones, one), new(big.Int).Sub(m, v))
	}
	for range 6 {
		list = append(list, randBelow(rng, bound))
	}
	return slices.DeleteFunc(list, func(v *big.Int) bool { return v.Cmp(bound) >= 0 || v.Sign() < 0 })
}

func randBelow(rng *rand.Rand, bound *big.Int) *big.Int {
	b := make([]byte, (bound.BitLen()+7)/8+8)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	v := new(big.Int).SetBytes(b)
	return v.Mod(v, bound)
}

func oddModulus(rng *rand.Rand, bits int, style int) *big.Int {
	m := randBelow(rng, new(big.Int).Lsh(one, uint(bits)))
	switch style {
	case 1: // as large as can be
		m.Sub(new(big.Int).Lsh(one, uint(bits)), one)
	case 2: // as small as can be
		m.Lsh(one, uint(bits)-1)
	}
	return m.SetBit(m.SetBit(m, bits-1, 1), 0, 1)
}

// widths are the lengths of n from 2048 to 4096 bits and of their primes.
var widths = []int{1024, 1056, 1280, 1536, 1568, 2048, 2112, 2560, 3072, 3136, 3584, 4032, 4096}

func TestRingAgainstBig(t *testing.T) {
	for _, p := range paths() {
		for _, bits := range widths {
			for style := range 3 {
				t.Run(fmt.Sprintf("%s/%d/%d", p.name(), bits, style), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(bits), uint64(style)))
					checkRing(t, newRing(p, oddModulus(rng, bits, style)), rng, 6)
				})
			}
		}
	}
}

// checkRing compares every operation with math/big on random and edge digits.
func checkRing(t testing.TB, r *ring, rng *rand.Rand, rounds int) {
	t.Helper()
	s := r.newScratch()
	lanes := r.path.lanes()
	bound := r.m
	if lanes > 1 { // digits may exceed m
		bound = new(big.Int).Lsh(r.m, 2)
	}
	element := func() []uint64 {
		z := make([]uint64, r.size)
		for lane := range lanes {
			low, high := edges(rng, r.m, bound), edges(rng, r.m, bound)
			r.putLane(z[:r.half], lane, low[rng.IntN(len(low))])
			r.putLane(z[r.half:], lane, high[rng.IntN(len(high))])
		}
		return z
	}
	rinv := new(big.Int).ModInverse(r.radix(1), r.mm)
	same := func(what string, got, want *big.Int) {
		t.Helper()
		if want.Mod(want, r.mm); got.Cmp(want) != 0 {
			t.Fatalf("%s: %s at %d bits: got %x, want %x", what, r.path.name(), r.m.BitLen(), got, want)
		}
	}
	for range rounds {
		a, b, z := element(), element(), make([]uint64, r.size)
		keepA := slices.Clone(a)
		r.mul(z, a, b, s)
		for l := range lanes {
			same("mul", r.value(z, l), new(big.Int).Mul(r.value(a, l), r.value(b, l)))
		}
		if lanes > 1 && (r.digit(z[:r.half], 0).Cmp(new(big.Int).Lsh(r.m, 1)) >= 0) {
			t.Fatal("a digit is above 2m")
		}
		r.sqr(z, a, s)
		for l := range lanes {
			same("sqr", r.value(z, l), new(big.Int).Mul(r.value(a, l), r.value(a, l)))
		}
		r.sqr(a, a, s)
		if !slices.Equal(a, z) {
			t.Fatal("sqr in place differs")
		}
		copy(a, keepA)
		r.mul(z, a, b, s)
		r.mul(b, a, b, s)
		if !slices.Equal(b, z) {
			t.Fatal("mul in place differs")
		}
		r.leave(z, a, s)
		for l := range lanes {
			v := new(big.Int).Mul(r.digit(z[r.half:], l), r.m)
			if r.digit(z[:r.half], l).Cmp(r.m) >= 0 || r.digit(z[r.half:], l).Cmp(r.m) >= 0 {
				t.Fatal("leave does not reduce")
			}
			same("leave", v.Add(v, r.digit(z[:r.half], l)), r.value(a, l))
		}
		joined := make([]uint64, r.size)
		r.join(joined, z)
		words := make([]uint64, (2*r.m.BitLen()+63)/64)
		wide := make([]uint64, r.size)
		for l := range lanes {
			r.store(words, joined, l)
			same("join", intOf(words), r.value(a, l))
			r.load(wide, l, words)
		}
		r.enter(z, wide, s)
		for l := range lanes {
			same("enter", r.value(z, l), r.value(a, l))
		}
		r.mul(a, keepA, keepA, s)
		r.mul(b, a, keepA, s)
		r.path.add(r, z, a, b)
		for l := range lanes {
			same("add", r.value(z, l), new(big.Int).Add(r.value(a, l), r.value(b, l)))
		}
		limit := new(big.Int).Lsh(r.m, 3)
		limit.Mul(limit, r.m)
		if limit.BitLen() > int(r.path.limbBits())*2*r.limbs {
			continue
		}
		values := make([]*big.Int, lanes)
		for l := range lanes {
			e := edges(rng, r.m, limit)
			values[l] = e[rng.IntN(len(e))]
			r.putLane(wide, l, values[l])
		}
		r.path.redc(r, z, wide, a[r.half:], s)
		for l := range lanes {
			v := new(big.Int).Mul(r.digit(a[r.half:], l), r.m)
			v.Add(v, values[l]).Mul(v, rinv)
			got := new(big.Int).Mul(r.digit(z[r.half:], l), r.m)
			got.Add(got, r.digit(z[:r.half], l))
			same("redc", got.Mod(got, r.mm), v)
		}
	}
}

func TestTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range paths() {
		lanes, vectors := p.lanes(), 120
		table := make([]uint64, vectors<<p.window())
		for i := range table {
			table[i] = rng.Uint64()
		}
		z, index := make([]uint64, vectors*lanes), make([]uint64, lanes)
		for i := range 1 << p.window() {
			for l := range index {
				index[l] = uint64(i+l*7) % (1 << p.window())
			}
			p.lookup(z, table, index)
			for j, v := range z {
				if v != table[uint64(j/lanes)<<p.window()+index[j%lanes]] {
					t.Fatalf("%s: lookup %d: word %d", p.name(), i, j)
				}
			}
		}
		const entries = 32
		wide, table := make([]uint64, entries*len(z)), make([]uint64, entries*len(z))
		for i := range wide {
			wide[i] = rng.Uint64()
		}
		for i := range entries {
			p.place(table, wide[i*len(z):(i+1)*len(z)], entries, i)
		}
		for i := range entries {
			p.scan(z, table, entries, uint64(i))
			if !slices.Equal(z, wide[i*len(z):(i+1)*len(z)]) {
				t.Fatalf("%s: scan %d", p.name(), i)
			}
		}
	}
}

func FuzzRing(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(3))
	f.Fuzz(func(t *testing.T, a, b uint64, w uint8) {
		rng := rand.New(rand.NewPCG(a, b))
		for _, p := range paths() {
			bits := widths[int(w)%len(widths)]
			checkRing(t, newRing(p, oddModulus(rng, bits, int(a%4))), rng, 1)
		}
	})
}

func BenchmarkRing(b *testing.B) {
	for _, p := range paths() {
		for _, bits := range []int{1024, 1536, 2048, 3072, 4096} {
			rng := rand.New(rand.NewPCG(1, 1))
			r := newRing(p, oddModulus(rng, bits, 0))
			s, x, z := r.newScratch(), r.element(randBelow(rng, r.mm)), make([]uint64, r.size)
			report := func(b *testing.B) {
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*p.lanes()), "ns/product")
			}
			b.Run(fmt.Sprintf("mul/%s/%d", p.name(), bits), func(b *testing.B) {
				for range b.N {
					r.mul(z, x, x, s)
				}
				report(b)
			})
			b.Run(fmt.Sprintf("sqr/%s/%d", p.name(), bits), func(b *testing.B) {
				for range b.N {
					r.sqr(z, x, s)
				}
				report(b)
			})
		}
	}
	for _, bits := range []int{2048, 3072} {
		rng := rand.New(rand.NewPCG(1, 1))
		m := oddModulus(rng, bits, 0)
		mm := new(big.Int).Mul(m, m)
		x, y, z := randBelow(rng, mm), randBelow(rng, mm), new(big.Int)
		b.Run(fmt.Sprintf("mul/big/%d", bits), func(b *testing.B) {
			for range b.N {
				z.Mul(x, y)
				z.Rem(z, mm)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/product")
		})
	}
}
