package paillier

import (
	"context"
	"errors"
	"math/big"
	"testing"
)

// What Open gives makes the ciphertext again, whichever way it came to be, on
// every path.
func TestOpen(t *testing.T) {
	for _, bits := range []int{2048, 3072} {
		k := testKey(t, bits)
		for _, path := range paths() {
			sk := newPrivateKey(k.p, k.q, FormDJN)
			sk.cache.path = path
			t.Run(path.name()+" "+big.NewInt(int64(bits)).String(), func(t *testing.T) { checkOpen(t, sk) })
		}
	}
}

func checkOpen(t *testing.T, sk *PrivateKey) {
	pk := sk.Public()
	var c []*Ciphertext
	var plain, noise []*big.Int // nil where it is not known
	add := func(made *Ciphertext, err error, m, r *big.Int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		c, plain, noise = append(c, made), append(plain, m), append(noise, r)
	}
	top := new(big.Int).Sub(pk.n, one)
	for _, m := range []*big.Int{new(big.Int), one, top, random(t, pk.n)} {
		for _, r := range []*big.Int{big.NewInt(2), top, random(t, pk.n), random(t, sk.p), new(big.Int).Sub(sk.q, one)} {
			made, err := pk.EncryptWith(m, r)
			if r == top { // n-1 to an odd power is -1: the noise is there, and known to everyone
				if err == nil {
					add(made, nil, m, r)
				}
				continue
			}
			add(made, err, m, r)
		}
		made, err := pk.Encrypt(nil, m)
		add(made, err, m, nil)
		made, err = sk.Encrypt(nil, m)
		add(made, err, m, nil)
	}
	sum, err := pk.Add(c[0], c[len(c)-1])
	add(sum, err, nil, nil)
	weighted, err := pk.LinearCombination(c[:4], []int64{3, -200, 1, 255})
	add(weighted, err, nil, nil)

	ms, rs, err := sk.OpenBatch(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c {
		again, err := pk.EncryptWith(ms[i], rs[i])
		if err != nil || !again.Equal(c[i]) {
			t.Fatalf("ciphertext %d is not made again: %v", i, err)
		}
		if plain[i] != nil && ms[i].Cmp(plain[i]) != 0 {
			t.Errorf("ciphertext %d opens to another plaintext", i)
		}
		if noise[i] != nil && rs[i].Cmp(noise[i]) != 0 {
			t.Errorf("ciphertext %d has another randomness than it was made with", i)
		}
	}
	one, r, err := sk.Open(c[3])
	if err != nil || one.Cmp(ms[3]) != 0 || r.Cmp(rs[3]) != 0 {
		t.Errorf("opened alone it is another: %v", err)
	}
}

func TestOpenRefused(t *testing.T) {
	sk := testKey(t, 2048)
	foreign, err := testKey(t, 2560).Encrypt(nil, big.NewInt(5))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := sk.Open(foreign); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("another key's: %v", err)
	}
	if _, _, err := sk.Open(nil); !errors.Is(err, ErrCiphertextRange) {
		t.Errorf("nil: %v", err)
	}
	c, err := sk.Encrypt(nil, big.NewInt(5))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := sk.OpenBatch(ctx, []*Ciphertext{c}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if ms, rs, err := sk.OpenBatch(t.Context(), nil); err != nil || len(ms) != 0 || len(rs) != 0 {
		t.Errorf("nothing: %v, %v, %v", ms, rs, err)
	}
}

// The vector of FACTS, whose numbers are small enough to follow.
func TestOpenToyVector(t *testing.T) {
	n := big.NewInt(1009 * 1013)
	c := big.NewInt(815306460394)
	for _, prime := range []int64{1009, 1013} {
		order := big.NewInt(prime - 1)
		r := new(big.Int).Exp(c, new(big.Int).ModInverse(n, order), big.NewInt(prime))
		if want := big.NewInt(54321 % prime); r.Cmp(want) != 0 {
			t.Errorf("modulo %d the randomness is %v, want %v", prime, r, want)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	sk := testKey(b, 3072)
	c := make([]*Ciphertext, 8)
	for i := range c {
		var err error
		if c[i], err = sk.Encrypt(nil, big.NewInt(int64(i))); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if _, _, err := sk.OpenBatch(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
