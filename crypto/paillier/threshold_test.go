package paillier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// ring of parties of one dealt key.
type dealt struct {
	sk     *PrivateKey
	vk     *VerificationKey
	shares []*KeyShare
}

// seeded is a reader that gives the same bytes each time: tests repeat.
func seeded(label string) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], label)
	return rand.NewChaCha8(seed)
}

var dealtKeys sync.Map

// deal splits a test key, once for each set of numbers.
func deal(t testing.TB, name string, threshold, parties int) *dealt {
	t.Helper()
	sk := safeKey(t, name)
	id := fmt.Sprint(name, threshold, parties)
	make := sync.OnceValues(func() (*dealt, error) {
		vk, shares, err := sk.Deal(context.Background(), seeded("deal "+id), threshold, parties)
		return &dealt{sk, vk, shares}, err
	})
	v, _ := dealtKeys.LoadOrStore(id, make)
	d, err := v.(func() (*dealt, error))()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// encrypted returns n plaintexts and their ciphertexts, the same in every run but
// for their noise.
func (d *dealt) encrypted(t testing.TB, n int) ([]*big.Int, []*Ciphertext) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	m, c := make([]*big.Int, n), ciphertexts(n)
	for i := range m {
		m[i] = randBelow(rng, d.sk.n)
	}
	if err := d.sk.EncryptBatch(context.Background(), seeded("noise"), c, m); err != nil {
		t.Fatal(err)
	}
	return m, c
}

