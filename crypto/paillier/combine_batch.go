package paillier

import (
	"context"
	"fmt"
	"math/big"
)

// NegBatch is Neg for c[i] into dst[i].
func (pk *PublicKey) NegBatch(ctx context.Context, dst, c []*Ciphertext) error {
	k, minus := make([]*big.Int, len(c)), big.NewInt(-1)
	for i := range k {
		k[i] = minus
	}
	return pk.MulConstBatch(ctx, dst, c, k)
}

// LinearCombinationBatch sets dst[j] to an encryption of Σ weights[i] times the
// plaintext of columns[i][j]: LinearCombination down each row, the weights the
// same for all. Errors: LinearCombination's.
func (pk *PublicKey) LinearCombinationBatch(ctx context.Context, dst []*Ciphertext, columns [][]*Ciphertext, weights []int64) error {
	if len(columns) == 0 || len(columns) != len(weights) {
		return fmt.Errorf("%w: %d columns, %d weights", ErrLength, len(columns), len(weights))
	}
	for i, column := range columns {
		if err := checkLengths(dst, len(column)); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
		if err := pk.CheckBatch(ctx, column); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	t := newTask(combineStep, pk)
	t.dst, t.columns, t.weights = dst, columns, weights
	return t.run(ctx, len(dst), pk.engine().r.path.lanes())
}

// combineStep takes one lane's worth of rows.
func combineStep(t *task, lo, hi int) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	r := e.r
	t.pk.strausRows(w, t, lo, hi, 1)
	positive := w.acc[:r.size]
	copy(positive, w.x)
	if t.pk.strausRows(w, t, lo, hi, -1) {
		r.leave(w.x, w.x, w.s)
		r.join(w.wide, w.x)
		copy(w.table, w.wide[:r.size])
		words := w.words[:2*t.pk.size]
		for l := range hi - lo {
			r.store(words, w.table[:r.size], l)
			if err := t.pk.negate(words); err != nil {
				return err
			}
			r.load(w.wide[:r.size], l, words)
		}
		r.enter(w.x, w.wide[:r.size], w.s)
		r.mul(positive, positive, w.x, w.s)
	}
	r.leave(w.x, positive, w.s)
	return t.pk.emit(w, w.x, t.dst[lo:hi])
}

// strausRows sets w.x to each row's product of the columns of one sign to their
// weights, and reports whether there is any.
func (pk *PublicKey) strausRows(w *workspace, t *task, lo, hi int, sign int64) bool {
	r := pk.engine().r
	copy(w.x, r.one)
	if need := len(t.columns) * r.size; len(w.many) < need {
		w.many = make([]uint64, need)
	}
	all := uint64(0)
	for i, weight := range t.weights {
		if weight != 0 && (weight > 0) == (sign > 0) {
			all |= magnitude(weight)
			pk.loadWire(w, t.columns[i][lo:hi])
			r.enter(w.many[i*r.size:(i+1)*r.size], w.wide[:r.size], w.s)
		}
	}
	started := false
	for bit := 63; bit >= 0; bit-- {
		if all>>bit == 0 {
			continue
		}
		if started {
			r.sqr(w.x, w.x, w.s)
		}
		started = true
		for i, weight := range t.weights {
			if (weight > 0) == (sign > 0) && magnitude(weight)>>bit&1 == 1 {
				r.mul(w.x, w.x, w.many[i*r.size:(i+1)*r.size], w.s)
			}
		}
	}
	return started
}
