package paillier

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// opened returns n ciphertexts of known plaintexts and openings.
func opened(t testing.TB, pk *PublicKey, m ...int64) ([]*Ciphertext, []*Opening) {
	t.Helper()
	plain := make([]*big.Int, len(m))
	for i, v := range m {
		plain[i] = big.NewInt(v)
		plain[i].Mod(plain[i], pk.n)
	}
	c, o, err := pk.EncryptOpenings(context.Background(), nil, plain)
	if err != nil {
		t.Fatal(err)
	}
	return c, o
}

func TestKnowledge(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pk := sk.Public()
	at := testContext(1)
	c, o := opened(t, pk, 5, -7, 0, 1<<40)
	for i, want := range []int64{5, -7, 0, 1 << 40} {
		if m, err := sk.Decrypt(c[i]); err != nil || pk.Center(m).Int64() != want {
			t.Fatal("an opened ciphertext decrypts wrong", i, err)
		}
	}
	proofs, err := pk.ProveKnowledge(ctx, nil, at, c, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := pk.VerifyKnowledge(ctx, at, c, proofs); err != nil {
		t.Fatal(err)
	}
	with, err := pk.EncryptWith(big.NewInt(9), big.NewInt(1234567))
	if err != nil {
		t.Fatal(err)
	}
	own, err := pk.NewOpening(big.NewInt(9), big.NewInt(1234567))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pk.ProveKnowledge(ctx, nil, at, []*Ciphertext{with}, []*Opening{own})
	if err != nil {
		t.Fatal(err)
	}
	if err := pk.VerifyKnowledge(ctx, at, []*Ciphertext{with}, p); err != nil {
		t.Fatal("of EncryptWith", err)
	}
}

func TestKnowledgeRefused(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pk := sk.Public()
	at := testContext(1)
	c, o := opened(t, pk, 5, 6)
	proofs, err := pk.ProveKnowledge(ctx, nil, at, c, o)
	if err != nil {
		t.Fatal(err)
	}
	// A copier: another's ciphertext, changed, with its proof changed likewise.
	changed, err := pk.AddPlain(c[0], one)
	if err != nil {
		t.Fatal(err)
	}
	shifted := *proofs[0]
	shifted.w = new(big.Int).Add(shifted.w, shifted.e)
	shifted.w.Mod(shifted.w, pk.n)
	change := func(f func(p *KnowledgeProof)) *KnowledgeProof {
		p := *proofs[0]
		f(&p)
		return &p
	}
	// The trivial solution of z^n = a·c^e with z = a = 0.
	zero := change(func(p *KnowledgeProof) { p.z = new(big.Int) })
	zero.e = pk.knowledgeChallenge(pk.knowledgeStatement(at, c[0]), new(big.Int))
	elsewhere := at
	elsewhere.Job = "another"
	for name, k := range map[string]struct {
		at   Context
		c    *Ciphertext
		p    *KnowledgeProof
		want error
	}{
		"another job":          {elsewhere, c[0], proofs[0], ErrProof},
		"another's ciphertext": {at, c[1], proofs[0], ErrProof},
		"changed ciphertext":   {at, changed, &shifted, ErrProof},
		"none":                 {at, c[0], nil, ErrProof},
		"e too long":           {at, c[0], change(func(p *KnowledgeProof) { p.e = challengeModulus }), ErrProof},
		"w is n":               {at, c[0], change(func(p *KnowledgeProof) { p.w = pk.n }), ErrProof},
		"w negative":           {at, c[0], change(func(p *KnowledgeProof) { p.w = big.NewInt(-1) }), ErrProof},
		"z is 0":               {at, c[0], zero, ErrProof},
		"z is p":               {at, c[0], change(func(p *KnowledgeProof) { p.z = sk.p }), ErrProof},
		"z is n":               {at, c[0], change(func(p *KnowledgeProof) { p.z = pk.n }), ErrProof},
		"-z":                   {at, c[0], change(func(p *KnowledgeProof) { p.z = new(big.Int).Sub(pk.n, p.z) }), ErrProof},
		"another key's":        {at, c[0], change(func(p *KnowledgeProof) { p.fp[0] ^= 1 }), ErrKeyMismatch},
	} {
		if err := pk.VerifyKnowledge(ctx, k.at, []*Ciphertext{k.c}, []*KnowledgeProof{k.p}); !errors.Is(err, k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := pk.VerifyKnowledge(ctx, at, c, proofs[:1]); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
}

func TestOpenings(t *testing.T) {
	ctx := context.Background()
	pk := testKey(t, 2048).Public()
	at := testContext(1)
	c, o := opened(t, pk, 5, 6)
	wrong, err := pk.ProveKnowledge(ctx, nil, at, c[:1], o[1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := pk.VerifyKnowledge(ctx, at, c[:1], wrong); !errors.Is(err, ErrProof) {
		t.Errorf("proved by another's opening: %v", err)
	}
	if s := fmt.Sprintf("%v %+v %#v %d", o[0], o[0], o[0], o[0]); s != "paillier opening paillier opening paillier opening paillier opening" {
		t.Errorf("an opening prints itself: %s", s)
	}
}

// The weights make every number from 0 to the span and no other.
func TestRangeWeights(t *testing.T) {
	for span := uint64(1); span <= 300; span++ {
		h := rangeWeights(span)
		if h[len(h)-1] != 1 {
			t.Fatalf("span %d: the last weight is %d", span, h[len(h)-1])
		}
		sum := uint64(0)
		for _, v := range h {
			sum += v
		}
		if sum != span {
			t.Fatalf("span %d: the weights add up to %d", span, sum)
		}
		for x := range span + 1 {
			checkRangeBits(t, x, h)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, span := range []uint64{1 << 32, 1<<63 - 1, 1 << 63, math.MaxUint64, rng.Uint64()} {
		h := rangeWeights(span)
		for _, x := range []uint64{0, 1, span / 2, span - 1, span, rng.Uint64N(span)} {
			checkRangeBits(t, x, h)
		}
	}
}

func checkRangeBits(t *testing.T, x uint64, h []uint64) {
	t.Helper()
	sum := uint64(0)
	for i, b := range rangeBits(x, h) {
		sum += uint64(b) * h[i]
	}
	if sum != x {
		t.Fatalf("%d becomes %d by %v", x, sum, h)
	}
}

func TestRange(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pk := sk.Public()
	at := testContext(1)
	for _, k := range []struct{ low, high, m int64 }{
		{0, 1, 0}, {0, 1, 1}, {0, 5, 5}, {-3, 9, -3}, {-3, 9, 9}, {-3, 9, 0}, {10, 12, 11}, {-9, -4, -5},
		{math.MinInt32, math.MaxInt32, -12345},
	} {
		c, o := opened(t, pk, k.m)
		p, err := pk.ProveRange(ctx, nil, at, c[0], o[0], k.low, k.high)
		if err != nil {
			t.Fatal(k, err)
		}
		if err := pk.VerifyRange(ctx, at, c[0], k.low, k.high, p); err != nil {
			t.Fatal(k, err)
		}
		if err := pk.VerifyRange(ctx, at, c[0], k.low, k.high+1, p); !errors.Is(err, ErrProof) {
			t.Errorf("%v as another range: %v", k, err)
		}
		if err := pk.VerifyRange(ctx, at, c[0], k.low-1, k.high-1, p); !errors.Is(err, ErrProof) {
			t.Errorf("%v as a range moved: %v", k, err)
		}
	}
}

func TestRangeRefused(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pk := sk.Public()
	at := testContext(1)
	for _, m := range []int64{-4, 10, 1 << 40, math.MinInt64, math.MaxInt64} {
		c, o := opened(t, pk, m)
		if _, err := pk.ProveRange(ctx, nil, at, c[0], o[0], -3, 9); !errors.Is(err, ErrWitness) {
			t.Errorf("%d is proved to lie in [-3, 9]: %v", m, err)
		}
	}
	c, o := opened(t, pk, 4, 4)
	if _, err := pk.ProveRange(ctx, nil, at, c[1], o[0], 0, 9); !errors.Is(err, ErrWitness) {
		t.Errorf("another's opening: %v", err)
	}
	for _, r := range [][2]int64{{1, 1}, {2, 1}} {
		if _, err := pk.ProveRange(ctx, nil, at, c[0], o[0], r[0], r[1]); !errors.Is(err, ErrOptions) {
			t.Errorf("range %v: %v", r, err)
		}
	}
	good, err := pk.ProveRange(ctx, nil, at, c[0], o[0], 0, 9)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := at
	elsewhere.Department = "another"
	if err := pk.VerifyRange(ctx, elsewhere, c[0], 0, 9, good); !errors.Is(err, ErrProof) {
		t.Errorf("another department: %v", err)
	}
	if err := pk.VerifyRange(ctx, at, c[1], 0, 9, good); !errors.Is(err, ErrProof) {
		t.Errorf("another ciphertext of the same number: %v", err)
	}
	for name, change := range map[string]func(p *RangeProof){
		"nothing":     func(p *RangeProof) { *p = RangeProof{} },
		"fewer bits":  func(p *RangeProof) { p.part = p.part[1:]; p.c = p.c[1:] },
		"bits turned": func(p *RangeProof) { p.part[0], p.part[1] = p.part[1], p.part[0] },
		"e0 + 2^256":  func(p *RangeProof) { p.part[0].e0 = new(big.Int).Add(p.part[0].e0, challengeModulus) },
		"-z":          func(p *RangeProof) { p.part[0].z0 = new(big.Int).Sub(pk.n, p.part[0].z0) },
		"z is n":      func(p *RangeProof) { p.part[1].z1 = pk.n },
		"bit is 0":    func(p *RangeProof) { p.c[0] = new(big.Int) },
		"bit is p":    func(p *RangeProof) { p.c[0] = sk.p },
		"bit is -bit": func(p *RangeProof) { p.c[0] = new(big.Int).Sub(pk.nn, p.c[0]) },
	} {
		p := *good
		p.c = append([]*big.Int(nil), good.c...)
		p.part = append([]bitProof(nil), good.part...)
		change(&p)
		if err := pk.VerifyRange(ctx, at, c[0], 0, 9, &p); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := pk.VerifyRange(ctx, at, c[0], 0, 9, nil); !errors.Is(err, ErrProof) {
		t.Error(err)
	}
}

// A prover who encrypts 2 as a "bit" cannot answer: he has a witness for neither
// side.
func TestRangeOfABitThatIsTwo(t *testing.T) {
	ctx := context.Background()
	pk := testKey(t, 2048).Public()
	at := testContext(1)
	c, o := opened(t, pk, 13) // [0, 9] has weights 5, 2, 1, 1: 5 + 2·2 + … or 2·5 + 2 + 1
	b, err := pk.newBounds(at, c[0], 0, 9)
	if err != nil {
		t.Fatal(err)
	}
	hide, err := newMasks(nil, pk.openingKey(o[0]), b.seed)
	if err != nil {
		t.Fatal(err)
	}
	values := []uint{2, 1, 1, 0}
	noise, cipher, err := b.encryptBits(ctx, hide, o[0], values)
	if err != nil {
		t.Fatal(err)
	}
	answers := make([][2]answer, len(values))
	for i := range values {
		answers[i] = [2]answer{{hide.unit(pk.n), new(big.Int)}, {hide.unit(pk.n), hide.bits(challengeBits)}}
	}
	commitments, err := b.commitments(ctx, cipher, answers)
	if err != nil {
		t.Fatal(err)
	}
	p := &RangeProof{fp: pk.fp, bits: pk.Bits(), c: cipher[:3], e: b.challenge(cipher, commitments)}
	for i := range values {
		e0 := new(big.Int).Sub(p.e, answers[i][1].e)
		e0.Mod(e0, challengeModulus)
		z := new(big.Int).Exp(noise[i], e0, pk.n)
		z.Mul(z, answers[i][0].z).Mod(z, pk.n)
		p.part = append(p.part, bitProof{e0, z, answers[i][1].z})
	}
	if err := pk.VerifyRange(ctx, at, c[0], 0, 9, p); !errors.Is(err, ErrProof) {
		t.Fatalf("13 is in [0, 9]: %v", err)
	}
}
