package paillier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"
)

func prime(t testing.TB, bits int, seed byte) *big.Int {
	t.Helper()
	p := new(big.Int).SetBytes(expand("test prime", []byte{seed}, bits/8))
	p.SetBit(p, bits-1, 1).SetBit(p, bits-2, 1).SetBit(p, 0, 1).SetBit(p, 1, 1)
	for !p.ProbablyPrime(0) {
		p.Add(p, big.NewInt(4))
	}
	return p
}

func TestModulusRefused(t *testing.T) {
	sk := testKey(t, 2048)
	p := prime(t, 1024, 1)
	small := big.NewInt(65521)
	cofactor := new(big.Int).Div(new(big.Int).Lsh(one, 2048), small)
	cofactor.SetBit(cofactor, 0, 1)
	withFactor := new(big.Int).Mul(cofactor, small)
	for withFactor.Bit(1) != 0 || withFactor.BitLen() != 2048 {
		withFactor.Sub(withFactor, new(big.Int).Lsh(small, 1))
	}
	largePrime := new(big.Int).Sub(new(big.Int).Lsh(one, 2048), big.NewInt(3))
	for !largePrime.ProbablyPrime(0) {
		largePrime.Sub(largePrime, big.NewInt(4))
	}
	cube := prime(t, 704, 2)
	cases := []struct {
		name string
		n    *big.Int
		form Form
		want error
	}{
		{"nil", nil, FormDJN, ErrModulusSize},
		{"zero", new(big.Int), FormDJN, ErrModulusSize},
		{"negative", new(big.Int).Neg(sk.n), FormDJN, ErrModulusSize},
		{"short", new(big.Int).Rsh(sk.n, 64), FormDJN, ErrModulusSize},
		{"odd length", new(big.Int).Lsh(sk.n, 3), FormDJN, ErrModulusSize},
		{"one megabyte", new(big.Int).Lsh(sk.n, 1<<23), FormDJN, ErrModulusSize},
		{"even", new(big.Int).Add(sk.n, one), FormDJN, ErrModulusEven},
		{"form", sk.n, 7, ErrModulusForm},
		{"3 mod 4", new(big.Int).Add(sk.n, big.NewInt(2)), FormDJN, ErrModulusForm},
		{"small factor", withFactor, FormDJN, ErrModulusSmallFactor},
		{"square", new(big.Int).Mul(p, p), FormDJN, ErrModulusPower},
		{"cube", new(big.Int).Exp(cube, big.NewInt(3), nil), FormStandard, ErrModulusPower},
		{"prime", largePrime, FormDJN, ErrModulusPrime},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "cube" && c.n.BitLen() != 2112 {
				t.Fatalf("the test's cube has %d bits", c.n.BitLen())
			}
			if _, err := NewPublicKey(c.n, c.form); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
	if _, err := NewPublicKey(sk.n, FormDJN); err != nil {
		t.Fatal(err)
	}
}

func TestPrivateKeyRefused(t *testing.T) {
	p := prime(t, 1024, 1)
	close := new(big.Int).Add(p, big.NewInt(4))
	for !close.ProbablyPrime(0) {
		close.Add(close, big.NewInt(4))
	}
	composite := prime(t, 1024, 3)
	for composite.Add(composite, big.NewInt(4)); composite.ProbablyPrime(0) || smallFactor(composite) != 0; {
		composite.Add(composite, big.NewInt(4))
	}
	oneMod4 := prime(t, 1024, 4)
	for oneMod4.Add(oneMod4, big.NewInt(2)); !oneMod4.ProbablyPrime(0); {
		oneMod4.Add(oneMod4, big.NewInt(4))
	}
	twin := prime(t, 1024, 5) // 3 divides both p-1
	for (twin.Add(twin, big.NewInt(4))).ProbablyPrime(0) == false || new(big.Int).Mod(twin, big.NewInt(3)).Int64() != 1 {
	}
	other := prime(t, 1024, 6)
	for !other.ProbablyPrime(0) || new(big.Int).Mod(other, big.NewInt(3)).Int64() != 1 {
		other.Add(other, big.NewInt(4))
	}
	cases := []struct {
		name string
		p, q *big.Int
		form Form
		want error
	}{
		{"nil", nil, p, FormDJN, ErrPrivateKey},
		{"negative", new(big.Int).Neg(p), p, FormDJN, ErrPrivateKey},
		{"lengths", prime(t, 960, 7), prime(t, 1088, 8), FormDJN, ErrPrivateKey},
		{"huge", new(big.Int).Lsh(p, 1<<23), new(big.Int).Lsh(p, 1<<23), FormDJN, ErrPrivateKey},
		{"equal", p, p, FormDJN, ErrModulusPower},
		{"close", p, close, FormDJN, ErrPrivateKey},
		{"composite", p, composite, FormDJN, ErrPrivateKey},
		{"both 1 mod 4 or mixed", p, oneMod4, FormDJN, ErrModulusForm},
		{"gcd above 2", twin, other, FormDJN, ErrPrivateKey},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewPrivateKey(c.p, c.q, c.form); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
	for _, q := range []*big.Int{oneMod4, other} {
		if _, err := NewPrivateKey(twin, q, FormStandard); err != nil {
			t.Fatalf("standard form: %v", err)
		}
	}
}

func TestGenerateKey(t *testing.T) {
	var last Progress
	sk, err := GenerateKey(context.Background(), KeyOptions{Bits: 2048, Progress: func(p Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	if sk.Bits() != 2048 || sk.Form() != FormDJN || !suitsDJN(sk.p, sk.q) || last.Found != 2 || last.Tested == 0 || last.Expect == 0 {
		t.Fatalf("%v %+v", sk, last)
	}
	for _, o := range []KeyOptions{{Bits: 1024}, {Bits: 8192}, {Bits: 3000}, {Form: 9}} {
		if _, err := GenerateKey(context.Background(), o); !errors.Is(err, ErrOptions) {
			t.Fatalf("%+v: %v", o, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := GenerateKey(ctx, KeyOptions{Safe: true}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	broken := errors.New("no randomness")
	if _, err := GenerateKey(context.Background(), KeyOptions{Random: iotest.ErrReader(broken)}); !errors.Is(err, broken) {
		t.Fatal(err)
	}
}

// A safe prime of a length that no key may have: the search is the same.
func TestSafePrimeSearch(t *testing.T) {
	s := search{bits: 256, safe: true, random: source(nil), meter: &meter{}}
	p, err := s.run(context.Background())
	if err != nil || !p.ProbablyPrime(20) || !new(big.Int).Rsh(p, 1).ProbablyPrime(20) || p.BitLen() != 256 || p.Bit(1) != 1 {
		t.Fatal(p, err)
	}
}

func TestPrivateKeyNeverPrints(t *testing.T) {
	sk := testKey(t, 2048)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", sk)
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", sk)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q", "%T %v"} {
		fmt.Fprintf(&log, verb, sk, sk)
		fmt.Fprintf(&log, verb, struct{ K *PrivateKey }{sk}, sk)
	}
	if b, err := json.Marshal(sk); !errors.Is(err, ErrPrivate) {
		t.Fatalf("%s %v", b, err)
	}
	if _, err := sk.MarshalBinary(); !errors.Is(err, ErrPrivate) {
		t.Fatal(err)
	}
	if _, err := sk.MarshalText(); !errors.Is(err, ErrPrivate) {
		t.Fatal(err)
	}
	for _, secret := range []*big.Int{sk.p, sk.q} {
		for _, base := range []int{10, 16, 62} {
			if strings.Contains(strings.ToLower(log.String()), strings.ToLower(secret.Text(base)[:16])) {
				t.Fatal("a prime is in the output")
			}
		}
	}
	if !strings.Contains(log.String(), sk.Fingerprint().String()) {
		t.Fatal("the fingerprint is not in the output")
	}
}

func TestKeyEncodings(t *testing.T) {
	sk := testKey(t, 2048)
	pk := sk.Public()
	b, _ := pk.MarshalBinary()
	text, _ := pk.MarshalText()
	for _, parse := range []func() (*PublicKey, error){
		func() (*PublicKey, error) { return ParsePublicKey(b) },
		func() (*PublicKey, error) { return ParsePublicKeyText(text) },
	} {
		if got, err := parse(); err != nil || !got.Equal(pk) || got.Fingerprint() != pk.Fingerprint() {
			t.Fatal(got, err)
		}
	}
	if got, err := ParsePrivateKey(sk.Export()); err != nil || !got.Equal(sk) {
		t.Fatal(err)
	}
	swapped := append([]byte(nil), sk.Export()...)
	copy(swapped[headerSize:], sk.q.FillBytes(make([]byte, 128)))
	copy(swapped[headerSize+128:], sk.p.FillBytes(make([]byte, 128)))
	if _, err := ParsePrivateKey(swapped); !errors.Is(err, ErrEncoding) {
		t.Fatal(err)
	}
	change := func(at int, v byte) []byte {
		c := append([]byte(nil), b...)
		c[at] = v
		return c
	}
	cases := []struct {
		name string
		in   []byte
		want error
	}{
		{"empty", nil, ErrEncoding},
		{"header only", b[:5], ErrEncoding},
		{"truncated", b[:len(b)-1], ErrEncoding},
		{"trailing", append(append([]byte(nil), b...), 0), ErrEncoding},
		{"one megabyte", make([]byte, 1<<20), ErrVersion},
		{"one megabyte, header", append(b[:5:5], make([]byte, 1<<20)...), ErrEncoding},
		{"version", change(0, 2), ErrVersion},
		{"kind", change(1, kindPrivate), ErrEncoding},
		{"form", change(2, byte(FormStandard)), ErrFingerprint},
		{"bits", change(3, 0xff), ErrModulusSize},
		{"leading zero", change(5, 0), ErrModulusSize},
		{"modulus", change(40, b[40]^1), ErrFingerprint},
		{"fingerprint", change(len(b)-1, b[len(b)-1]^1), ErrFingerprint},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParsePublicKey(c.in); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
	for _, bad := range []string{"", "paillier-public-2.", string(text) + "=", string(text) + "\n", string(text[:60]) + "\n" + string(text[60:]),
		string(text[:len(text)-1]), strings.Repeat("A", 1<<20), textPublic + strings.Repeat("A", 1<<20)} {
		if _, err := ParsePublicKeyText([]byte(bad)); !errors.Is(err, ErrEncoding) {
			t.Fatalf("%.40q: %v", bad, err)
		}
	}
}
