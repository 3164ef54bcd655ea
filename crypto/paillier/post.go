package paillier

import (
	"context"
	"fmt"
	"math/big"
)

// Post is what a department posts for a job: its share and the proof of it. The
// department is the one that the ledger says posted it.
type Post struct {
	Department string
	Share      *DecryptionShare
	Proof      *ShareProof
}

// Fault names a post that was refused, and why.
type Fault struct {
	Post       int // its place in the list
	Department string
	Index      int   // the index that its share claims, or 0 if there is none
	Err        error // ErrProof, ErrShareIndex, ErrKeyMismatch, ErrLength or Check's
}

// Error says who and why.
func (f Fault) Error() string {
	return fmt.Sprintf("post %d by %q for party %d: %v", f.Post, f.Department, f.Index, f.Err)
}

// Unwrap returns why.
func (f Fault) Unwrap() error { return f.Err }

// Open checks all posts at the context, whose Department it takes from each post,
// and opens c into dst, whose memory is used again, by the first threshold good
// ones. Every bad post is named, whether or not enough good ones are left; of two
// good ones for the same party the later is bad. A forged post does not keep its
// victim's own from counting. Errors: ErrTooFewShares, ErrLength, Check's, the
// context's.
func (vk *VerificationKey) Open(ctx context.Context, dst []*big.Int, at Context, c []*Ciphertext, posts []Post) ([]Fault, error) {
	if err := vk.pk.CheckBatch(ctx, c); err != nil {
		return nil, err
	}
	verdicts, err := vk.verifyAll(ctx, at, c, posts)
	if err != nil {
		return nil, err
	}
	var faults []Fault
	var good []*DecryptionShare
	seen := make(map[int]bool)
	for i, post := range posts {
		err, index := verdicts[i], 0
		if post.Share != nil {
			index = post.Share.index
		}
		if err == nil && seen[index] {
			err = fmt.Errorf("%w: party %d", ErrShareIndex, index)
		}
		if err != nil {
			faults = append(faults, Fault{i, post.Department, index, err})
			continue
		}
		seen[index] = true
		good = append(good, post.Share)
	}
	if len(good) < vk.threshold {
		return faults, fmt.Errorf("%w: %d good ones of %d", ErrTooFewShares, len(good), vk.threshold)
	}
	return faults, vk.Combine(ctx, dst, good[:vk.threshold])
}

// Combine opens the ciphertexts that shares are for into dst, whose memory is used
// again, by the first threshold of them. It is for shares that Verify has passed
// for the same ciphertexts: among others it finds a wrong one by ErrShares, but
// cannot name it, and shares that were made for other ciphertexts open those.
// Errors: ErrTooFewShares, ErrShareIndex for a party that is there twice,
// ErrKeyMismatch, ErrLength, ErrShares, Check's, the context's.
func (vk *VerificationKey) Combine(ctx context.Context, dst []*big.Int, shares []*DecryptionShare) error {
	if len(shares) < vk.threshold {
		return fmt.Errorf("%w: %d of %d", ErrTooFewShares, len(shares), vk.threshold)
	}
	seen := make(map[int]bool)
	indexes := make([]int, 0, len(shares))
	for _, d := range shares {
		if err := vk.owns(d, len(dst)); err != nil {
			return err
		}
		if seen[d.index] {
			return fmt.Errorf("%w: party %d", ErrShareIndex, d.index)
		}
		seen[d.index] = true
		indexes = append(indexes, d.index)
		if err := vk.pk.CheckBatch(ctx, d.x); err != nil {
			return fmt.Errorf("share of party %d: %w", d.index, err)
		}
	}
	for i, m := range dst {
		if m == nil {
			return fmt.Errorf("%w: destination %d is nil", ErrLength, i)
		}
	}
	j := vk.newJoin(shares[:vk.threshold], indexes[:vk.threshold])
	e := vk.pk.engine()
	t := newTask(func(_ *task, lo, hi int) error { return j.step(dst, lo, hi) }, vk.pk)
	return t.run(ctx, len(dst), e.chunk())
}

// join is a combination in work. Π x_i^w_i, w_i twice Lagrange's coefficients over
// their least common denominator D, is c^(4ΔD·d) = 1 + n·4ΔD·plaintext.
type join struct {
	pk       *PublicKey
	up, down []joinSide // by the sign of w_i
	scale    *big.Int   // 1/(4ΔD) modulo n
}

