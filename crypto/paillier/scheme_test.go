package paillier

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
)

// The vector of FACTS: small enough to check by hand, too small for a key.
func TestToyVector(t *testing.T) {
	n := big.NewInt(1009 * 1013)
	nn := new(big.Int).Mul(n, n)
	c := encryptWith(n, nn, big.NewInt(123456), big.NewInt(54321))
	if c.Cmp(big.NewInt(815306460394)) != 0 {
		t.Fatal(c)
	}
	sk := newPrivateKey(big.NewInt(1009), big.NewInt(1013), FormStandard)
	if m := decryptBig(sk, c); m.Cmp(big.NewInt(123456)) != 0 {
		t.Fatal(m)
	}
}

func random(t testing.TB, below *big.Int) *big.Int {
	t.Helper()
	v, err := rand.Int(rand.Reader, below)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOperations(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		for _, form := range []Form{FormDJN, FormStandard} {
			if bits > 2048 && (testing.Short() || form == FormStandard) {
				continue
			}
			k := testKey(t, bits)
			sk := newPrivateKey(k.p, k.q, form)
			t.Run(form.String()+" "+big.NewInt(int64(bits)).String(), func(t *testing.T) { checkOperations(t, sk) })
		}
	}
}

func checkOperations(t *testing.T, sk *PrivateKey) {
	pk := sk.Public()
	must := func(c *Ciphertext, err error) *Ciphertext {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := pk.Check(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	opens := func(what string, c *Ciphertext, want *big.Int) {
		t.Helper()
		got, err := sk.Decrypt(c)
		if err != nil || got.Cmp(new(big.Int).Mod(want, pk.n)) != 0 {
			t.Fatalf("%s: %v", what, err)
		}
		if oracle := decryptCRTBig(sk, c.Int()); oracle.Cmp(got) != 0 {
			t.Fatalf("%s: math/big opens it differently", what)
		}
	}
	top := new(big.Int).Sub(pk.n, one)
	for _, m := range []*big.Int{new(big.Int), one, top, random(t, pk.n)} {
		opens("public", must(pk.Encrypt(nil, m)), m)
		opens("owner", must(sk.Encrypt(nil, m)), m)
		opens("given noise", must(pk.EncryptWith(m, random(t, pk.n))), m)
	}
	x, y := random(t, pk.n), random(t, pk.n)
	a, b := must(pk.Encrypt(nil, x)), must(sk.Encrypt(nil, y))
	sum := new(big.Int).Add(x, y)
	opens("add", must(pk.Add(a, b)), sum)
	opens("add plain", must(pk.AddPlain(a, y)), sum)
	opens("subtract plain", must(pk.AddPlain(a, new(big.Int).Neg(y))), new(big.Int).Sub(x, y))
	opens("neg", must(pk.Neg(a)), new(big.Int).Neg(x))
	for _, k := range []*big.Int{one, big.NewInt(-1), big.NewInt(77), big.NewInt(-12345), new(big.Int).SetUint64(1<<64 - 1), top} {
		opens("scale", must(pk.MulConst(a, k)), new(big.Int).Mul(x, k))
	}
	opens("combination", must(pk.LinearCombination([]*Ciphertext{a, b, a}, []int64{3, -200, 0})),
		new(big.Int).Sub(new(big.Int).Mul(big.NewInt(3), x), new(big.Int).Mul(big.NewInt(200), y)))
	again := must(pk.Rerandomise(nil, a))
	mine := must(sk.Rerandomise(nil, a))
	opens("rerandomised", again, x)
	opens("rerandomised by the owner", mine, x)
	if again.Equal(a) || mine.Equal(a) || again.Equal(mine) {
		t.Fatal("rerandomising changed nothing")
	}
}

func TestOperandsRefused(t *testing.T) {
	sk := testKey(t, 2048)
	pk := sk.Public()
	other := testKey(t, 2560)
	a, err := pk.Encrypt(nil, big.NewInt(5))
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := other.Encrypt(nil, big.NewInt(5))
	otherForm, _ := newPublicKey(pk.n, FormStandard).Encrypt(nil, one)
	raw := func(v *big.Int) *Ciphertext {
		c := new(Ciphertext)
		c.set(pk, v)
		c.unmark()
		return c
	}
	bare := new(big.Int).Add(new(big.Int).Mul(big.NewInt(99), pk.n), one)
	cases := []struct {
		name string
		c    *Ciphertext
		want error
	}{
		{"nil", nil, ErrCiphertextRange},
		{"empty", new(Ciphertext), ErrCiphertextRange},
		{"0", raw(new(big.Int)), ErrCiphertextRange},
		{"1", raw(one), ErrCiphertextBare},
		{"1 mod n", raw(bare), ErrCiphertextBare},
		{"n²", raw(pk.nn), ErrCiphertextRange},
		{"n²+5", raw(new(big.Int).Add(pk.nn, big.NewInt(5))), ErrCiphertextRange},
		{"n", raw(pk.n), ErrCiphertextFactor},
		{"p", raw(sk.p), ErrCiphertextFactor},
		{"qn+q", raw(new(big.Int).Add(new(big.Int).Mul(sk.q, pk.n), sk.q)), ErrCiphertextFactor},
		{"another key's", foreign, ErrKeyMismatch},
		{"another form's", otherForm, ErrKeyMismatch},
	}
	ctx := context.Background()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			errs := map[string]error{"check": pk.Check(c.c)}
			_, errs["add left"] = pk.Add(c.c, a)
			_, errs["add right"] = pk.Add(a, c.c)
			_, errs["add plain"] = pk.AddPlain(c.c, one)
			_, errs["scale"] = pk.MulConst(c.c, one)
			_, errs["neg"] = pk.Neg(c.c)
			_, errs["combine"] = pk.LinearCombination([]*Ciphertext{a, c.c}, []int64{1, 0})
			_, errs["rerandomise"] = pk.Rerandomise(nil, c.c)
			_, errs["decrypt"] = sk.Decrypt(c.c)
			errs["check batch"] = pk.CheckBatch(ctx, []*Ciphertext{a, c.c, a})
			for what, err := range errs {
				if !errors.Is(err, c.want) {
					t.Errorf("%s: got %v, want %v", what, err, c.want)
				}
			}
		})
	}
	for _, v := range []*big.Int{nil, big.NewInt(-7), new(big.Int).Neg(pk.nn), new(big.Int).Lsh(one, 1<<23)} {
		if _, err := pk.ImportCiphertext(v); !errors.Is(err, ErrCiphertextRange) {
			t.Fatal(err)
		}
	}
	for _, m := range []*big.Int{nil, big.NewInt(-1), pk.n, new(big.Int).Lsh(one, 1<<23)} {
		if _, err := pk.Encrypt(nil, m); !errors.Is(err, ErrPlaintextRange) {
			t.Fatal(err)
		}
		if _, err := sk.Encrypt(nil, m); !errors.Is(err, ErrPlaintextRange) {
			t.Fatal(err)
		}
		if _, err := pk.EncryptWith(one, m); !errors.Is(err, ErrPlaintextRange) {
			t.Fatal(err)
		}
	}
	for _, k := range []*big.Int{nil, pk.n, new(big.Int).Neg(pk.n)} {
		if _, err := pk.MulConst(a, k); !errors.Is(err, ErrPlaintextRange) {
			t.Fatal(err)
		}
		if _, err := pk.AddPlain(a, k); !errors.Is(err, ErrPlaintextRange) {
			t.Fatal(err)
		}
	}
}

