package paillier

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// The power of decryption against math/big: on every path, for each width of a
// key's primes, with lanes at the edges.
func TestFermat(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, bits := range []int{2048, 3072, 4096} {
		sk := testKey(t, bits)
		for _, p := range paths() {
			for _, m := range []*big.Int{sk.p, sk.q} {
				r := newRing(p, m)
				values := []*big.Int{one, new(big.Int).Sub(r.mm, one), new(big.Int).Sub(m, one), new(big.Int).Add(m, one)}
				for range 4 {
					v := randBelow(rng, r.mm)
					if new(big.Int).Mod(v, m).Sign() == 0 {
						v.Add(v, one)
					}
					values = append(values, v)
				}
				checkFermat(t, r, values)
			}
		}
	}
}

func checkFermat(t *testing.T, r *ring, values []*big.Int) {
	t.Helper()
	f, s := newFermat(r), r.newScratch()
	x, z, sum, table := make([]uint64, r.size), make([]uint64, r.size), make([]uint64, r.size), make([]uint64, 32*r.half)
	e := new(big.Int).Sub(r.m, one)
	for lanes := r.path.lanes(); len(values) > 0; values = values[lanes:] {
		for l := range lanes {
			r.setLane(x, l, values[l])
		}
		f.raise(r, z, x, sum, table, s)
		for l := range lanes {
			if want := new(big.Int).Exp(values[l], e, r.mm); r.value(z, l).Cmp(want) != 0 {
				t.Fatalf("%s, %d bits, lane %d: %x^(m-1) is wrong", r.path.name(), r.m.BitLen(), l, values[l])
			}
		}
	}
}
