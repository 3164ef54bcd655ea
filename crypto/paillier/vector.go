package paillier

import (
	"context"
	"fmt"
)

// Vector is ciphertexts of one key in the kernels' own form (digits, several to
// an element), for sums of many: an Add costs one product for each ciphertext,
// without the conversions that AddBatch makes. A new vector holds nothing until
// Load. Its methods compute on all processors; one goroutine at a time may call
// those that change it.
type Vector struct {
	pk *PublicKey
	n  int
	d  []uint64
}

// NewVector makes room for n ciphertexts. n is at least 0.
func (pk *PublicKey) NewVector(n int) *Vector {
	r := pk.engine().r
	lanes := r.path.lanes()
	v := &Vector{pk: pk, n: n, d: make([]uint64, (n+lanes-1)/lanes*r.size)}
	for i := 0; i < len(v.d); i += r.size {
		copy(v.d[i:], r.one)
	}
	return v
}

// Len returns the number of ciphertexts.
func (v *Vector) Len() int { return v.n }

// Load sets the vector to c. Errors: ErrLength, Check's.
func (v *Vector) Load(ctx context.Context, c []*Ciphertext) error {
	if len(c) != v.n {
		return fmt.Errorf("%w: %d ciphertexts, a vector of %d", ErrLength, len(c), v.n)
	}
	if err := v.pk.CheckBatch(ctx, c); err != nil {
		return err
	}
	t := newTask(vectorLoad, v.pk)
	t.v, t.a = v, c
	return t.run(ctx, v.n, v.pk.engine().chunk())
}

// Add adds u to the vector, one by one. Errors: ErrLength, ErrKeyMismatch.
func (v *Vector) Add(ctx context.Context, u *Vector) error {
	if u.n != v.n {
		return fmt.Errorf("%w: a vector of %d, another of %d", ErrLength, v.n, u.n)
	}
	if u.pk.fp != v.pk.fp || u.pk.path().name() != v.pk.path().name() {
		return fmt.Errorf("%w: %s, not %s", ErrKeyMismatch, u.pk.fp, v.pk.fp)
	}
	t := newTask(vectorAdd, v.pk)
	t.v, t.u = v, u
	return t.run(ctx, v.n, v.pk.engine().chunk())
}

// Store writes the vector to dst. Errors: ErrLength, and ErrCiphertextBare if a
// sum's randomness has cancelled out.
func (v *Vector) Store(ctx context.Context, dst []*Ciphertext) error {
	if err := checkLengths(dst, v.n); err != nil {
		return err
	}
	t := newTask(vectorStore, v.pk)
	t.v, t.dst = v, dst
	return t.run(ctx, v.n, v.pk.engine().chunk())
}

// elements calls f for each element of v, and of u if there is one, that items lo
// to hi lie in.
func (t *task) elements(lo, hi int, f func(t *task, w *workspace, z, u []uint64, from, to int) error) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	lanes := e.r.path.lanes()
	for from := lo; from < hi; from += lanes {
		at := from / lanes * e.r.size
		var u []uint64
		if t.u != nil {
			u = t.u.d[at : at+e.r.size]
		}
		if err := f(t, w, t.v.d[at:at+e.r.size], u, from, min(from+lanes, hi)); err != nil {
			return err
		}
	}
	return nil
}

func vectorLoad(t *task, lo, hi int) error {
	return t.elements(lo, hi, func(t *task, w *workspace, z, _ []uint64, from, to int) error {
		t.pk.loadWire(w, t.a[from:to])
		r := t.pk.engine().r
		r.enter(z, w.wide[:r.size], w.s)
		return nil
	})
}

func vectorAdd(t *task, lo, hi int) error {
	return t.elements(lo, hi, func(t *task, w *workspace, z, u []uint64, _, _ int) error {
		t.pk.engine().r.mul(z, z, u, w.s)
		return nil
	})
}

func vectorStore(t *task, lo, hi int) error {
	return t.elements(lo, hi, func(t *task, w *workspace, z, _ []uint64, from, to int) error {
		t.pk.engine().r.leave(w.x, z, w.s)
		return t.pk.emit(w, w.x, t.dst[from:to])
	})
}
