package paillier

import (
	"context"
	"math/big"
)

// Open returns the plaintext of c, in [0, n), and its randomness: the one r in
// (0, n) with c = (1 + m·n)·r^n mod n². Whoever is shown both checks them by
// [PublicKey.EncryptWith], without trust in the key's owner. They tell all that
// there is to know of c, and nothing of other ciphertexts. What Decrypt says of
// oracles holds here too. Errors: Check's.
func (sk *PrivateKey) Open(c *Ciphertext) (m, r *big.Int, err error) {
	ms, rs, err := sk.OpenBatch(context.Background(), []*Ciphertext{c})
	if err != nil {
		return nil, nil, err
	}
	return ms[0], rs[0], nil
}

// OpenBatch is Open for each of c, in their order. Errors: Check's, the context's.
func (sk *PrivateKey) OpenBatch(ctx context.Context, c []*Ciphertext) (m, r []*big.Int, err error) {
	m, r = make([]*big.Int, len(c)), make([]*big.Int, len(c))
	for i := range c {
		m[i], r[i] = new(big.Int), new(big.Int)
	}
	if err := sk.DecryptBatch(ctx, m, c); err != nil {
		return nil, nil, err
	}
	opening := sk.newOpening()
	t := newTask(opening.step, &sk.PublicKey)
	t.sk = sk
	t.a, t.m = c, r
	if err := t.run(ctx, len(c), sk.owner().half[0].r.path.lanes()); err != nil {
		return nil, nil, err
	}
	return m, r, nil
}

// opening is what takes a ciphertext to its randomness: modulo p, c is r^n, and
// r is c^(n^-1 mod p-1); likewise modulo q. No prime factor of n divides p-1 or
// q-1, since p and q are equally long, so that the inverses are there.
type opening struct {
	digits [2][]byte // of the exponents
	pinv   []uint64  // p^-1 modulo q, an element of q's ring
}

func (sk *PrivateKey) newOpening() *opening {
	o := &opening{pinv: sk.owner().half[1].r.element(sk.pinv)}
	for i, prime := range []*big.Int{sk.p, sk.q} {
		order := new(big.Int).Sub(prime, one)
		o.digits[i] = secretDigits(new(big.Int).ModInverse(sk.n, order))
	}
	return o
}

// step takes one lane's worth of ciphertexts: r = r_p + p·((r_q - r_p)·p^-1 mod q).
func (o *opening) step(t *task, lo, hi int) error {
	own := t.sk.owner()
	w := own.take()
	defer own.give(w)
	p, q := w.half[0], w.half[1]
	rp, rq := own.half[0].r, own.half[1].r
	for i, h := range own.half {
		x, r := w.half[i], h.r
		h.loadCiphertexts(x, t.a[lo:hi], own.words)
		r.powSecret(x.y, x.x, o.digits[i], x.table, x.s)
		r.leave(x.y, x.y, x.s)
		clear(x.y[r.half:]) // modulo the prime, where it was modulo its square
	}
	rq.mul(q.y, q.y, o.pinv, q.s)
	rq.path.settle(rq, q.y)
	words := w.words[:own.words/2+1]
	clear(q.x)
	for l := range rp.path.lanes() {
		rp.store(words, p.y[:rp.half], l)
		rq.load(q.x[:rq.half], l, words)
	}
	rq.mul(q.x, q.x, own.half[1].cross, q.s)
	rq.path.add(rq, q.y, q.y, q.x)
	rq.path.settle(rq, q.y)
	rq.path.settle(rq, q.y)
	for l, r := range t.m[lo:hi] {
		rq.store(words, q.y[:rq.half], l)
		setWords(&w.a, words, w.buf)
		rp.store(words, p.y[:rp.half], l)
		setWords(&w.b, words, w.buf)
		r.Mul(&w.a, t.sk.p)
		r.Add(r, &w.b)
	}
	return nil
}
