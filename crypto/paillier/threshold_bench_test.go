//go:build unix

package paillier

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// duel is one line of BENCH.md's threshold table: a batch of ours against the same
// work done straightforwardly in math/big, one by one, in turns.
type duel struct {
	name   string
	batch  int // items for each call of ours
	ours   func() error
	theirs func() // one item; nil if there is nothing to compare with
}

const duelRounds = 7

// bench reports the median of the rounds' µs and of their ratios, in the process's
// own processor time, with -cpu 1: that does not count what others do meanwhile,
// and what they do to caches and clocks slows both sides of a round.
func (d *duel) bench(b *testing.B) {
	if err := d.ours(); err != nil { // tables and workspaces
		b.Fatal(err)
	}
	var mine, ratios []float64
	for range duelRounds {
		start := processorSeconds(b)
		if err := d.ours(); err != nil {
			b.Fatal(err)
		}
		mine = append(mine, (processorSeconds(b)-start)*1e6/float64(d.batch))
		if d.theirs == nil {
			continue
		}
		start = processorSeconds(b)
		n := 0
		for ; n == 0 || processorSeconds(b)-start < 0.02; n++ {
			d.theirs()
		}
		ratios = append(ratios, (processorSeconds(b)-start)*1e6/float64(n)/mine[len(mine)-1])
	}
	for range b.N { // the rounds above are the measurement
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(mine), "µs/item")
	if len(ratios) > 0 {
		b.ReportMetric(median(ratios), "x-big")
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// straight is threshold decryption in math/big as the paper writes it.
type straight struct {
	d        *dealt
	nn       *big.Int
	exponent *big.Int // 2Δ·s_1
	c, x     *big.Int
	e, z     *big.Int
	shares   []*big.Int
}

func newStraight(b *testing.B, d *dealt, c []*Ciphertext) *straight {
	p := d.prove(b, 1, testContext(1), c[:1])
	s := &straight{d: d, nn: d.sk.nn, c: c[0].Int(), x: p.Share.x[0].Int(), e: p.Proof.e, z: p.Proof.z}
	s.exponent = new(big.Int).Mul(d.shares[0].secret, d.vk.factorial)
	s.exponent.Lsh(s.exponent, 1)
	for i := 1; i <= d.vk.threshold; i++ {
		s.shares = append(s.shares, d.share(b, i, c[:1]).x[0].Int())
	}
	return s
}

func (s *straight) share() { new(big.Int).Exp(s.c, s.exponent, s.nn) }

// commitments are what a prover computes; a verifier does as much and two powers by
// e besides.
func (s *straight) commitments(e *big.Int) (a, b *big.Int) {
	c4 := new(big.Int).Exp(s.c, big.NewInt(4), s.nn)
	return c4.Exp(c4, e, s.nn), new(big.Int).Exp(s.d.vk.base, e, s.nn)
}

func (s *straight) verify() {
	a, b := s.commitments(s.z)
	minus := new(big.Int).Neg(s.e)
	x2 := new(big.Int).Mul(s.x, s.x)
	a.Mul(a, x2.Exp(x2, minus, s.nn)).Mod(a, s.nn)
	b.Mul(b, new(big.Int).Exp(s.d.vk.values[0], minus, s.nn)).Mod(b, s.nn)
}

func (s *straight) combine() {
	product := big.NewInt(1)
	for i, x := range s.shares {
		lambda := new(big.Int).Set(s.d.vk.factorial)
		for j := range s.shares {
			if i != j {
				lambda.Mul(lambda, big.NewInt(int64(j+1))).Quo(lambda, big.NewInt(int64(j-i)))
			}
		}
		product.Mul(product, new(big.Int).Exp(x, lambda.Lsh(lambda, 1), s.nn)).Mod(product, s.nn)
	}
	scale := new(big.Int).Mul(s.d.vk.factorial, s.d.vk.factorial)
	scale.Lsh(scale, 2).ModInverse(scale, s.d.sk.n)
	product.Sub(product, one).Div(product, s.d.sk.n).Mul(product, scale).Mod(product, s.d.sk.n)
}

// BenchmarkThreshold prints issue 7's table: 3 of 5 parties, µs a ciphertext, and
// how many times as long math/big takes.
func BenchmarkThreshold(b *testing.B) {
	ctx := context.Background()
	for _, name := range []string{"2048-a", "3072"} {
		d := deal(b, name, 3, 5)
		_, c := d.encrypted(b, 64)
		s := newStraight(b, d, c)
		at := testContext(1)
		post := d.prove(b, 1, at, c)
		var singles []Post
		for range 8 {
			singles = append(singles, d.prove(b, 1, at, c[:1]))
		}
		var shares []*DecryptionShare
		for i := 1; i <= 3; i++ {
			shares = append(shares, d.share(b, i, c))
		}
		got := bigs(64)
		for _, l := range []*duel{
			{"share", 8, func() error { _, err := d.shares[0].DecryptShare(ctx, c[:8]); return err }, s.share},
			{"prove, list of 64", 64, func() error {
				_, err := d.shares[0].Prove(ctx, nil, at, c, post.Share)
				return err
			}, func() { s.commitments(s.z) }},
			{"verify, 8 proofs of one", 8, func() error {
				faults, err := d.vk.verifyAll(ctx, at, c[:1], singles)
				for _, f := range faults {
					if f != nil {
						return f
					}
				}
				return err
			}, s.verify},
			{"verify, one proof of one", 1, func() error {
				return d.vk.Verify(ctx, at, c[:1], singles[0].Share, singles[0].Proof)
			}, s.verify},
			{"verify, list of 64", 64, func() error { return d.vk.Verify(ctx, at, c, post.Share, post.Proof) }, s.verify},
			{"combine", 64, func() error { return d.vk.Combine(ctx, got, shares) }, s.combine},
		} {
			b.Run(fmt.Sprintf("%d/%s", d.vk.pk.Bits(), l.name), l.bench)
		}
	}
}

// BenchmarkProofs measures the other proofs and their bytes at 3072 bits: µs for
// each proof.
func BenchmarkProofs(b *testing.B) {
	ctx := context.Background()
	at := testContext(1)
	sk := safeKey(b, "3072")
	pk := sk.Public()
	u := setupOf(b, "2048-b")
	c, o := opened(b, pk, 1, 2, 3, 4, 5, 6, 7, 8)
	var k []*KnowledgeProof
	var r *RangeProof
	var m *ModulusProof
	var f *FactorProof
	size := func(v interface{ MarshalBinary() ([]byte, error) }) int {
		bytes, _ := v.MarshalBinary()
		return len(bytes)
	}
	for _, l := range []struct {
		duel
		bytes func() int
	}{
		{duel{"knowledge, prove 8", 8, func() (err error) { k, err = pk.ProveKnowledge(ctx, nil, at, c, o); return err }, nil}, func() int { return size(k[0]) }},
		{duel{"knowledge, verify 8", 8, func() error { return pk.VerifyKnowledge(ctx, at, c, k) }, nil}, nil},
		{duel{"range of 32 bits, prove", 1, func() (err error) {
			r, err = pk.ProveRange(ctx, nil, at, c[0], o[0], -1<<31, 1<<31-1)
			return err
		}, nil}, func() int { return size(r) }},
		{duel{"range of 32 bits, verify", 1, func() error { return pk.VerifyRange(ctx, at, c[0], -1<<31, 1<<31-1, r) }, nil}, nil},
		{duel{"modulus, prove", 1, func() (err error) { m, err = sk.ProveModulus(nil, at); return err }, nil}, func() int { return size(m) }},
		{duel{"modulus, verify", 1, func() error { return pk.VerifyModulus(ctx, at, m) }, nil}, nil},
		{duel{"no small factor, prove", 1, func() (err error) { f, err = sk.ProveFactors(ctx, nil, at, u); return err }, nil}, func() int { return size(f) }},
		{duel{"no small factor, verify", 1, func() error { return pk.VerifyFactors(ctx, at, u, f) }, nil}, nil},
		{duel{"set-up of 2048 bits, verify", 1, func() error { return u.Verify(ctx, testContext(9)) }, nil}, func() int { return size(u) }},
	} {
		b.Run(l.name, func(b *testing.B) {
			l.bench(b)
			if l.bytes != nil {
				b.ReportMetric(float64(l.bytes()), "bytes")
			}
		})
	}
}

// BenchmarkGenerateSafeKey reports the median and the greatest of the seconds that
// keys of 3072 bits and two safe primes take on all processors, and the median of
// the processor time, which a busy machine does not change.
func BenchmarkGenerateSafeKey(b *testing.B) {
	var seconds, busy []float64
	for range max(b.N, 9) {
		start, told, used := time.Now(), 0, processorSeconds(b)
		o := KeyOptions{Safe: true, Progress: func(Progress) { told++ }}
		if _, err := GenerateKey(context.Background(), o); err != nil {
			b.Fatal(err)
		}
		seconds = append(seconds, time.Since(start).Seconds())
		busy = append(busy, processorSeconds(b)-used)
		if told == 0 {
			b.Fatal("no progress was told")
		}
	}
	b.ReportMetric(median(seconds), "s/median")
	b.ReportMetric(slices.Max(seconds), "s/max")
	b.ReportMetric(median(busy), "cpu-s/median")
	b.ReportMetric(float64(len(seconds)), "keys")
	b.ReportMetric(0, "ns/op")
}

// processorSeconds is what this process has used of all processors.
func processorSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
