package paillier

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"chancery/crypto/paillier/plain"
)

// contest is one line of BENCH.md: a batch form of ours against the same work
// done one by one by somebody else, in turns, so that a busy machine slows both.
type contest struct {
	name   string
	batch  int           // items for each call of ours
	ours   func() error  // does batch items
	others []*contestant // each does one item
}

type contestant struct {
	name string
	run  func(i int)
}

// A contest takes several rounds of turns of at least a slice of processor time
// each; its figures are the medians of each side's processor time, which what else
// the machine does has little part in.
const (
	contestRounds = 15
	contestSlice  = 0.02 // seconds
)

// turn returns the processor time of an item in seconds; each call of run does
// items of them.
func turn(b *testing.B, items int, run func(i int)) float64 {
	b.Helper()
	for start, n := processorSeconds(b), 1; ; n++ {
		run(n)
		if used := processorSeconds(b) - start; used >= contestSlice {
			return used / float64(n*items)
		}
	}
}

func (c *contest) bench(b *testing.B) {
	b.ReportAllocs()
	if err := c.ours(); err != nil { // tables and workspaces
		b.Fatal(err)
	}
	mine := make([]float64, 0, contestRounds)
	theirs := make([][]float64, len(c.others))
	for range contestRounds {
		mine = append(mine, turn(b, c.batch, func(int) {
			if err := c.ours(); err != nil {
				b.Fatal(err)
			}
		}))
		for i, o := range c.others {
			theirs[i] = append(theirs[i], turn(b, 1, o.run))
		}
	}
	b.ResetTimer()
	for range b.N {
		if err := c.ours(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(median(mine)*1e6, "µs/item")
	for i, o := range c.others {
		b.ReportMetric(median(theirs[i])/median(mine), "x-"+o.name)
	}
}

// operands are random plaintexts, ciphertexts and exponents for the others.
type operands struct {
	sk      *PrivateKey
	m, k    []*big.Int
	a, b, z []*Ciphertext
	ai, bi  []*big.Int
	r       *big.Int
	h       *big.Int
	half    *big.Int
	opened  []*big.Int
}

const benchBatch = 64

func newOperands(b testing.TB, sk *PrivateKey) *operands {
	b.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	o := &operands{sk: sk, a: ciphertexts(benchBatch), b: ciphertexts(benchBatch), z: ciphertexts(benchBatch)}
	for range benchBatch {
		o.m = append(o.m, randBelow(rng, sk.n))
		o.k = append(o.k, new(big.Int).SetUint64(rng.Uint64()|1<<63))
		o.opened = append(o.opened, new(big.Int))
	}
	ctx := context.Background()
	if err := sk.EncryptBatch(ctx, nil, o.a, o.m); err != nil {
		b.Fatal(err)
	}
	if err := sk.EncryptBatch(ctx, nil, o.b, o.m); err != nil {
		b.Fatal(err)
	}
	for i := range o.a {
		o.ai, o.bi = append(o.ai, o.a[i].Int()), append(o.bi, o.b[i].Int())
	}
	o.r = randBelow(rng, sk.n)
	o.h = new(big.Int).Exp(sk.base(), sk.n, sk.nn)
	o.half = randBelow(rng, new(big.Int).Lsh(one, uint(sk.Bits()/2)))
	o.half.SetBit(o.half, sk.Bits()/2-1, 1)
	return o
}

// contests are the lines of issue 6's table, ours only.
func contests(b testing.TB, sk *PrivateKey) []*contest {
	ctx := context.Background()
	o := newOperands(b, sk)
	pk := sk.Public()
	pk.cache.path = sk.cache.path
	standard := newPublicKey(sk.n, FormStandard)
	standard.cache.path = sk.cache.path
	v, u := pk.NewVector(benchBatch), pk.NewVector(benchBatch)
	for _, l := range []*Vector{v, u} {
		if err := l.Load(ctx, o.a); err != nil {
			b.Fatal(err)
		}
	}
	return []*contest{
		{"encrypt r^n", 8, func() error { return standard.EncryptBatch(ctx, nil, o.z[:8], o.m[:8]) }, nil},
		{"encrypt DJN", benchBatch, func() error { return pk.EncryptBatch(ctx, nil, o.z, o.m) }, nil},
		{"encrypt owner", benchBatch, func() error { return sk.EncryptBatch(ctx, nil, o.z, o.m) }, nil},
		{"add digits", benchBatch, func() error { return v.Add(ctx, u) }, nil},
		{"add wire", benchBatch, func() error { return pk.AddBatch(ctx, o.z, o.a, o.b) }, nil},
		{"scale 64-bit", benchBatch, func() error { return pk.MulConstBatch(ctx, o.z, o.a, o.k) }, nil},
		{"decrypt", 8, func() error { return sk.DecryptBatch(ctx, o.opened[:8], o.a[:8]) }, nil},
	}
}

// inBig does the same items in math/big, straightforwardly: no comb, no kernels,
// but CRT where the line says so.
func inBig(o *operands) map[string]func(i int) {
	k := plain.New(o.sk.p, o.sk.q)
	m := func(i int) *big.Int { return o.m[i%benchBatch] }
	exponent := new(big.Int).Rsh(o.r, uint(o.r.BitLen()-o.sk.p.BitLen()-extraBits))
	add := func(i int) { k.Add(o.ai[i%benchBatch], o.bi[i%benchBatch]) }
	return map[string]func(i int){
		"encrypt r^n":   func(i int) { k.Encrypt(m(i), o.r) },
		"encrypt DJN":   func(i int) { k.EncryptPower(m(i), o.h, o.half) },
		"encrypt owner": func(i int) { k.EncryptOwner(m(i), o.h, exponent) },
		"add digits":    add,
		"add wire":      add,
		"scale 64-bit":  func(i int) { k.Scale(o.ai[i%benchBatch], o.k[i%benchBatch]) },
		"decrypt":       func(i int) { k.Decrypt(o.ai[i%benchBatch]) },
	}
}

// BenchmarkPaillier prints issue 6's table: for each operation µs an item, and
// how many times as long math/big takes (and GMP, with -tags gmp).
func BenchmarkPaillier(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096} {
		sk := testKey(b, bits)
		o := newOperands(b, sk)
		for _, c := range contests(b, sk) {
			c.others = append(c.others, &contestant{"big", inBig(o)[c.name]})
			if gmp := inGMP(o); gmp != nil {
				c.others = append(c.others, &contestant{"gmp", gmp[c.name]})
			}
			b.Run(fmt.Sprintf("%d/%s", bits, c.name), c.bench)
		}
	}
}

// BenchmarkMillion encrypts a million 32-bit values as the owner, packed for a
// sum of 1,000, and adds the same million in digits: seconds for the first, ns a
// value for the second.
func BenchmarkMillion(b *testing.B) {
	const million, addends = 1_000_000, 1000
	ctx := context.Background()
	sk := testKey(b, 3072)
	sk.Precompute()
	p := mustPacking(b, Layout{Bits: 3072, ValueBits: 32, Weights: slices.Repeat([]int64{1}, addends)})
	values := make([]int64, million)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range values {
		values[i] = int64(int32(rng.Uint32()))
	}
	for range b.N {
		start := time.Now()
		packed, err := p.Pack(nil, values)
		if err != nil {
			b.Fatal(err)
		}
		c := ciphertexts(len(packed))
		if err := sk.EncryptBatch(ctx, nil, c, packed); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/million")
		v, u := sk.NewVector(len(c)), sk.NewVector(len(c))
		if err := v.Load(ctx, c); err != nil {
			b.Fatal(err)
		}
		if err := u.Load(ctx, c); err != nil {
			b.Fatal(err)
		}
		least := time.Hour
		for range contestRounds {
			start = time.Now()
			if err := v.Add(ctx, u); err != nil {
				b.Fatal(err)
			}
			least = min(least, time.Since(start))
		}
		b.ReportMetric(float64(least.Nanoseconds())/million, "ns/value")
	}
}

// BenchmarkGenerateKey measures keys of 3072 bits.
func BenchmarkGenerateKey(b *testing.B) {
	for range b.N {
		if _, err := GenerateKey(context.Background(), KeyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPaths measures each path that this machine has.
func BenchmarkPaths(b *testing.B) {
	for _, p := range paths() {
		sk := forced(testKey(b, 3072), FormDJN, p)
		o := newOperands(b, sk)
		for _, c := range contests(b, sk) {
			c.others = []*contestant{{"big", inBig(o)[c.name]}}
			b.Run(fmt.Sprintf("%s/%s", p.name(), c.name), c.bench)
		}
	}
}
