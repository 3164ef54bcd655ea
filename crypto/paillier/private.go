package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"sync"
)

// owner is what a private key computes with: rings modulo p² and q².
type owner struct {
	half    [2]*half
	squared []uint64 // p² in every lane, two digits' words
	words   int      // words of n

	combOnce [2]sync.Once

	mu   sync.Mutex
	free []*ownerSpace // guarded by mu
}

// half is a prime's share of the work; m is the prime, other the other one.
type half struct {
	r     *ring
	power *fermat  // decryption
	shift []uint64 // takes x/R to x·2^|n|·R
	scale []uint64 // decryption: L's factor; for q also p^-1
	cross []uint64 // decryption, q: -p^-1
	other []uint64 // takes x/R to x·other
	lift  []uint64 // encryption, q: p^-2
	lower []uint64 // encryption, q: takes x/R to -x·p^-2
	comb  *comb
}

// ownerSpace is one goroutine's working space.
type ownerSpace struct {
	half  [2]*workspace
	words []uint64
	buf   []byte
	a, b  big.Int
}

type privateCache struct {
	publicOnce sync.Once
	public     *PublicKey

	ownerOnce sync.Once
	owner     *owner
}

// extraBits makes an exponent modulo the unknown order of a group uniform to
// within 2^-64; spareBits are the length of the second base's exponent.
const (
	extraBits = 64
	spareBits = 128
)

func (sk *PrivateKey) owner() *owner {
	sk.own.ownerOnce.Do(func() { sk.own.owner = sk.newOwner() })
	return sk.own.owner
}

func (sk *PrivateKey) newOwner() *owner {
	o := &owner{words: sk.size}
	primes := [2]*big.Int{sk.p, sk.q}
	for i, m := range primes {
		r := newRing(sk.path(), m)
		h := &half{r: r, power: newFermat(r)}
		element := func(v *big.Int) []uint64 { return r.element(new(big.Int).Mod(v, r.mm)) }
		shift := new(big.Int).Lsh(r.radix(2), uint(sk.Bits()))
		h.shift = element(shift)
		h.other = element(new(big.Int).Mul(r.radix(1), primes[1-i]))
		h.scale = element(sk.hp)
		if i == 1 {
			h.scale = element(new(big.Int).Mul(sk.hq, sk.pinv))
			h.cross = element(new(big.Int).Sub(sk.q, sk.pinv))
			lift := new(big.Int).Mul(sk.p, sk.p)
			lift.ModInverse(lift, r.mm)
			h.lift = element(lift)
			h.lower = element(lift.Mul(lift, r.radix(1)).Neg(lift))
		}
		o.half[i] = h
	}
	r := o.half[0].r
	o.squared = make([]uint64, r.size)
	r.broadcast(o.squared, r.mm)
	return o
}

func (o *owner) take() *ownerSpace {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.free); n > 0 {
		w := o.free[n-1]
		o.free = o.free[:n-1]
		return w
	}
	w := &ownerSpace{words: make([]uint64, 2*o.words), buf: make([]byte, 16*o.words)}
	for i, h := range o.half {
		bits := h.r.m.BitLen() + extraBits + spareBits
		w.half[i] = newWorkspace(h.r, bits/h.r.path.window()+2, 2*o.words)
	}
	return w
}

func (o *owner) give(w *ownerSpace) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = append(o.free, w)
}

// ownerComb is the comb of a prime's noise. r^n modulo p², r uniform, is uniform
// in the subgroup of order p-1. Two bases generate it: the first misses no prime
// factor of p-1 below 2^20, and that both miss a larger one has odds below 2^-33.
// So a power of the first by |p|+64 bits times a power of the second by 128 bits
// has the distribution of r^n to within 2^-63.
func (sk *PrivateKey) ownerComb(i int) *comb {
	o := sk.owner()
	o.combOnce[i].Do(func() {
		h := o.half[i]
		label := fmt.Sprintf("paillier owner base %d", i)
		first, next := sk.ownerBase(h.r, label, 0, true)
		second, _ := sk.ownerBase(h.r, label, next, false)
		h.comb = newComb(h.r, tooth{first, h.r.m.BitLen() + extraBits}, tooth{second, spareBits})
	})
	return o.half[i].comb
}

// ownerBase expands a base x from n, raised to n modulo p². With full, it is no
// power of a small prime factor of p-1.
func (sk *PrivateKey) ownerBase(r *ring, label string, from int, full bool) (base *big.Int, next int) {
	order := new(big.Int).Sub(r.m, one)
	var factors []uint32
	if full {
		factors = append(smallFactors(order), 2)
	}
	for i := from; ; i++ {
		x := new(big.Int).SetBytes(expand(label, append(sk.n.Bytes(), byte(i>>8), byte(i)), len(r.m.Bytes())+16))
		x.Mod(x, r.m)
		good := x.Sign() != 0
		for _, f := range factors {
			e := new(big.Int).Div(order, big.NewInt(int64(f)))
			good = good && new(big.Int).Exp(x, e, r.m).Cmp(one) != 0
		}
		if good {
			return x.Exp(x, sk.n, r.mm), i + 1
		}
	}
}