// share returns party i's share of c.
func (d *dealt) share(t testing.TB, i int, c []*Ciphertext) *DecryptionShare {
	t.Helper()
	s, err := d.shares[i-1].DecryptShare(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// prove returns party i's share of c with its proof.
func (d *dealt) prove(t testing.TB, i int, at Context, c []*Ciphertext) Post {
	t.Helper()
	s := d.share(t, i, c)
	p, err := d.shares[i-1].Prove(context.Background(), nil, at, c, s)
	if err != nil {
		t.Fatal(err)
	}
	return Post{at.Department, s, p}
}

func bigs(n int) []*big.Int {
	v := make([]*big.Int, n)
	for i := range v {
		v[i] = new(big.Int)
	}
	return v
}

// testContext is where department i proves.
func testContext(i int) Context {
	return Context{"research", 3, "j-5gxqcz4m6vqkxw2d6cq7o3w5pe", fmt.Sprintf("department-%d", i)}
}

// Every threshold of parties opens every ciphertext, in any order, on each path.
func TestThreshold(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 3, 5)
	m, c := d.encrypted(t, 11)
	all := make([]*DecryptionShare, 6)
	for i := 1; i <= 5; i++ {
		all[i] = d.share(t, i, c)
	}
	for a := 1; a <= 5; a++ {
		for b := 1; b <= 5; b++ {
			for e := 1; e <= 5; e++ {
				if a == b || b == e || a == e {
					continue
				}
				got := bigs(len(c))
				if err := d.vk.Combine(ctx, got, []*DecryptionShare{all[a], all[b], all[e]}); err != nil {
					t.Fatal(a, b, e, err)
				}
				for i := range got {
					if got[i].Cmp(m[i]) != 0 {
						t.Fatalf("parties %d, %d, %d open number %d wrong", a, b, e, i)
					}
				}
			}
		}
	}
}

// Shares and openings are the same on every path, and those of math/big.
func TestThresholdPaths(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	m, c := d.encrypted(t, 3)
	exponent := new(big.Int).Mul(d.shares[0].secret, big.NewInt(2*6))
	for _, p := range paths() {
		t.Run(p.name(), func(t *testing.T) {
			pk := newPublicKey(d.sk.n, d.sk.form)
			pk.cache.path = p
			vk := newVerificationKey(pk, 2, d.vk.values)
			var shares []*DecryptionShare
			var posts []Post
			for i := 1; i <= 2; i++ {
				ks := newKeyShare(vk, i, d.shares[i-1].secret)
				if err := ks.Check(ctx); err != nil {
					t.Fatal(err)
				}
				s, err := ks.DecryptShare(ctx, c)
				if err != nil {
					t.Fatal(err)
				}
				proof, err := ks.Prove(ctx, nil, testContext(i), c, s)
				if err != nil {
					t.Fatal(err)
				}
				shares, posts = append(shares, s), append(posts, Post{testContext(i).Department, s, proof})
			}
			for i, x := range shares[0].x {
				if want := new(big.Int).Exp(c[i].Int(), exponent, pk.nn); x.Int().Cmp(want) != 0 {
					t.Fatalf("share of number %d", i)
				}
			}
			got := bigs(len(c))
			faults, err := vk.Open(ctx, got, testContext(0), c, posts)
			if err != nil || len(faults) > 0 {
				t.Fatal(faults, err)
			}
			for i := range got {
				if got[i].Cmp(m[i]) != 0 {
					t.Fatalf("number %d opens wrong", i)
				}
			}
		})
	}
}

// Lists around lanes and chunks, and a threshold of sixteen.
func TestThresholdLengths(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	lengths := []int{1, 8, 67}
	if paths()[0].lanes() == 1 || testing.Short() {
		lengths = []int{1, 3}
	}
	for _, n := range lengths {
		m, c := d.encrypted(t, n)
		posts := []Post{d.prove(t, 3, testContext(3), c), d.prove(t, 1, testContext(1), c)}
		got := bigs(n)
		if faults, err := d.vk.Open(ctx, got, testContext(0), c, posts); err != nil || len(faults) > 0 {
			t.Fatal(n, faults, err)
		}
		for i := range got {
			if got[i].Cmp(m[i]) != 0 {
				t.Fatalf("number %d of %d opens wrong", i, n)
			}
		}
	}
	wide := deal(t, "2048-a", 9, 16)
	m, c := wide.encrypted(t, 1)
	var shares []*DecryptionShare
	for i := 16; i > 7; i-- {
		shares = append(shares, wide.share(t, i, c))
	}
	got := bigs(1)
	if err := wide.vk.Combine(ctx, got, shares); err != nil || got[0].Cmp(m[0]) != 0 {
		t.Fatal("9 of 16", err)
	}
}

// The same input gives the same bytes.
func TestShareIsDeterministic(t *testing.T) {
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 9)
	a, _ := d.share(t, 2, c).MarshalBinary()
	again := newKeyShare(d.vk, 2, d.shares[1].secret)
	s, err := again.DecryptShare(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := s.MarshalBinary(); string(a) != string(b) {
		t.Fatal("two shares of one list differ")
	}
}

func TestDealRefused(t *testing.T) {
	ctx := context.Background()
	sk := safeKey(t, "2048-a")
	for _, c := range [][2]int{{0, 3}, {1, 3}, {4, 3}, {2, MaxParties + 1}, {-1, -1}} {
		if _, _, err := sk.Deal(ctx, nil, c[0], c[1]); !errors.Is(err, ErrThreshold) {
			t.Errorf("%d of %d: %v", c[0], c[1], err)
		}
	}
	if _, _, err := testKey(t, 2048).Deal(ctx, nil, 2, 3); !errors.Is(err, ErrThreshold) {
		t.Errorf("primes that are not safe: %v", err)
	}
	if _, _, err := sk.Deal(ctx, strings.NewReader("too little"), 2, 3); err == nil {
		t.Error("dealt without randomness")
	}
}

func TestVerificationKeyRefused(t *testing.T) {
	d := deal(t, "2048-a", 3, 5)
	with := func(i int, v *big.Int) []*big.Int {
		values := append([]*big.Int(nil), d.vk.values...)
		values[i] = v
		return values
	}
	squared := d.vk.pk.times(d.vk.values[2], d.vk.values[2])
	for name, values := range map[string][]*big.Int{
		"nil":           with(0, nil),
		"zero":          with(0, new(big.Int)),
		"negative":      with(0, big.NewInt(-4)),
		"n squared":     with(4, d.sk.nn),
		"a factor of n": with(1, d.sk.p),
		"another value": with(4, squared),
		"among first":   with(2, squared),
		"swapped":       {d.vk.values[1], d.vk.values[0], d.vk.values[2], d.vk.values[3], d.vk.values[4]},
	} {
		if _, err := NewVerificationKey(d.vk.pk, 3, values); !errors.Is(err, ErrVerificationKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		threshold int
		values    []*big.Int
	}{"one": {1, d.vk.values}, "more than parties": {6, d.vk.values}, "none": {2, nil}, "too many": {2, onesOf(MaxParties + 1)}} {
		if _, err := NewVerificationKey(d.vk.pk, c.threshold, c.values); !errors.Is(err, ErrThreshold) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A polynomial of too high a degree for the threshold that is claimed.
	if _, err := NewVerificationKey(d.vk.pk, 2, d.vk.values); !errors.Is(err, ErrVerificationKey) {
		t.Errorf("3 of 5 as 2 of 5: %v", err)
	}
}

// A party sees that a dealer sent it something else.
func TestKeyShareRefused(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 3, 5)
	good := d.shares[0].secret
	for name, c := range map[string]struct {
		index int
		s     *big.Int
		want  error
	}{
		"index 0":         {0, good, ErrShareIndex},
		"index 6":         {6, good, ErrShareIndex},
		"another's index": {2, good, ErrKeyShare},
		"off by one":      {1, new(big.Int).Add(good, one), ErrKeyShare},
		"negative":        {1, new(big.Int).Neg(good), ErrKeyShare},
		"too long":        {1, new(big.Int).Add(good, d.sk.nn), ErrKeyShare},
		"nil":             {1, nil, ErrKeyShare},
	} {
		if _, err := NewKeyShare(ctx, d.vk, c.index, c.s); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewKeyShare(ctx, d.vk, 1, good); err != nil {
		t.Error(err)
	}
}

// A key share prints its name only.
func TestKeyShareDoesNotPrint(t *testing.T) {
	ks := deal(t, "2048-a", 3, 5).shares[0]
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("share", "k", ks)
	out := fmt.Sprintf("%v %+v %#v %s %q %x %d", ks, ks, ks, ks, ks, ks, ks) + ks.GoString() + log.String()
	for _, secret := range []string{ks.secret.String(), ks.secret.Text(16), fmt.Sprint(ks.witness[0]), fmt.Sprintf("%x", ks.witness[0])} {
		if strings.Contains(out, secret) {
			t.Fatalf("a key share shows itself: %s", out)
		}
	}
	if _, err := json.Marshal(ks); !errors.Is(err, ErrPrivate) {
		t.Error(err)
	}
	if _, err := json.Marshal(struct{ K *KeyShare }{ks}); !errors.Is(err, ErrPrivate) {
		t.Error(err)
	}
	for _, f := range []func() ([]byte, error){ks.MarshalText, ks.MarshalBinary} {
		if _, err := f(); !errors.Is(err, ErrPrivate) {
			t.Error(err)
		}
	}
	if !errors.Is(ks.UnmarshalText(nil), ErrPrivate) || !errors.Is(ks.UnmarshalBinary(nil), ErrPrivate) {
		t.Error("a key share unmarshals itself")
	}
}
