//go:build gmp && cgo

package paillier

import (
	"math/big"

	"chancery/crypto/paillier/internal/gmp"
)

// inGMP does the same items with GMP (libgmp-dev), as inBig does with math/big.
func inGMP(o *operands) map[string]func(i int) {
	sk := o.sk
	z := gmp.New
	n, nn, p, q := z(sk.n), z(sk.nn), z(sk.p), z(sk.q)
	pp, qq := z(new(big.Int).Mul(sk.p, sk.p)), z(new(big.Int).Mul(sk.q, sk.q))
	p1, q1 := z(new(big.Int).Sub(sk.p, one)), z(new(big.Int).Sub(sk.q, one))
	hp, hq, pinv := z(sk.hp), z(sk.hq), z(sk.pinv)
	inv := z(new(big.Int).ModInverse(pp.Int(), qq.Int()))
	r, h, half := z(o.r), z(o.h), z(o.half)
	ep := z(new(big.Int).Rsh(o.r, uint(o.r.BitLen()-sk.p.BitLen()-extraBits)))
	unit := z(one)
	var m, k, a, b []*gmp.Int
	for i := range o.m {
		m, k = append(m, z(o.m[i])), append(k, z(o.k[i]))
		a, b = append(a, z(o.ai[i])), append(b, z(o.bi[i]))
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
	add := func(i int) {
		x.Mul(a[i%benchBatch], b[i%benchBatch])
		x.Mod(x, nn)
	}
	return map[string]func(i int){
		"encrypt r^n": func(i int) { x.Powm(r, n, nn); finish(i) },
		"encrypt DJN": func(i int) { x.Powm(h, half, nn); finish(i) },
		"encrypt owner": func(i int) {
			x.Powm(h, ep, pp)
			y.Powm(h, ep, qq)
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