// smallFactors returns the odd primes below safeSieveBound that divide v.
func smallFactors(v *big.Int) []uint32 {
	var found []uint32
	w := wordsOf(v, (v.BitLen()+63)/64)
	for _, g := range safeGroups() {
		rest := remainder(w, g.product)
		for _, p := range g.primes {
			if rest%uint64(p) == 0 {
				found = append(found, p)
			}
		}
	}
	return found
}

// Precompute makes the tables of the owner's encryption and of decryption now
// rather than at their first use.
func (sk *PrivateKey) Precompute() {
	sk.ownerComb(0)
	sk.ownerComb(1)
}

// EncryptBatch is Encrypt for m[i] into dst[i].
func (sk *PrivateKey) EncryptBatch(ctx context.Context, random io.Reader, dst []*Ciphertext, m []*big.Int) error {
	if err := checkLengths(dst, len(m)); err != nil {
		return err
	}
	if err := sk.checkPlaintexts(m); err != nil {
		return err
	}
	sk.Precompute()
	t := newTask(ownerEncryptStep, &sk.PublicKey)
	t.sk = sk
	t.draws(random)
	t.dst, t.m = dst, m
	return t.run(ctx, len(dst), groupsAtOnce*sk.owner().half[0].r.path.lanes())
}

// Rerandomise is PublicKey.Rerandomise with the owner's noise.
func (sk *PrivateKey) Rerandomise(random io.Reader, c *Ciphertext) (*Ciphertext, error) {
	z := []*Ciphertext{new(Ciphertext)}
	if err := sk.RerandomiseBatch(context.Background(), random, z, []*Ciphertext{c}); err != nil {
		return nil, err
	}
	return z[0], nil
}

// RerandomiseBatch is Rerandomise for c[i] into dst[i].
func (sk *PrivateKey) RerandomiseBatch(ctx context.Context, random io.Reader, dst, c []*Ciphertext) error {
	if err := checkLengths(dst, len(c)); err != nil {
		return err
	}
	if err := sk.CheckBatch(ctx, c); err != nil {
		return err
	}
	sk.Precompute()
	t := newTask(ownerEncryptStep, &sk.PublicKey)
	t.sk = sk
	t.draws(random)
	t.dst, t.a = dst, c
	return t.run(ctx, len(dst), groupsAtOnce*sk.owner().half[0].r.path.lanes())
}

// ownerEncryptStep multiplies noise modulo p² and q² by 1 + m·n or by a
// ciphertext, and puts the two together.
func ownerEncryptStep(t *task, lo, hi int) error {
	o := t.sk.owner()
	w := o.take()
	defer o.give(w)
	lanes := o.half[0].r.path.lanes()
	groups := (hi - lo + lanes - 1) / lanes
	for i, h := range o.half {
		digits := w.half[i].digits[:groups*h.comb.positions*lanes]
		if err := h.comb.draw(t.random, digits); err != nil {
			return err
		}
		h.comb.raise(w.half[i].acc, digits, groups, w.half[i].s)
		clear(digits)
	}
	for g := range groups {
		from, to := lo+g*lanes, min(lo+(g+1)*lanes, hi)
		for i, h := range o.half {
			x := w.half[i]
			if t.a != nil {
				h.loadCiphertexts(x, t.a[from:to], o.words)
				h.r.path.redc(h.r, x.x, x.x[:h.r.half], x.x[h.r.half:], x.s)
			} else {
				h.loadMessages(x, w, t.m[from:to], o.words)
			}
			z := x.acc[g*h.r.size : (g+1)*h.r.size]
			h.r.mul(z, z, x.x, x.s)
		}
		o.assemble(w, g, t.pk, t.dst[from:to])
	}
	return nil
}

// loadCiphertexts sets w.x to ciphertexts modulo m², in Montgomery form, one to a
// lane.
func (h *half) loadCiphertexts(w *workspace, c []*Ciphertext, words int) {
	r := h.r
	for _, upper := range []bool{false, true} {
		for l := range r.path.lanes() {
			v := c[min(l, len(c)-1)].w
			if upper {
				v = v[words:]
			} else {
				v = v[:words]
			}
			r.load(w.wide[:r.size], l, v)
		}
		if !upper {
			r.enter(w.y, w.wide[:r.size], w.s)
			continue
		}
		r.path.redc(r, w.x, w.wide[:r.size], nil, w.s)
		r.mul(w.x, w.x, h.shift, w.s)
	}
	r.path.add(r, w.x, w.x, w.y)
}

