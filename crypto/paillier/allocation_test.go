//go:build !race

package paillier

import (
	"context"
	"math/big"
	"testing"
)

// Batch forms allocate nothing once they are warm, on every path: destinations
// keep their memory, keys their workspaces. Negative scalars and weights are not
// among them: math/big's inverse allocates. (The race detector makes sync.Pool
// drop tasks at random, so that this runs without it.)
func TestNoAllocations(t *testing.T) {
	const n = 9
	ctx := context.Background()
	for _, p := range paths() {
		sk := forced(testKey(t, 2048), FormDJN, p)
		pk := sk.Public()
		pk.cache.path = p
		a, b, z := ciphertexts(n), ciphertexts(n), ciphertexts(n)
		m, k, opened := make([]*big.Int, n), make([]*big.Int, n), make([]*big.Int, n)
		for i := range m {
			m[i], k[i], opened[i] = big.NewInt(int64(i)), big.NewInt(int64(i+3)), new(big.Int)
		}
		v, u := pk.NewVector(n), pk.NewVector(n)
		weights, columns := []int64{3, 5}, [][]*Ciphertext{a, b}
		for _, c := range []struct {
			name string
			run  func() error
		}{
			{"owner's encryption", func() error { return sk.EncryptBatch(ctx, nil, a, m) }},
			{"public encryption", func() error { return pk.EncryptBatch(ctx, nil, b, m) }},
			{"owner's rerandomisation", func() error { return sk.RerandomiseBatch(ctx, nil, z, a) }},
			{"public rerandomisation", func() error { return pk.RerandomiseBatch(ctx, nil, z, a) }},
			{"add", func() error { return pk.AddBatch(ctx, z, a, b) }},
			{"add plain", func() error { return pk.AddPlainBatch(ctx, z, a, m) }},
			{"scale", func() error { return pk.MulConstBatch(ctx, z, a, k) }},
			{"linear combination", func() error { return pk.LinearCombinationBatch(ctx, z, columns, weights) }},
			{"decrypt", func() error { return sk.DecryptBatch(ctx, opened, a) }},
			{"load", func() error { return u.Load(ctx, a) }},
			{"load again", func() error { return v.Load(ctx, b) }},
			{"add vectors", func() error { return v.Add(ctx, u) }},
			{"store", func() error { return v.Store(ctx, z) }},
		} {
			t.Run(p.name()+"/"+c.name, func(t *testing.T) {
				if got := allocations(t, c.run); got > 0 {
					t.Errorf("%v allocations for %d ciphertexts", got, n)
				}
			})
		}
	}
}

// allocations is the least of three counts, each of two runs: a garbage
// collection in between empties sync.Pool.
func allocations(t *testing.T, run func() error) float64 {
	t.Helper()
	least := 1e9
	for range 3 {
		least = min(least, testing.AllocsPerRun(2, func() {
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}))
	}
	return least
}
