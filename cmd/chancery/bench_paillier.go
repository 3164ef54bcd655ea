package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"runtime"
	"time"

	"chancery/crypto/paillier"
	"chancery/crypto/paillier/plain"
)

// paillierBits is the length of the modulus.
const paillierBits = 3072

// paillierWork is one kind of work, and by how much the engine shall be faster.
var paillierWork = []struct {
	what   string
	target *target
}{
	{"encrypt, r^n", atLeast(15)},
	{"encrypt, DJN", atLeast(55)},
	{"encrypt by the owner", atLeast(45)},
	{"add, digit form", atLeast(14)},
	{"add, wire form", nil},
	{"× 64-bit scalar", atLeast(17)},
	{"decrypt", atLeast(15)},
}

func benchPaillier() benchmark {
	return benchmark{
		name:  "paillier",
		about: "ciphertexts a second of crypto/paillier on one core, against math/big",
		lines: func(BenchOptions) (lines []benchLine) {
			for _, w := range paillierWork {
				lines = append(lines, benchLine{What: w.what, Target: w.target})
			}
			return lines
		},
		run: func(ctx context.Context, b *bench) error { return b.paillier(ctx) },
	}
}

// contest is the same work done by the engine, many at a time, and by math/big,
// one by one.
type contest struct {
	batch  int
	ours   func() error
	theirs func(i int)
}

const (
	paillierBatch  = 64                    // ciphertexts at a time
	paillierFew    = 8                     // of math/big's between two looks at the clock
	paillierSlice  = 40 * time.Millisecond // of processor time at most before the other's turn
	paillierRounds = 3                     // for each round of the others: its turns are short
)

// paillier measures on one core, so that ratios are those of the arithmetic.
func (b *bench) paillier(ctx context.Context) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	o, err := newPaillierOperands(ctx)
	if err != nil {
		return err
	}
	slice := min(b.opts.turn()/100, paillierSlice)
	for i, c := range o.contests(ctx) {
		var ours, theirs []float64
		if err := c.ours(); err != nil { // tables and workspaces
			return err
		}
		for range paillierRounds * b.opts.Rounds {
			if err := ctx.Err(); err != nil {
				return err
			}
			mine, err := perCPUSecond(slice, c.batch, c.ours)
			if err != nil {
				return err
			}
			n := 0
			big, err := perCPUSecond(slice, paillierFew, func() error {
				for range paillierFew {
					c.theirs(n % paillierBatch)
					n++
				}
				return nil
			})
			if err != nil {
				return err
			}
			ours, theirs = append(ours, mine), append(theirs, big)
		}
		b.report.fill(benchLine{
			Benchmark: "paillier", What: paillierWork[i].what, Ours: figureOf("/s", ours),
			Than: "math/big", Baseline: figureOf("/s", theirs),
		})
		b.say("paillier, %s: ours %s/s, math/big %s/s", paillierWork[i].what, number(median(ours)), number(median(theirs)))
	}
	b.report.Notes = append(b.report.Notes, fmt.Sprintf("paillier: a modulus of %d bits, kernel %s, batches of %d, a second of processor time on one core", paillierBits, paillier.Kernel(), paillierBatch))
	return nil
}

// perCPUSecond is how often work is done in a second of this process's own
// processor time, which other processes do not share: work is n at a time.
func perCPUSecond(slice time.Duration, n int, work func() error) (float64, error) {
	start, done := ownTime(), 0
	for {
		if err := work(); err != nil {
			return 0, err
		}
		done += n
		if elapsed := ownTime() - start; elapsed >= slice {
			return float64(done) / elapsed.Seconds(), nil
		}
	}
}

// paillierOperands are a key, and what is encrypted and evaluated under it.
type paillierOperands struct {
	key      *paillier.PrivateKey
	plain    *plain.Key
	r, base  *big.Int // noise, and a base of it
	short    *big.Int // exponent of |n|/2 bits
	long     *big.Int // exponent of |p|+64 bits
	m, k     []*big.Int
	a, b, z  []*paillier.Ciphertext
	ai, bi   []*big.Int
	opened   []*big.Int
	standard *paillier.PublicKey
}

