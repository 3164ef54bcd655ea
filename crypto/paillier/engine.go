package paillier

import (
	"math/big"
	"sync"
)

// engine is a key's modulus on a path, with the workspaces that are not in use.
type engine struct {
	r     *ring
	words int // words of a number modulo m²

	unit   []uint64 // 1/R modulo m: the low digit of what is 1 modulo m, after redc
	fourth []uint64 // takes x/R to x·R²

	positions int // of the longest comb

	mu   sync.Mutex
	free []*workspace // guarded by mu
}

func newEngine(p path, m *big.Int, positions int) *engine {
	r := newRing(p, m)
	e := &engine{r: r, words: (2*m.BitLen() + 63) / 64, positions: positions}
	unit := new(big.Int).ModInverse(r.radix(1), m)
	e.unit = make([]uint64, r.half)
	r.broadcast(e.unit, unit)
	e.fourth = r.element(new(big.Int).Mod(r.radix(3), r.mm))
	return e
}

func (e *engine) take() *workspace {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.free); n > 0 {
		w := e.free[n-1]
		e.free = e.free[:n-1]
		return w
	}
	return newWorkspace(e.r, e.positions, e.words)
}

func (e *engine) give(w *workspace) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.free = append(e.free, w)
}

// chunk is how many numbers a goroutine takes at a time.
func (e *engine) chunk() int { return groupsAtOnce * e.r.path.lanes() }

// lowIs reports whether one lane's low digit of z is that of d.
func (e *engine) lowIs(z, d []uint64, lane int) bool {
	diff := uint64(0)
	for i := lane; i < e.r.half; i += e.r.path.lanes() {
		diff |= z[i] ^ d[i]
	}
	return diff == 0
}

var bestPath = sync.OnceValue(func() path { return paths()[0] })

// Kernel names the arithmetic that this machine's keys use: "avx512ifma", "adx"
// or "go".
func Kernel() string { return bestPath().name() }

// publicCache is what a public key computes once, when it is first needed.
type publicCache struct {
	path path // nil: the best; set by tests before first use

	engineOnce sync.Once
	engine     *engine

	combOnce sync.Once
	comb     *comb

	planOnce sync.Once
	plan     []slide
}

func (pk *PublicKey) path() path {
	if pk.cache.path != nil {
		return pk.cache.path
	}
	return bestPath()
}

func (pk *PublicKey) engine() *engine {
	pk.cache.engineOnce.Do(func() {
		p := pk.path()
		pk.cache.engine = newEngine(p, pk.n, noisePositions(pk.Bits(), p))
	})
	return pk.cache.engine
}

// noisePositions is the number of comb digits in a public DJN exponent of |n|/2
// bits.
func noisePositions(bits int, p path) int { return (bits/2 + p.window() - 1) / p.window() }

// noiseComb is the comb of h^n. Making it takes about as long as a hundred
// encryptions.
func (pk *PublicKey) noiseComb() *comb {
	pk.cache.combOnce.Do(func() {
		e := pk.engine()
		w, r := e.take(), e.r
		defer e.give(w)
		x := r.element(pk.base())
		r.powPublic(w.y, x, pk.plan(), w.table, w.s)
		r.leave(w.y, w.y, w.s)
		r.join(w.wide, w.y)
		words := make([]uint64, e.words)
		r.store(words, w.wide[:r.size], 0)
		pk.cache.comb = newComb(r, tooth{intOf(words), pk.Bits() / 2})
	})
	return pk.cache.comb
}

// plan is the exponentiation by n.
func (pk *PublicKey) plan() []slide {
	pk.cache.planOnce.Do(func() { pk.cache.plan = slides(pk.n) })
	return pk.cache.plan
}

// Precompute makes the tables of public encryption now rather than at its first
// use.
func (pk *PublicKey) Precompute() {
	if pk.form == FormDJN {
		pk.noiseComb()
		return
	}
	pk.engine()
	pk.plan()
}