// loadMessages sets w.x to 1 + m·n modulo the prime's square, in plain digits:
// 1 + (m·other mod prime)·prime.
func (h *half) loadMessages(w *workspace, o *ownerSpace, m []*big.Int, words int) {
	r := h.r
	lanes := r.path.lanes()
	for l, v := range m {
		putWords(o.words[:words], v, o.buf)
		r.load(w.wide[:r.size], l, o.words[:words])
	}
	r.path.redc(r, w.y, w.wide[:r.size], nil, w.s)
	r.mul(w.y, w.y, h.other, w.s)
	r.path.settle(r, w.y)
	clear(w.x[:r.half])
	for l := range lanes {
		w.x[l] = 1
	}
	copy(w.x[r.half:], w.y[:r.half])
}

// assemble writes the numbers that are group g of both halves, in plain digits,
// to dst: x + p²·((y - x)·p^-2 mod q²) for x modulo p², y modulo q².
func (o *owner) assemble(w *ownerSpace, g int, pk *PublicKey, dst []*Ciphertext) {
	hp, hq := o.half[0], o.half[1]
	p, q := w.half[0], w.half[1]
	rp, rq := hp.r, hq.r
	lanes := rp.path.lanes()
	x := p.acc[g*rp.size : (g+1)*rp.size]
	y := q.acc[g*rq.size : (g+1)*rq.size]
	rp.path.settle(rp, x)
	rp.join(p.wide, x)
	for l := range lanes {
		rp.store(w.words[:o.words], p.wide[:rp.size], l)
		rq.load(q.wide[:rq.size], l, w.words[:o.words])
		rp.load(p.x, l, w.words[:o.words])
	}
	rq.mul(y, y, hq.lift, q.s)
	rq.path.redc(rq, q.x, q.wide[:rq.size], nil, q.s)
	rq.mul(q.x, q.x, hq.lower, q.s)
	rq.path.add(rq, y, y, q.x)
	rq.path.settle(rq, y)
	rq.path.settle(rq, y)
	rq.join(q.wide, y)
	for l := range lanes {
		rq.store(w.words[:o.words], q.wide[:rq.size], l)
		rp.load(p.y, l, w.words[:o.words])
	}
	wide := p.wide[:2*rp.size]
	copy(wide, p.x)
	rp.path.product(wide, p.y, o.squared)
	for l, c := range dst {
		c.reset(pk.fp, 2*o.words)
		rp.store(c.w, wide, l)
		c.mark()
	}
}

// DecryptBatch is Decrypt for c[i] into dst[i], whose memory is used again.
func (sk *PrivateKey) DecryptBatch(ctx context.Context, dst []*big.Int, c []*Ciphertext) error {
	if len(dst) != len(c) {
		return fmt.Errorf("%w: %d destinations, %d ciphertexts", ErrLength, len(dst), len(c))
	}
	for i, m := range dst {
		if m == nil {
			return fmt.Errorf("%w: destination %d is nil", ErrLength, i)
		}
	}
	if err := sk.CheckBatch(ctx, c); err != nil {
		return err
	}
	t := newTask(decryptStep, &sk.PublicKey)
	t.sk = sk
	t.a, t.m = c, dst
	return t.run(ctx, len(dst), sk.owner().half[0].r.path.lanes())
}

// decryptStep takes one lane's worth of ciphertexts. c^(p-1) is 1 + L·p modulo
// p²; the plaintext is L·hp modulo p, and likewise for q.
func decryptStep(t *task, lo, hi int) error {
	o := t.sk.owner()
	w := o.take()
	defer o.give(w)
	p, q := w.half[0], w.half[1]
	rp, rq := o.half[0].r, o.half[1].r
	for i, h := range o.half {
		x, r := w.half[i], h.r
		h.loadCiphertexts(x, t.a[lo:hi], o.words)
		h.power.raise(r, x.y, x.x, x.acc[:r.size], x.table, x.s)
		r.leave(x.y, x.y, x.s)
		copy(x.y[:r.half], x.y[r.half:])
		clear(x.y[r.half:])
		r.mul(x.y, x.y, h.scale, x.s)
		r.path.settle(r, x.y)
	}
	// q's side is y·hq·p^-1; take m_p·p^-1 from it.
	words := w.words[:o.words/2+1]
	clear(q.x)
	for l := range rp.path.lanes() {
		rp.store(words, p.y[:rp.half], l)
		rq.load(q.x[:rq.half], l, words)
	}
	rq.mul(q.x, q.x, o.half[1].cross, q.s)
	rq.path.add(rq, q.y, q.y, q.x)
	rq.path.settle(rq, q.y)
	rq.path.settle(rq, q.y)
	for l, m := range t.m[lo:hi] {
		rq.store(words, q.y[:rq.half], l)
		setWords(&w.a, words, w.buf)
		rp.store(words, p.y[:rp.half], l)
		setWords(&w.b, words, w.buf)
		m.Mul(&w.a, t.sk.p)
		m.Add(m, &w.b)
	}
	return nil
}
