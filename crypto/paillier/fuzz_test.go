package paillier

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"testing"
)

// What decodes encodes to the same bytes: there is one encoding of each thing.

func FuzzParsePublicKey(f *testing.F) {
	b, _ := testKey(f, 2048).Public().MarshalBinary()
	f.Add(b)
	f.Add(b[:40])
	f.Fuzz(func(t *testing.T, in []byte) {
		pk, err := ParsePublicKey(in)
		if err != nil {
			return
		}
		if out, err := pk.MarshalBinary(); err != nil || !bytes.Equal(in, out) {
			t.Fatalf("%x", in)
		}
	})
}

func FuzzParsePrivateKey(f *testing.F) {
	f.Add(testKey(f, 2048).ExportText())
	f.Fuzz(func(t *testing.T, in []byte) {
		sk, err := ParsePrivateKeyText(in)
		if err == nil && !bytes.Equal(in, sk.ExportText()) {
			t.Fatalf("%x", in)
		}
	})
}

func FuzzCiphertext(f *testing.F) {
	sk := testKey(f, 2048)
	c, err := sk.Encrypt(nil, one)
	if err != nil {
		f.Fatal(err)
	}
	b, _ := c.MarshalBinary()
	text, _ := c.MarshalText()
	f.Add(b, text)
	f.Fuzz(func(t *testing.T, b, text []byte) {
		var c Ciphertext
		if err := c.UnmarshalBinary(b); err == nil {
			if out, err := c.MarshalBinary(); err != nil || !bytes.Equal(out, b) {
				t.Fatalf("%x", b)
			}
		}
		if err := c.UnmarshalText(text); err == nil {
			if out, err := c.MarshalText(); err != nil || !bytes.Equal(out, text) {
				t.Fatalf("%q", text)
			}
		}
		if c.Fingerprint() == sk.fp && sk.Check(&c) == nil {
			if v := c.Int(); v.Cmp(sk.nn) >= 0 || new(big.Int).GCD(nil, nil, v, sk.n).Cmp(one) != 0 {
				t.Fatal("a bad ciphertext passed")
			}
		}
	})
}

func FuzzPacking(f *testing.F) {
	f.Add(int64(3), int64(-2), uint8(20), int64(1000), int64(-1000))
	f.Fuzz(func(t *testing.T, w0, w1 int64, width uint8, a, b int64) {
		p, err := NewPacking(Layout{Bits: 2048, ValueBits: int(width), Weights: []int64{w0, w1}})
		if err != nil {
			return
		}
		x, errA := p.Pack(nil, []int64{a, b})
		y, errB := p.Pack(nil, []int64{b, a})
		if errA != nil || errB != nil {
			return
		}
		w := p.Weights()
		sum := p.Offset()
		for i := range x {
			sum.Add(sum, new(big.Int).Mul(x[i], big.NewInt(w[0])))
			sum.Add(sum, new(big.Int).Mul(y[i], big.NewInt(w[1])))
		}
		got, err := p.Unpack([]*big.Int{sum}, 2)
		if err != nil || got[0] != w0*a+w1*b || got[1] != w0*b+w1*a {
			t.Fatal(got, err)
		}
	})
}

// FuzzPower compares the three ways to raise to a power with math/big.
func FuzzPower(f *testing.F) {
	f.Add(uint64(1), []byte{1})
	f.Add(uint64(2), []byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0x80})
	f.Fuzz(func(t *testing.T, seed uint64, exponent []byte) {
		if len(exponent) > 40 {
			return
		}
		e := new(big.Int).SetBytes(exponent)
		if e.Sign() == 0 {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, p := range paths() {
			r := newRing(p, oddModulus(rng, 1024, 0))
			s, z, table := r.newScratch(), make([]uint64, r.size), make([]uint64, 32*r.size)
			v := randBelow(rng, r.mm)
			x := r.element(v)
			want := new(big.Int).Exp(v, e, r.mm)
			same := func(what string) {
				t.Helper()
				for l := range p.lanes() {
					if r.value(z, l).Cmp(want) != 0 {
						t.Fatalf("%s on %s, lane %d", what, p.name(), l)
					}
				}
			}
			r.powSecret(z, x, secretDigits(e), table, s)
			same("secret")
			r.powPublic(z, x, slides(e), table, s)
			same("public")
			each := make([][]uint64, p.lanes())
			for l := range each {
				each[l] = wordsOf(e, (e.BitLen()+63)/64)
			}
			r.powEach(z, x, each, table, s)
			same("each")
		}
	})
}
