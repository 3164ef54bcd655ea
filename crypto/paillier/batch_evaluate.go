package paillier

import (
	"context"
	"fmt"
	"math/big"
)

// CheckBatch is Check for all of c, with one greatest common divisor for many.
// The error names the first that fails.
func (pk *PublicKey) CheckBatch(ctx context.Context, c []*Ciphertext) error {
	open := false
	for i, x := range c {
		if err := pk.owns(x); err != nil {
			return fmt.Errorf("operand %d: %w", i, err)
		}
		open = open || !x.passed()
	}
	if !open {
		return ctx.Err()
	}
	if len(c) < 4 {
		return pk.checkEach(c, 0)
	}
	t := newTask(checkStep, pk)
	t.a = c
	return t.run(ctx, len(c), pk.engine().chunk())
}

func (pk *PublicKey) checkEach(c []*Ciphertext, first int) error {
	for i, x := range c {
		if err := pk.Check(x); err != nil {
			return fmt.Errorf("operand %d: %w", first+i, err)
		}
	}
	return nil
}

// checkStep multiplies ciphertexts up: the product is coprime to n if and only if
// all are.
func checkStep(t *task, lo, hi int) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	r, lanes := e.r, e.r.path.lanes()
	copy(w.x, r.one)
	good := true
	for from := lo; from < hi; from += lanes {
		c := t.a[from:min(from+lanes, hi)]
		for _, x := range c {
			setWords(&w.a, x.w, w.buf)
			good = good && w.a.Sign() != 0 && w.a.Cmp(t.pk.nn) < 0
		}
		if !good {
			return t.pk.checkEach(t.a[lo:hi], lo)
		}
		t.pk.loadWire(w, c)
		r.path.redc(r, w.y, w.wide[:r.size], nil, w.s)
		r.mul(w.x, w.x, w.y, w.s)
		r.path.settle(r, w.y)
		for l := range c {
			good = good && !e.lowIs(w.y, e.unit, l)
		}
	}
	r.leave(w.x, w.x, w.s)
	product := w.b.SetInt64(1)
	for l := range lanes {
		r.store(w.words[:t.pk.size], w.x[:r.half], l)
		product.Mul(product, setWords(&w.a, w.words[:t.pk.size], w.buf))
		product.Mod(product, t.pk.n)
	}
	if !good || product.Sign() == 0 || w.a.GCD(nil, nil, product, t.pk.n).Cmp(one) != 0 {
		return t.pk.checkEach(t.a[lo:hi], lo)
	}
	for _, x := range t.a[lo:hi] {
		x.mark()
	}
	return nil
}

// AddBatch is Add for a[i] and b[i] into dst[i].
func (pk *PublicKey) AddBatch(ctx context.Context, dst, a, b []*Ciphertext) error {
	if err := checkLengths(dst, len(a), len(b)); err != nil {
		return err
	}
	if err := pk.CheckBatch(ctx, a); err != nil {
		return err
	}
	if err := pk.CheckBatch(ctx, b); err != nil {
		return err
	}
	t := newTask(addStep, pk)
	t.dst, t.a, t.b = dst, a, b
	return t.run(ctx, len(dst), pk.engine().chunk())
}

