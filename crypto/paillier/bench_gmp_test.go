//go:build gmp && cgo

package paillier

import (
	"crypto/rand"
	"math/big"
	"testing"

	"chancery/crypto/paillier/internal/gmp"
)

// BenchmarkGenerateKeyGMP makes two primes by mpz_nextprime, one after the other.
func BenchmarkGenerateKeyGMP(b *testing.B) {
	z := gmp.New(one)
	for range b.N {
		for range 2 {
			start, err := rand.Int(rand.Reader, new(big.Int).Lsh(one, 1536))
			if err != nil {
				b.Fatal(err)
			}
			z.NextPrime(gmp.New(start))
		}
	}
}

// inGMP does the same items with GMP (libgmp-dev), as inBig does with math/big.
func inGMP(o *operands) map[string]func(i int) {
	sk := o.sk
	z := gmp.New
	n, nn, p, q := z(sk.n), z(sk.nn), z(sk.p), z(sk.q)
	pp, qq := z(new(big.Int).Mul(sk.p, sk.p)), z(new(big.Int).Mul(sk.q, sk.q))
	p1, q1 := z(new(big.Int).Sub(sk.p, one)), z(new(big.Int).Sub(sk.q, one))
	hp, hq, pinv := z(sk.hp), z(sk.hq), z(sk.pinv)
	inv := z(new(big.Int).ModInverse(pp.Int(), qq.Int()))
	r := z(o.r)
	unit := z(one)
	var m, k, a, b []*gmp.Int
	for i := range o.m {
		m, k = append(m, z(o.m[i])), append(k, z(o.k[i]))
		a, b = append(a, z(o.ai[i])), append(b, z(o.bi[i]))
	}
	var table, short []*gmp.Int
	for _, v := range o.ai {
		table = append(table, z(v))
		short = append(short, z(new(big.Int).Rsh(v, uint(sk.Bits()))))
	}
	x, y, g := z(one), z(one), z(one)
	finish := func(i int) {
		g.Mul(m[i%benchBatch], n)
		g.Add(g, unit)
		g.Mul(g, x)
		g.Mod(g, nn)
	}
	side := func(z, c, m, mm, e, h *gmp.Int) {
		z.Mod(c, mm)
		z.Powm(z, e, mm)
		z.Sub(z, unit)
		z.Div(z, m)
		z.Mul(z, h)
		z.Mod(z, m)
	}
	// comb costs what a comb of 5-bit digits does, a product for each; which
	// residues it multiplies does not matter to the time.
	comb := func(z, modulus *gmp.Int, table []*gmp.Int, bits int) {
		z.Mod(a[0], modulus)
		for i := range bits / 5 {
			z.Mul(z, table[i%len(table)])
			z.Mod(z, modulus)
		}
	}
	add := func(i int) {
		x.Mul(a[i%benchBatch], b[i%benchBatch])
		x.Mod(x, nn)
	}
	return map[string]func(i int){
		"encrypt r^n": func(i int) { x.Powm(r, n, nn); finish(i) },
		"encrypt DJN": func(i int) { comb(x, nn, table, sk.Bits()/2); finish(i) },
		"encrypt owner": func(i int) {
			comb(x, pp, short, sk.Bits()/2+extraBits)
			comb(y, qq, short, sk.Bits()/2+extraBits)
			y.Sub(y, x)
			y.Mul(y, inv)
			y.Mod(y, qq)
			y.Mul(y, pp)
			x.Add(x, y)
			finish(i)
		},
		"add digits":   add,
		"add wire":     add,
		"scale 64-bit": func(i int) { x.Powm(a[i%benchBatch], k[i%benchBatch], nn) },
		"decrypt": func(i int) {
			side(x, a[i%benchBatch], p, pp, p1, hp)
			side(y, a[i%benchBatch], q, qq, q1, hq)
			y.Sub(y, x)
			y.Mul(y, pinv)
			y.Mod(y, q)
			y.Mul(y, p)
			x.Add(x, y)
		},
	}
}