// joinSide is one party's numbers and |w_i|.
type joinSide struct {
	x      []*Ciphertext
	weight *big.Int
}

func (vk *VerificationKey) newJoin(shares []*DecryptionShare, indexes []int) *join {
	weights, denominator := lagrange(indexes, 0)
	j := &join{pk: vk.pk}
	for i, w := range weights {
		side := joinSide{shares[i].x, new(big.Int).Lsh(new(big.Int).Abs(w), 1)}
		if w.Sign() > 0 {
			j.up = append(j.up, side)
		} else {
			j.down = append(j.down, side)
		}
	}
	j.scale = new(big.Int).Lsh(denominator, 2)
	j.scale.Mul(j.scale, vk.factorial).ModInverse(j.scale, vk.pk.n)
	return j
}

// step opens numbers lo to hi, an engine's chunk at most.
func (j *join) step(dst []*big.Int, lo, hi int) error {
	pk := j.pk
	e := pk.engine()
	w := e.take()
	defer e.give(w)
	r, lanes := e.r, e.r.path.lanes()
	groups := (hi - lo + lanes - 1) / lanes
	var inverses []uint64
	if len(j.down) > 0 {
		inverses = make([]uint64, groups*r.size)
		for g := range groups {
			from := lo + g*lanes
			j.product(w, inverses[g*r.size:(g+1)*r.size], j.down, from, min(from+lanes, hi))
		}
		if err := pk.invertAll(w, inverses, groups); err != nil {
			return err
		}
	}
	for g := range groups {
		from, to := lo+g*lanes, min(lo+(g+1)*lanes, hi)
		z := w.acc[:r.size]
		j.product(w, z, j.up, from, to)
		if inverses != nil {
			r.mul(z, z, inverses[g*r.size:(g+1)*r.size], w.s)
		}
		r.leave(z, z, w.s)
		for i := from; i < to; i++ {
			if !r.lowIsOne(z, i-from) {
				return fmt.Errorf("%w: ciphertext %d", ErrShares, i)
			}
			words := w.words[:pk.size]
			r.store(words, z[r.half:], i-from)
			w.a.Mul(setWords(&w.b, words, w.buf), j.scale)
			dst[i].Mod(&w.a, pk.n)
		}
	}
	return nil
}

// product sets z to the product of the sides' numbers from to to, each to its
// weight: bit by bit, the squarings shared.
func (j *join) product(w *workspace, z []uint64, sides []joinSide, from, to int) {
	r := j.pk.engine().r
	if need := len(sides) * r.size; len(w.many) < need {
		w.many = make([]uint64, need)
	}
	top := 0
	for i, side := range sides {
		j.pk.loadWire(w, side.x[from:to])
		r.enter(w.many[i*r.size:(i+1)*r.size], w.wide[:r.size], w.s)
		top = max(top, side.weight.BitLen())
	}
	copy(z, r.one)
	for bit := top - 1; bit >= 0; bit-- {
		if bit < top-1 {
			r.sqr(z, z, w.s)
		}
		for i, side := range sides {
			if side.weight.Bit(bit) == 1 {
				r.mul(z, z, w.many[i*r.size:(i+1)*r.size], w.s)
			}
		}
	}
}

// invertAll inverts the groups elements of z, all coprime to n: one inversion for
// all (Montgomery's trick) but for the lanes, which are inverted one by one.
func (pk *PublicKey) invertAll(w *workspace, z []uint64, groups int) error {
	r := pk.engine().r
	at := func(b []uint64, g int) []uint64 { return b[g*r.size : (g+1)*r.size] }
	before := make([]uint64, groups*r.size) // products of those before
	copy(w.x, r.one)
	for g := range groups {
		copy(at(before, g), w.x)
		r.mul(w.x, w.x, at(z, g), w.s)
	}
	r.leave(w.x, w.x, w.s)
	r.join(w.wide, w.x)
	copy(w.table, w.wide[:r.size])
	words := w.words[:2*pk.size]
	for l := range r.path.lanes() {
		r.store(words, w.table[:r.size], l)
		if err := pk.negate(words); err != nil {
			return err
		}
		r.load(w.wide[:r.size], l, words)
	}
	r.enter(w.x, w.wide[:r.size], w.s)
	for g := groups - 1; g >= 0; g-- {
		copy(w.y, at(z, g))
		r.mul(at(z, g), w.x, at(before, g), w.s)
		r.mul(w.x, w.x, w.y, w.s)
	}
	return nil
}
