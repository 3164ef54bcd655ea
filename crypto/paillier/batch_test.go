package paillier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"
)

// forced returns the key on a path of the test's choice.
func forced(k *PrivateKey, form Form, p path) *PrivateKey {
	sk := newPrivateKey(k.p, k.q, form)
	sk.cache.path = p
	return sk
}

func ciphertexts(n int) []*Ciphertext {
	c := make([]*Ciphertext, n)
	for i := range c {
		c[i] = new(Ciphertext)
	}
	return c
}

// Every path, every batch form, lengths around lanes and chunks.
func TestBatches(t *testing.T) {
	for _, p := range paths() {
		for _, form := range []Form{FormDJN, FormStandard} {
			t.Run(p.name()+"/"+form.String(), func(t *testing.T) {
				lengths := []int{0, 1, 9}
				if p.lanes() > 1 {
					lengths = append(lengths, 67)
				}
				for _, n := range lengths {
					bits := 2048
					if n == 9 && p.lanes() > 1 && !testing.Short() {
						bits = 2560
					}
					checkBatches(t, forced(testKey(t, bits), form, p), n)
				}
			})
		}
	}
}

func checkBatches(t *testing.T, sk *PrivateKey, n int) {
	ctx, pk := context.Background(), sk.Public()
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	m, k := make([]*big.Int, n), make([]*big.Int, n)
	for i := range m {
		m[i] = randBelow(rng, pk.n)
		k[i] = big.NewInt(rng.Int64() - rng.Int64())
		if k[i].Sign() == 0 {
			k[i].SetInt64(1)
		}
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s of %d: %v", what, n, err)
		}
	}
	opens := func(what string, c []*Ciphertext, want func(i int) *big.Int) {
		t.Helper()
		got := make([]*big.Int, n)
		for i := range got {
			got[i] = new(big.Int)
		}
		must("decrypt", sk.DecryptBatch(ctx, got, c))
		for i := range got {
			if w := new(big.Int).Mod(want(i), pk.n); got[i].Cmp(w) != 0 || i == n-1 && decryptCRTBig(sk, c[i].Int()).Cmp(w) != 0 {
				t.Fatalf("%s of %d: number %d opens wrong", what, n, i)
			}
		}
	}
	a, b, z := ciphertexts(n), ciphertexts(n), ciphertexts(n)
	plain := func(i int) *big.Int { return m[i] }
	twice := func(i int) *big.Int { return new(big.Int).Lsh(m[i], 1) }
	must("encrypt", pk.EncryptBatch(ctx, nil, a, m))
	opens("encrypt", a, plain)
	must("owner's encrypt", sk.EncryptBatch(ctx, nil, b, m))
	opens("owner's encrypt", b, plain)
	must("add", pk.AddBatch(ctx, z, a, b))
	opens("add", z, twice)
	for i := range z {
		if want := pk.multiply(a[i].w, b[i].w); z[i].Int().Cmp(want) != 0 {
			t.Fatalf("add: number %d is not the product", i)
		}
		z[i].unmark()
	}
	must("check", pk.CheckBatch(ctx, z))
	must("add in place", pk.AddPlainBatch(ctx, z, z, m))
	opens("add plain", z, func(i int) *big.Int { return new(big.Int).Mul(m[i], big.NewInt(3)) })
	must("scale", pk.MulConstBatch(ctx, z, a, k))
	opens("scale", z, func(i int) *big.Int { return new(big.Int).Mul(m[i], k[i]) })
	must("rerandomise", pk.RerandomiseBatch(ctx, nil, z, a))
	opens("rerandomise", z, plain)
	must("owner's rerandomise", sk.RerandomiseBatch(ctx, nil, z, z))
	opens("owner's rerandomise", z, plain)
	must("neg", pk.NegBatch(ctx, z, a))
	opens("neg", z, func(i int) *big.Int { return new(big.Int).Neg(m[i]) })
	must("combine columns", pk.LinearCombinationBatch(ctx, z, [][]*Ciphertext{a, z, b}, []int64{5, -3, 200}))
	opens("combine columns", z, func(i int) *big.Int { return new(big.Int).Mul(m[i], big.NewInt(208)) })
	v, u := pk.NewVector(n), pk.NewVector(n)
	must("load", v.Load(ctx, a))
	must("load", u.Load(ctx, b))
	must("vector add", v.Add(ctx, u))
	must("store", v.Store(ctx, z))
	opens("vector", z, twice)
	if n == 0 {
		return
	}
	weights, sum := make([]int64, n), new(big.Int)
	for i := range weights {
		weights[i] = rng.Int64N(511) - 255
		sum.Add(sum, new(big.Int).Mul(big.NewInt(weights[i]), m[i]))
	}
	weights[0] += 1000
	sum.Add(sum, new(big.Int).Mul(big.NewInt(1000), m[0]))
	c, err := pk.LinearCombination(a, weights)
	must("combine", err)
	if got := decryptBig(sk, c.Int()); got.Cmp(sum.Mod(sum, pk.n)) != 0 {
		t.Fatalf("a combination of %d opens wrong", n)
	}
}