func newPaillierOperands(ctx context.Context) (*paillierOperands, error) {
	p, q, err := primes(ctx)
	if err != nil {
		return nil, err
	}
	o := &paillierOperands{plain: plain.New(p, q)}
	if o.key, err = paillier.NewPrivateKey(p, q, paillier.FormDJN); err != nil {
		return nil, err
	}
	if o.standard, err = paillier.NewPublicKey(o.plain.N(), paillier.FormStandard); err != nil {
		return nil, err
	}
	n := o.plain.N()
	o.r, o.base = below(n), o.plain.NthPower(below(n))
	o.short, o.long = bits(paillierBits/2), bits(paillierBits/2+64)
	for range paillierBatch {
		o.m, o.k = append(o.m, below(n)), append(o.k, bits(64))
		o.a, o.b, o.z = append(o.a, new(paillier.Ciphertext)), append(o.b, new(paillier.Ciphertext)), append(o.z, new(paillier.Ciphertext))
		o.opened = append(o.opened, new(big.Int))
	}
	for _, list := range [][]*paillier.Ciphertext{o.a, o.b} {
		if err := o.key.EncryptBatch(ctx, nil, list, o.m); err != nil {
			return nil, err
		}
	}
	for i := range o.a {
		o.ai, o.bi = append(o.ai, o.a[i].Int()), append(o.bi, o.b[i].Int())
	}
	return o, nil
}

// primes finds two of a key of the DJN form: both 3 modulo 4, and nothing but 2
// divides both less one.
func primes(ctx context.Context) (p, q *big.Int, err error) {
	one, two := big.NewInt(1), big.NewInt(2)
	for ctx.Err() == nil {
		if p, err = rand.Prime(rand.Reader, paillierBits/2); err != nil {
			return nil, nil, err
		}
		if p.Bit(1) == 0 {
			continue
		}
		if q == nil {
			q = p
			continue
		}
		if new(big.Int).GCD(nil, nil, new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)).Cmp(two) == 0 {
			return p, q, nil
		}
	}
	return nil, nil, ctx.Err()
}

// below is a random number from 1 to n-1.
func below(n *big.Int) *big.Int {
	v := new(big.Int).SetBytes(randomBytes((n.BitLen() + 7) / 8))
	return v.Mod(v, new(big.Int).Sub(n, big.NewInt(1))).Add(v, big.NewInt(1))
}

// bits is a random number of exactly so many.
func bits(n int) *big.Int {
	v := new(big.Int).SetBytes(randomBytes((n + 7) / 8))
	v.Rsh(v, uint(max(v.BitLen()-n, 0)))
	return v.SetBit(v, n-1, 1)
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	rand.Read(data)
	return data
}

// contests are those of paillierWork, in its order.
func (o *paillierOperands) contests(ctx context.Context) []contest {
	pk := o.key.Public()
	v, u := pk.NewVector(paillierBatch), pk.NewVector(paillierBatch)
	add := func(i int) { o.plain.Add(o.ai[i], o.bi[i]) }
	loaded := false
	return []contest{
		{8, func() error { return o.standard.EncryptBatch(ctx, nil, o.z[:8], o.m[:8]) },
			func(i int) { o.plain.Encrypt(o.m[i], o.r) }},
		{paillierBatch, func() error { return pk.EncryptBatch(ctx, nil, o.z, o.m) },
			func(i int) { o.plain.EncryptPower(o.m[i], o.base, o.short) }},
		{paillierBatch, func() error { return o.key.EncryptBatch(ctx, nil, o.z, o.m) },
			func(i int) { o.plain.EncryptOwner(o.m[i], o.base, o.long) }},
		{paillierBatch, func() error {
			if !loaded {
				loaded = true
				if err := v.Load(ctx, o.a); err != nil {
					return err
				}
				if err := u.Load(ctx, o.b); err != nil {
					return err
				}
			}
			return v.Add(ctx, u)
		}, add},
		{paillierBatch, func() error { return pk.AddBatch(ctx, o.z, o.a, o.b) }, add},
		{paillierBatch, func() error { return pk.MulConstBatch(ctx, o.z, o.a, o.k) },
			func(i int) { o.plain.Scale(o.ai[i], o.k[i]) }},
		{8, func() error { return o.key.DecryptBatch(ctx, o.opened[:8], o.a[:8]) },
			func(i int) { o.plain.Decrypt(o.ai[i]) }},
	}
}