// Evaluations whose result would show its plaintext.
func TestBareResults(t *testing.T) {
	sk := testKey(t, 2048)
	pk := sk.Public()
	a, _ := pk.Encrypt(nil, big.NewInt(5))
	minus, err := pk.Neg(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pk.Add(a, minus); !errors.Is(err, ErrCiphertextBare) {
		t.Fatal(err)
	}
	if _, err := pk.MulConst(a, new(big.Int)); !errors.Is(err, ErrCiphertextBare) {
		t.Fatal(err)
	}
	if _, err := pk.LinearCombination([]*Ciphertext{a, a}, []int64{4, -4}); !errors.Is(err, ErrCiphertextBare) {
		t.Fatal(err)
	}
	if _, err := pk.LinearCombination([]*Ciphertext{a}, []int64{0}); !errors.Is(err, ErrCiphertextBare) {
		t.Fatal(err)
	}
	if _, err := pk.LinearCombination(nil, nil); !errors.Is(err, ErrLength) {
		t.Fatal(err)
	}
	if _, err := pk.LinearCombination([]*Ciphertext{a}, []int64{1, 2}); !errors.Is(err, ErrLength) {
		t.Fatal(err)
	}
}

func TestCiphertextEncodings(t *testing.T) {
	sk := testKey(t, 2048)
	pk := sk.Public()
	c, _ := pk.Encrypt(nil, big.NewInt(41))
	b, err := c.MarshalBinary()
	if err != nil || len(b) != 5+512+16 {
		t.Fatal(len(b), err)
	}
	got, err := pk.ParseCiphertext(b)
	if err != nil || !got.Equal(c) {
		t.Fatal(err)
	}
	text, _ := c.MarshalText()
	var back Ciphertext
	if err := back.UnmarshalText(text); err != nil || !back.Equal(c) {
		t.Fatal(err)
	}
	if _, err := new(Ciphertext).MarshalBinary(); !errors.Is(err, ErrEncoding) {
		t.Fatal(err)
	}
	change := func(at int) []byte {
		x := append([]byte(nil), b...)
		x[at] ^= 3
		return x
	}
	for name, bad := range map[string][]byte{"empty": nil, "short": b[:len(b)-1], "long": append(b[:len(b):len(b)], 1),
		"version": change(0), "kind": change(1), "form": change(2), "bits": change(4), "fingerprint": change(len(b) - 1),
		"1 MB": make([]byte, 1<<20)} {
		if _, err := pk.ParseCiphertext(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := back.UnmarshalText(make([]byte, 1<<20)); !errors.Is(err, ErrEncoding) {
		t.Fatal(err)
	}
}
