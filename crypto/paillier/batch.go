package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
)

// The batch forms take slices of equal length; dst[i] may be one of operand i's
// own ciphertexts, no other. They compute on all of Go's processors, stop at the
// context's end, and leave destinations undefined if they fail. Ciphertexts keep
// their memory when they are destinations again: in steady state nothing is
// allocated.

func checkLengths(dst []*Ciphertext, lengths ...int) error {
	for _, n := range lengths {
		if n != len(dst) {
			return fmt.Errorf("%w: %d destinations, %d operands", ErrLength, len(dst), n)
		}
	}
	for i, c := range dst {
		if c == nil {
			return fmt.Errorf("%w: destination %d is nil", ErrLength, i)
		}
	}
	return nil
}

func (pk *PublicKey) checkPlaintexts(m []*big.Int) error {
	for i, v := range m {
		if err := pk.checkPlaintext(v); err != nil {
			return fmt.Errorf("plaintext %d: %w", i, err)
		}
	}
	return nil
}

// EncryptBatch is Encrypt for m[i] into dst[i].
func (pk *PublicKey) EncryptBatch(ctx context.Context, random io.Reader, dst []*Ciphertext, m []*big.Int) error {
	if err := checkLengths(dst, len(m)); err != nil {
		return err
	}
	if err := pk.checkPlaintexts(m); err != nil {
		return err
	}
	pk.Precompute()
	t := newTask(encryptStep, pk)
	t.draws(random)
	t.dst, t.m = dst, m
	return t.run(ctx, len(dst), pk.engine().chunk())
}

// RerandomiseBatch is Rerandomise for c[i] into dst[i].
func (pk *PublicKey) RerandomiseBatch(ctx context.Context, random io.Reader, dst, c []*Ciphertext) error {
	if err := checkLengths(dst, len(c)); err != nil {
		return err
	}
	if err := pk.CheckBatch(ctx, c); err != nil {
		return err
	}
	pk.Precompute()
	t := newTask(encryptStep, pk)
	t.draws(random)
	t.dst, t.a = dst, c
	return t.run(ctx, len(dst), pk.engine().chunk())
}

// Rerandomise returns another encryption of c's plaintext, with noise of the
// key's form. Errors: Check's, random's.
func (pk *PublicKey) Rerandomise(random io.Reader, c *Ciphertext) (*Ciphertext, error) {
	z := []*Ciphertext{new(Ciphertext)}
	if err := pk.RerandomiseBatch(context.Background(), random, z, []*Ciphertext{c}); err != nil {
		return nil, err
	}
	return z[0], nil
}

// encryptStep draws noise and multiplies it by 1 + m·n or by a ciphertext.
func encryptStep(t *task, lo, hi int) error {
	e := t.pk.engine()
	w := e.take()
	defer e.give(w)
	lanes := e.r.path.lanes()
	groups := (hi - lo + lanes - 1) / lanes
	if err := t.pk.noise(w, t.random, groups); err != nil {
		return err
	}
	for g := range groups {
		z := w.acc[g*e.r.size : (g+1)*e.r.size]
		from, to := lo+g*lanes, min(lo+(g+1)*lanes, hi)
		if t.a != nil {
			t.pk.loadWire(w, t.a[from:to])
			e.r.path.redc(e.r, w.x, w.wide[:e.r.size], nil, w.s)
			e.r.mul(w.x, w.x, e.r.cube, w.s)
			// x·R: one more reduction leaves the product with the noise plain.
			e.r.path.redc(e.r, w.x, w.x[:e.r.half], w.x[e.r.half:], w.s)
		} else {
			for l, m := range t.m[from:to] {
				putWords(w.words[:t.pk.size], m, w.buf)
				e.r.loadBinomial(w.x, l, w.words[:t.pk.size])
			}
		}
		e.r.mul(z, z, w.x, w.s)
		e.r.path.settle(e.r, z)
		if err := t.pk.emit(w, z, t.dst[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// noise fills w.acc with groups elements of fresh noise.
func (pk *PublicKey) noise(w *workspace, random io.Reader, groups int) error {
	e := pk.engine()
	r, lanes := e.r, e.r.path.lanes()
	if pk.form == FormDJN {
		c := pk.noiseComb()
		digits := w.digits[:groups*c.positions*lanes]
		if err := c.draw(random, digits); err != nil {
			return err
		}
		c.raise(w.acc, digits, groups, w.s)
		clear(digits)
		return nil
	}
	for g := range groups {
		for l := range lanes {
			if err := pk.drawUnit(w, random); err != nil {
				return err
			}
			r.load(w.wide[:r.size], l, w.words[:pk.size])
		}
		r.enter(w.x, w.wide[:r.size], w.s)
		r.powPublic(w.acc[g*r.size:(g+1)*r.size], w.x, pk.plan(), w.table, w.s)
	}
	return nil
}

// drawUnit sets w.words to a uniform number in [1, n). One that shares a factor
// with n would have factored it: the odds are below 2^-1000.
func (pk *PublicKey) drawUnit(w *workspace, random io.Reader) error {
	words, buf := w.words[:pk.size], w.buf[:8*pk.size]
	for {
		if _, err := io.ReadFull(random, buf); err != nil {
			return fmt.Errorf("randomness: %w", err)
		}
		w.a.SetBytes(buf)
		if w.a.Sign() != 0 && w.a.Cmp(pk.n) < 0 {
			putWords(words, &w.a, buf)
			return nil
		}
	}
}

// loadWire fills w.wide with ciphertexts, one to a lane; lanes beyond them keep
// what they held.
func (pk *PublicKey) loadWire(w *workspace, c []*Ciphertext) {
	r := pk.engine().r
	for l, c := range c {
		r.load(w.wide[:r.size], l, c.w)
	}
	for l := len(c); l < r.path.lanes(); l++ {
		r.load(w.wide[:r.size], l, c[0].w)
	}
}

// emit writes the lanes of z, settled digits not in Montgomery form, to dst.
func (pk *PublicKey) emit(w *workspace, z []uint64, dst []*Ciphertext) error {
	e := pk.engine()
	r := e.r
	r.join(w.wide, z)
	for l, c := range dst {
		if r.lowIsOne(z, l) {
			return ErrCiphertextBare
		}
		c.reset(pk.fp, 2*pk.size)
		r.store(c.w, w.wide[:r.size], l)
		c.mark()
	}
	return nil
}

// lowIsOne reports whether one lane's low digit is 1.
func (r *ring) lowIsOne(z []uint64, lane int) bool {
	diff := z[lane] ^ 1
	for i := lane + r.path.lanes(); i < r.half; i += r.path.lanes() {
		diff |= z[i]
	}
	return diff == 0
}