func addStep(t *task, lo, hi int) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	r, lanes := e.r, e.r.path.lanes()
	for from := lo; from < hi; from += lanes {
		to := min(from+lanes, hi)
		if to-from <= 2 {
			if err := t.pk.addFew(w, t.dst[from:to], t.a[from:to], t.b[from:to]); err != nil {
				return err
			}
			continue
		}
		t.pk.loadWire(w, t.a[from:to])
		r.path.redc(r, w.x, w.wide[:r.size], nil, w.s)
		r.mul(w.x, w.x, e.fourth, w.s)
		t.pk.loadWire(w, t.b[from:to])
		r.path.redc(r, w.y, w.wide[:r.size], nil, w.s)
		r.mul(w.x, w.x, w.y, w.s)
		r.path.settle(r, w.x)
		if err := t.pk.emit(w, w.x, t.dst[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// addFew adds by math/big, which has no conversions to make and is as quick while
// most lanes would be empty.
func (pk *PublicKey) addFew(w *workspace, dst, a, b []*Ciphertext) error {
	for i, c := range dst {
		w.c.Mul(setWords(&w.a, a[i].w, w.buf), setWords(&w.b, b[i].w, w.buf))
		w.a.QuoRem(&w.c, pk.nn, &w.b)
		if w.a.QuoRem(&w.b, pk.n, &w.c); w.c.Cmp(one) == 0 {
			return ErrCiphertextBare
		}
		c.reset(pk.fp, 2*pk.size)
		putWords(c.w, &w.b, w.buf)
		c.mark()
	}
	return nil
}

// AddPlainBatch is AddPlain for c[i] and m[i] into dst[i].
func (pk *PublicKey) AddPlainBatch(ctx context.Context, dst, c []*Ciphertext, m []*big.Int) error {
	if err := checkLengths(dst, len(c), len(m)); err != nil {
		return err
	}
	if err := pk.checkScalars(m); err != nil {
		return err
	}
	if err := pk.CheckBatch(ctx, c); err != nil {
		return err
	}
	t := newTask(addPlainStep, pk)
	t.dst, t.a, t.m = dst, c, m
	return t.run(ctx, len(dst), pk.engine().chunk())
}

func addPlainStep(t *task, lo, hi int) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	r, lanes := e.r, e.r.path.lanes()
	for from := lo; from < hi; from += lanes {
		to := min(from+lanes, hi)
		t.pk.loadWire(w, t.a[from:to])
		r.enter(w.x, w.wide[:r.size], w.s)
		for l, m := range t.m[from:to] {
			if m.Sign() < 0 {
				m = w.a.Add(m, t.pk.n)
			}
			putWords(w.words[:t.pk.size], m, w.buf)
			r.loadBinomial(w.y, l, w.words[:t.pk.size])
		}
		r.mul(w.x, w.x, w.y, w.s)
		r.path.settle(r, w.x)
		if err := t.pk.emit(w, w.x, t.dst[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// MulConstBatch is MulConst for c[i] and k[i] into dst[i]. A negative scalar
// costs an inversion besides.
func (pk *PublicKey) MulConstBatch(ctx context.Context, dst, c []*Ciphertext, k []*big.Int) error {
	if err := checkLengths(dst, len(c), len(k)); err != nil {
		return err
	}
	if err := pk.checkScalars(k); err != nil {
		return err
	}
	if err := pk.CheckBatch(ctx, c); err != nil {
		return err
	}
	t := newTask(mulConstStep, pk)
	t.dst, t.a, t.k = dst, c, k
	return t.run(ctx, len(dst), pk.engine().r.path.lanes())
}

func (pk *PublicKey) checkScalars(k []*big.Int) error {
	for i, v := range k {
		if err := pk.checkScalar(v); err != nil {
			return fmt.Errorf("scalar %d: %w", i, err)
		}
	}
	return nil
}

// mulConstStep takes one lane's worth of items.
func mulConstStep(t *task, lo, hi int) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	r := e.r
	t.pk.loadWire(w, t.a[lo:hi])
	r.enter(w.x, w.wide[:r.size], w.s)
	for l, k := range t.k[lo:hi] {
		if len(w.exponents[l]) == 0 {
			w.exponents[l] = make([]uint64, t.pk.size)
		}
		w.a.Abs(k)
		putWords(w.exponents[l], &w.a, w.buf)
	}
	for l := hi - lo; l < len(w.exponents); l++ {
		clear(w.exponents[l])
	}
	r.powEach(w.y, w.x, w.exponents, w.table, w.s)
	r.leave(w.y, w.y, w.s)
	if err := t.pk.emit(w, w.y, t.dst[lo:hi]); err != nil {
		return err
	}
	for l, k := range t.k[lo:hi] {
		if k.Sign() < 0 {
			if err := t.pk.negate(t.dst[lo+l].w); err != nil {
				return err
			}
		}
	}
	return nil
}
