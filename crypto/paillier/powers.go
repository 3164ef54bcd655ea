package paillier

import (
	"context"
	"math/big"
)

// The powers modulo n² that threshold decryption and proofs are made of: lists of
// numbers in [0, n²), a lane to each, on all processors. Results are new.

// powers sets out[i] to what raise makes of bases[i]: it takes an element of bases
// lo to hi from w.x and leaves their powers in w.y.
func (pk *PublicKey) powers(ctx context.Context, bases []*big.Int, raise func(r *ring, w *workspace, lo, hi int)) ([]*big.Int, error) {
	e := pk.engine()
	r, lanes := e.r, e.r.path.lanes()
	out := make([]*big.Int, len(bases))
	t := newTask(func(_ *task, lo, hi int) error {
		w := e.take()
		defer e.give(w)
		words := w.words[:2*pk.size]
		for l := range lanes {
			putWords(words, bases[min(lo+l, hi-1)], w.buf)
			r.load(w.wide[:r.size], l, words)
		}
		r.enter(w.x, w.wide[:r.size], w.s)
		raise(r, w, lo, hi)
		r.leave(w.y, w.y, w.s)
		r.join(w.wide, w.y)
		for i := lo; i < hi; i++ {
			r.store(words, w.wide[:r.size], i-lo)
			out[i] = intOf(words)
		}
		return nil
	}, pk)
	return out, t.run(ctx, len(bases), lanes)
}

// powersN raises bases to n. The time does not depend on them.
func (pk *PublicKey) powersN(ctx context.Context, bases []*big.Int) ([]*big.Int, error) {
	plan := pk.plan()
	return pk.powers(ctx, bases, func(r *ring, w *workspace, _, _ int) {
		r.powPublic(w.y, w.x, plan, w.table, w.s)
	})
}

// powersEach raises each base to a public exponent of its own, at least 0. Lanes
// share the time of the longest: exponents should come sorted by length.
func (pk *PublicKey) powersEach(ctx context.Context, bases, exponents []*big.Int) ([]*big.Int, error) {
	lanes := pk.engine().r.path.lanes()
	return pk.powers(ctx, bases, func(r *ring, w *workspace, lo, hi int) {
		each := make([][]uint64, lanes)
		for i := lo; i < hi; i++ {
			each[i-lo] = wordsOf(exponents[i], (exponents[i].BitLen()+63)/64)
		}
		r.powEach(w.y, w.x, each, w.table, w.s)
	})
}

// powersSecret raises all bases to one secret exponent, given by its digits. The
// time depends on their number alone.
func (pk *PublicKey) powersSecret(ctx context.Context, bases []*big.Int, digits []byte) ([]*big.Int, error) {
	return pk.powers(ctx, bases, func(r *ring, w *workspace, _, _ int) {
		r.powSecret(w.y, w.x, digits, w.table, w.s)
	})
}

// weightBits is the length of the random weights that make one statement of many.
const weightBits = 128

// weighted returns the product of c[i]^weights[i] modulo n²; weights are public,
// weightBits long, as little-endian words.
func (pk *PublicKey) weighted(ctx context.Context, c []*Ciphertext, weights [][weightBits / 64]uint64) (*big.Int, error) {
	e := pk.engine()
	r, lanes := e.r, e.r.path.lanes()
	product := big.NewInt(1)
	t := newTask(func(t *task, lo, hi int) error {
		w := e.take()
		defer e.give(w)
		pk.enterAll(w, c[lo:hi])
		pk.strausWindows(w, weights[lo:hi])
		r.leave(w.x, w.x, w.s)
		r.join(w.wide, w.x)
		t.mu.Lock()
		defer t.mu.Unlock()
		for l := range lanes {
			r.store(w.words[:2*pk.size], w.wide[:r.size], l)
			product.Mul(product, setWords(&w.a, w.words[:2*pk.size], w.buf)).Mod(product, pk.nn)
		}
		return nil
	}, pk)
	return product, t.run(ctx, len(c), e.chunk())
}

// strausWindows sets w.x to each lane's product of w.many to the weights: windows
// of 4 bits from the top, the squarings shared.
func (pk *PublicKey) strausWindows(w *workspace, weights [][weightBits / 64]uint64) {
	const window, entries = 4, 16
	r, lanes := pk.engine().r, pk.engine().r.path.lanes()
	groups := (len(weights) + lanes - 1) / lanes
	if need := groups * entries * r.size; len(w.tables) < need {
		w.tables = make([]uint64, need)
	}
	entry := func(g, d int) []uint64 {
		at := (g*entries + d) * r.size
		return w.tables[at : at+r.size]
	}
	for g := range groups {
		x := w.many[g*r.size : (g+1)*r.size]
		copy(entry(g, 0), r.one)
		for d := 1; d < entries; d++ {
			r.mul(entry(g, d), entry(g, d-1), x, w.s)
		}
	}
	copy(w.x, r.one)
	for at := weightBits - window; at >= 0; at -= window {
		for range window {
			r.sqr(w.x, w.x, w.s)
		}
		for g := range groups {
			for l := range lanes {
				d := 0
				if i := g*lanes + l; i < len(weights) {
					d = int(weights[i][at/64]>>(at%64)) & (entries - 1)
				}
				from := entry(g, d)
				for i := l; i < r.size; i += lanes {
					w.y[i] = from[i]
				}
			}
			r.mul(w.x, w.x, w.y, w.s)
		}
	}
}

// inverse returns the inverse modulo n² of a number that is coprime to n.
func (pk *PublicKey) inverse(v *big.Int) (*big.Int, error) {
	w := wordsOf(v, 2*pk.size)
	if err := pk.negate(w); err != nil {
		return nil, err
	}
	return intOf(w), nil
}

// times returns a·b modulo n².
func (pk *PublicKey) times(a, b *big.Int) *big.Int {
	z := new(big.Int).Mul(a, b)
	return z.Mod(z, pk.nn)
}

// unit reports whether v is in [1, n²) and coprime to n.
func (pk *PublicKey) unit(v *big.Int) bool {
	if v == nil || v.Sign() <= 0 || v.Cmp(pk.nn) >= 0 {
		return false
	}
	rest := new(big.Int).Mod(v, pk.n)
	return rest.GCD(nil, nil, rest, pk.n).Cmp(one) == 0
}

// numberDigits splits the lowest count bits of little-endian words into the
// digits that powSecret takes, highest first, in a time that depends on count
// alone.
func numberDigits(words []uint64, count int) []byte {
	n := (count + secretWindow - 1) / secretWindow
	digits := make([]byte, n)
	for i := range digits {
		at := i * secretWindow
		v := words[at/64] >> (at % 64)
		if at%64 > 64-secretWindow && at/64+1 < len(words) {
			v |= words[at/64+1] << (64 - at%64)
		}
		digits[n-1-i] = byte(v & (1<<secretWindow - 1))
	}
	return digits
}