// All paths give the same evaluation, to the bit.
func TestPathsAgree(t *testing.T) {
	k := testKey(t, 2048)
	c := ciphertexts(20)
	m := make([]*big.Int, len(c))
	for i := range m {
		m[i] = big.NewInt(int64(i))
	}
	if err := k.EncryptBatch(context.Background(), nil, c, m); err != nil {
		t.Fatal(err)
	}
	var first *Ciphertext
	for _, p := range paths() {
		pk := forced(k, FormDJN, p).Public()
		weights := make([]int64, len(c))
		for i := range weights {
			weights[i] = int64(i*17 - 100)
		}
		got, err := pk.LinearCombination(c, weights)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !got.Equal(first) {
			t.Fatalf("%s differs", p.name())
		}
	}
}

func TestBatchesRefused(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pk := sk.Public()
	m := []*big.Int{one, one}
	c := ciphertexts(2)
	if err := pk.EncryptBatch(ctx, nil, c, m); err != nil {
		t.Fatal(err)
	}
	short, hole := ciphertexts(1), []*Ciphertext{new(Ciphertext), nil}
	for name, err := range map[string]error{
		"encrypt":       pk.EncryptBatch(ctx, nil, short, m),
		"encrypt nil":   pk.EncryptBatch(ctx, nil, hole, m),
		"owner":         sk.EncryptBatch(ctx, nil, short, m),
		"add":           pk.AddBatch(ctx, c, c, short),
		"add plain":     pk.AddPlainBatch(ctx, short, c, m),
		"scale":         pk.MulConstBatch(ctx, short, c, m),
		"neg":           pk.NegBatch(ctx, short, c),
		"combine":       pk.LinearCombinationBatch(ctx, c, [][]*Ciphertext{c}, []int64{1, 2}),
		"combine none":  pk.LinearCombinationBatch(ctx, c, nil, nil),
		"combine short": pk.LinearCombinationBatch(ctx, c, [][]*Ciphertext{c, short}, []int64{1, 2}),
		"rerandomise":   pk.RerandomiseBatch(ctx, nil, hole, c),
		"by the owner":  sk.RerandomiseBatch(ctx, nil, short, c),
		"decrypt":       sk.DecryptBatch(ctx, m[:1], c),
		"decrypt nil":   sk.DecryptBatch(ctx, []*big.Int{nil, one}, c),
		"vector load":   pk.NewVector(3).Load(ctx, c),
		"vector add":    pk.NewVector(3).Add(ctx, pk.NewVector(2)),
		"vector store":  pk.NewVector(3).Store(ctx, c),
		"pool of zero":  second(pk.NewPool(0)),
		"pool too many": second(pk.NewPool(1 << 30)),
	} {
		if !errors.Is(err, ErrLength) && !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := pk.NewVector(1).Add(ctx, testKey(t, 2560).NewVector(1)); !errors.Is(err, ErrKeyMismatch) {
		t.Error(err)
	}
	broken := errors.New("no randomness")
	if err := pk.EncryptBatch(ctx, iotest.ErrReader(broken), c, m); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := sk.EncryptBatch(ctx, bytes.NewReader(make([]byte, 10)), c, m); err == nil {
		t.Error("ten bytes of randomness were enough")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, err := range map[string]error{
		"encrypt": pk.EncryptBatch(cancelled, nil, c, m),
		"owner":   sk.EncryptBatch(cancelled, nil, c, m),
		"add":     pk.AddBatch(cancelled, c, c, c),
		"decrypt": sk.DecryptBatch(cancelled, []*big.Int{new(big.Int), new(big.Int)}, c),
		"check":   pk.CheckBatch(cancelled, c),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A bad ciphertext anywhere in a long batch is found and named.
func TestCheckBatchFinds(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pk := sk.Public()
	const n = 150
	m := make([]*big.Int, n)
	for i := range m {
		m[i] = big.NewInt(int64(i))
	}
	c := ciphertexts(n)
	if err := sk.EncryptBatch(ctx, nil, c, m); err != nil {
		t.Fatal(err)
	}
	bare := new(big.Int).Add(new(big.Int).Mul(big.NewInt(99), pk.n), one)
	for want, v := range map[error]*big.Int{ErrCiphertextRange: pk.nn, ErrCiphertextBare: bare, ErrCiphertextFactor: sk.q} {
		for _, at := range []int{0, 77, n - 1} {
			all := ciphertexts(n)
			for i := range all {
				all[i].set(pk, c[i].Int())
				all[i].unmark()
			}
			all[at].set(pk, v)
			all[at].unmark()
			err := pk.CheckBatch(ctx, all)
			if !errors.Is(err, want) || !bytes.Contains([]byte(err.Error()), []byte(fmt.Sprintf("operand %d:", at))) {
				t.Errorf("%v at %d: %v", want, at, err)
			}
		}
	}
}

// Keys, combs and workspaces are made by whoever comes first; for -race.
func TestConcurrentUse(t *testing.T) {
	k := testKey(t, 2048)
	sk := newPrivateKey(k.p, k.q, FormDJN)
	shared, err := k.Encrypt(nil, big.NewInt(7))
	if err != nil {
		t.Fatal(err)
	}
	shared.unmark()
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			pk := sk.Public()
			c, err := pk.Encrypt(nil, big.NewInt(int64(i)))
			if err == nil && i%2 == 0 {
				c, err = sk.Rerandomise(nil, c)
			}
			if err == nil {
				c, err = pk.Add(c, shared)
			}
			if err != nil {
				t.Error(err)
				return
			}
			if m, err := sk.Decrypt(c); err != nil || m.Int64() != int64(7+i) {
				t.Error(m, err)
			}
		}()
	}
	wg.Wait()
}

// Owner's and public noise are powers by n: their n-th roots exist, which the
// group order tells.
func TestNoiseIsResidue(t *testing.T) {
	sk := testKey(t, 2048)
	phi := new(big.Int).Mul(new(big.Int).Sub(sk.p, one), new(big.Int).Sub(sk.q, one))
	for _, encrypt := range []func() (*Ciphertext, error){
		func() (*Ciphertext, error) { return sk.Encrypt(nil, new(big.Int)) },
		func() (*Ciphertext, error) { return sk.Public().Encrypt(nil, new(big.Int)) },
	} {
		c, err := encrypt()
		if err != nil {
			t.Fatal(err)
		}
		if new(big.Int).Exp(c.Int(), phi, sk.nn).Cmp(one) != 0 {
			t.Fatal("the noise is no n-th power")
		}
	}
}

// The owner's first base generates all that small primes could miss.
func TestOwnerBase(t *testing.T) {
	sk := testKey(t, 2048)
	r := sk.owner().half[0].r
	base, next := sk.ownerBase(r, "test", 0, true)
	if next < 1 {
		t.Fatal(next)
	}
	order := new(big.Int).Sub(sk.p, one)
	pp := new(big.Int).Mul(sk.p, sk.p)
	if new(big.Int).Exp(base, order, pp).Cmp(one) != 0 {
		t.Fatal("the base's order does not divide p-1")
	}
	for _, f := range append(smallFactors(order), 2) {
		e := new(big.Int).Div(order, big.NewInt(int64(f)))
		if new(big.Int).Exp(base, e, pp).Cmp(one) == 0 {
			t.Fatalf("the base is a power by %d", f)
		}
	}
}
