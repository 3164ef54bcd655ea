package paillier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A verifier of shares and proofs that shares no code with the package: math/big,
// the papers and the layouts that encoding_*.go describe. It reads the golden files.

type place struct {
	Channel    string
	Epoch      uint64
	Job        string
	Department string
}

type golden struct {
	t       *testing.T
	Context place
	Plain   []string `json:"plaintexts"`
	Range   [2]int64
}

func loadGolden(t *testing.T) *golden {
	g := &golden{t: t}
	if err := json.Unmarshal(g.file("statement.json"), g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *golden) file(name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

// body decodes a text form and returns its fields, without header and fingerprint.
func (g *golden) body(text, kind string) *cursor {
	text = strings.TrimSuffix(text, "\n")
	b, err := base64.RawURLEncoding.DecodeString(text[strings.LastIndex(text, ".")+1:])
	if err != nil || b[0] != 1 || string(b[1]) != kind {
		g.t.Fatalf("%.40s: %v", text, err)
	}
	return &cursor{b[5 : len(b)-16], int(b[3])<<8 | int(b[4]), b}
}

type cursor struct {
	b    []byte
	bits int
	all  []byte
}

func (c *cursor) take(n int) []byte { b := c.b[:n]; c.b = c.b[n:]; return b }
func (c *cursor) num(n int) *big.Int {
	return new(big.Int).SetBytes(c.take(n))
}

// hashed is a list of labelled items behind their lengths.
type hashed struct{ b bytes.Buffer }

func (h *hashed) add(label string, v []byte) *hashed {
	h.b.WriteByte(byte(len(label)))
	h.b.WriteString(label)
	_ = binary.Write(&h.b, binary.BigEndian, uint64(len(v)))
	h.b.Write(v)
	return h
}

func (h *hashed) num(label string, v *big.Int, size int) *hashed {
	return h.add(label, v.FillBytes(make([]byte, size)))
}

func (h *hashed) count(label string, v uint64) *hashed {
	return h.add(label, binary.BigEndian.AppendUint64(nil, v))
}

func (h *hashed) sum() []byte {
	s := sha256.Sum256(h.b.Bytes())
	return s[:]
}

func begin(kind string, p place) *hashed {
	h := new(hashed).add("chancery paillier proof v1", []byte(kind))
	return h.add("channel", []byte(p.Channel)).count("epoch", p.Epoch).add("job", []byte(p.Job)).add("department", []byte(p.Department))
}

// stretch is SHA-256(label ‖ 0 ‖ counter ‖ seed) by a counter from 0.
func stretch(label string, seed []byte, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		in := append([]byte(label), 0)
		in = append(binary.BigEndian.AppendUint32(in, i), seed...)
		s := sha256.Sum256(in)
		out = append(out, s[:]...)
	}
	return out[:n]
}

func num(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// pow allows negative exponents.
func pow(x, e, m *big.Int) *big.Int { return new(big.Int).Exp(x, e, m) }

func mul(m *big.Int, v ...*big.Int) *big.Int {
	z := big.NewInt(1)
	for _, x := range v {
		z.Mul(z, x).Mod(z, m)
	}
	return z
}

func neg(x *big.Int) *big.Int { return new(big.Int).Neg(x) }

// thresholdKey is a verification key as the verifier reads it.
type thresholdKey struct {
	n, nn      *big.Int
	form       byte
	size       int // bytes of n
	need       int
	values     []*big.Int
	base       *big.Int
	digest     []byte
	multiplier *big.Int // Δ
}

func (g *golden) key() *thresholdKey {
	c := g.body(string(g.file("verification-key.txt")), "V")
	k := &thresholdKey{form: c.all[2], size: c.bits / 8}
	k.n = c.num(k.size)
	k.nn = new(big.Int).Mul(k.n, k.n)
	k.need = int(c.num(2).Int64())
	parties := c.num(2).Int64()
	for range parties {
		k.values = append(k.values, c.num(2*k.size))
	}
	sum := sha256.Sum256(append([]byte("paillier verification key v1\x00"), c.all[:len(c.all)-16]...))
	if !bytes.Equal(sum[:16], c.all[len(c.all)-16:]) {
		g.t.Fatal("the verification key's fingerprint is not its own")
	}
	k.digest = sum[:]
	v := num(stretch("paillier verification base v1", k.n.Bytes(), 2*k.size+16))
	k.base = mul(k.nn, v, v)
	k.multiplier = new(big.Int).MulRange(1, parties)
	return k
}

func (g *golden) ciphertexts() (c []*big.Int) {
	for _, line := range strings.Split(strings.TrimSpace(string(g.file("ciphertexts.txt"))), "\n") {
		f := g.body(line, "C")
		c = append(c, f.num(f.bits/4))
	}
	return c
}

func (g *golden) share(name string, size int) (index uint64, x []*big.Int) {
	f := g.body(string(g.file("share-"+name+".txt")), "D")
	index = f.num(2).Uint64()
	for range f.num(4).Int64() {
		x = append(x, f.num(2*size))
	}
	return index, x
}

// shareHolds checks a proof as Damgård, Jurik and Nielsen describe it, on the
// combination of a list.
func (k *thresholdKey) shareHolds(at place, index uint64, c, x []*big.Int, e, z *big.Int) bool {
	h := begin("decryption share", at).add("verification key", k.digest).count("index", index).count("count", uint64(len(c)))
	for i := range c {
		h.num("ciphertext", c[i], 2*k.size).num("share", x[i], 2*k.size)
	}
	seed := h.sum()
	weights := stretch("paillier share weights v1", seed, 16*len(c))
	cc, xx := big.NewInt(1), big.NewInt(1)
	for i := range c {
		t := num(weights[16*i : 16*i+16])
		if i == 0 {
			t = big.NewInt(1)
		}
		cc, xx = mul(k.nn, cc, pow(c[i], t, k.nn)), mul(k.nn, xx, pow(x[i], t, k.nn))
	}
	a := mul(k.nn, pow(pow(cc, big.NewInt(4), k.nn), z, k.nn), pow(mul(k.nn, xx, xx), neg(e), k.nn))
	b := mul(k.nn, pow(k.base, z, k.nn), pow(k.values[index-1], neg(e), k.nn))
	h = begin("decryption share challenge", place{}).add("statement", seed).num("a", a, 2*k.size).num("b", b, 2*k.size)
	return num(h.sum()).Cmp(e) == 0
}

func TestVerifierShares(t *testing.T) {
	g := loadGolden(t)
	k, c := g.key(), g.ciphertexts()
	shares := map[int64][]*big.Int{}
	for _, name := range []string{"1", "2"} {
		index, x := g.share(name, k.size)
		f := g.body(string(g.file("share-proof-"+name+".txt")), "E")
		if got := f.num(2).Uint64(); got != index {
			t.Fatal("index", got)
		}
		e := f.num(32)
		z := f.num(len(f.b))
		if !k.shareHolds(g.Context, index, c, x, e, z) {
			t.Fatalf("the proof of share %s does not hold", name)
		}
		other := g.Context
		other.Job += "x"
		if k.shareHolds(other, index, c, x, e, z) || k.shareHolds(g.Context, 3-index, c, x, e, z) {
			t.Fatalf("the proof of share %s holds elsewhere", name)
		}
		shares[int64(index)] = x
	}
	// Combination as in the paper: Π x_i^(2·λ_i) = (1+n)^(4Δ²·m), λ_i = Δ·Π j/(j-i).
	for at, want := range g.Plain {
		product := big.NewInt(1)
		for i, x := range shares {
			lambda := new(big.Int).Set(k.multiplier)
			for j := range shares {
				if i != j {
					lambda.Mul(lambda, big.NewInt(j)).Quo(lambda, big.NewInt(j-i))
				}
			}
			product = mul(k.nn, product, pow(x[at], lambda.Lsh(lambda, 1), k.nn))
		}
		l := product.Sub(product, big.NewInt(1))
		rest := new(big.Int)
		if l.DivMod(l, k.n, rest); rest.Sign() != 0 {
			t.Fatal("the product is not 1 modulo n")
		}
		scale := new(big.Int).Mul(k.multiplier, k.multiplier)
		scale.Lsh(scale, 2).ModInverse(scale, k.n)
		if got := mul(k.n, l, scale).String(); got != want {
			t.Errorf("number %d opens as %s, not %s", at, got, want)
		}
	}
}

func (k *thresholdKey) about(kind string, at place) *hashed {
	return begin(kind, at).add("form", []byte{k.form}).num("n", k.n, k.size)
}

// binomial is (1+n)^m.
func (k *thresholdKey) binomial(m *big.Int) *big.Int {
	return pow(new(big.Int).Add(k.n, big.NewInt(1)), m, k.nn)
}

func TestVerifierKnowledge(t *testing.T) {
	g := loadGolden(t)
	k, c := g.key(), g.ciphertexts()[0]
	f := g.body(string(g.file("knowledge-proof.txt")), "N")
	e, w, z := f.num(32), f.num(k.size), f.num(k.size)
	holds := func(at place) bool {
		seed := k.about("plaintext knowledge", at).num("ciphertext", c, 2*k.size).sum()
		a := mul(k.nn, k.binomial(w), pow(z, k.n, k.nn), pow(c, neg(e), k.nn))
		h := begin("plaintext knowledge challenge", place{}).add("statement", seed).num("a", a, 2*k.size)
		return num(h.sum()).Cmp(e) == 0
	}
	other := g.Context
	other.Department = ""
	if !holds(g.Context) || holds(other) {
		t.Fatal("knowledge proof")
	}
}

func TestVerifierRange(t *testing.T) {
	g := loadGolden(t)
	k, c := g.key(), g.ciphertexts()[0]
	f := g.body(string(g.file("range-proof.txt")), "I")
	low, span := g.Range[0], g.Range[1]-g.Range[0]
	var weights []int64
	for i := int64(1); i <= span; i *= 2 {
		weights = append(weights, (span+i)/(2*i))
	}
	if n := f.num(1).Int64(); n != int64(len(weights)) {
		t.Fatalf("%d bits", n)
	}
	e := f.num(32)
	last := mul(k.nn, c, k.binomial(new(big.Int).Mod(big.NewInt(-low), k.n)))
	var bits []*big.Int
	for i := range len(weights) - 1 {
		b := f.num(2 * k.size)
		bits, last = append(bits, b), mul(k.nn, last, pow(b, big.NewInt(-weights[i]), k.nn))
	}
	bits = append(bits, last)
	seed := k.about("plaintext range", g.Context).count("low", uint64(low)).count("high", uint64(g.Range[1])).num("ciphertext", c, 2*k.size).sum()
	h := begin("plaintext range challenge", place{}).add("statement", seed)
	for _, b := range bits {
		h.num("bit", b, 2*k.size)
	}
	for _, b := range bits {
		e0, z0, z1 := f.num(32), f.num(k.size), f.num(k.size)
		e1 := new(big.Int).Sub(e, e0)
		e1.Mod(e1, new(big.Int).Lsh(big.NewInt(1), 256))
		h.num("commitment", mul(k.nn, pow(z0, k.n, k.nn), pow(b, neg(e0), k.nn)), 2*k.size)
		one := mul(k.nn, b, pow(k.binomial(big.NewInt(1)), big.NewInt(-1), k.nn))
		h.num("commitment", mul(k.nn, pow(z1, k.n, k.nn), pow(one, neg(e1), k.nn)), 2*k.size)
	}
	if num(h.sum()).Cmp(e) != 0 || len(f.b) != 0 {
		t.Fatal("range proof")
	}
}

func TestVerifierModulus(t *testing.T) {
	g := loadGolden(t)
	k := g.key()
	f := g.body(string(g.file("modulus-proof.txt")), "M")
	w := f.num(k.size)
	seed := k.about("modulus", g.Context).num("w", w, k.size).sum()
	ys := stretch("paillier modulus challenges v1", seed, 128*(k.size+16))
	if big.Jacobi(w, k.n) != -1 || k.n.ProbablyPrime(10) {
		t.Fatal("w, n")
	}
	for i := range 128 {
		y := num(ys[i*(k.size+16) : (i+1)*(k.size+16)])
		y.Mod(y, k.n)
		sign, x, z := f.take(1)[0], f.num(k.size), f.num(k.size)
		if pow(z, k.n, k.n).Cmp(y) != 0 {
			t.Fatalf("round %d: z", i)
		}
		if sign&1 == 1 {
			y = mul(k.n, y, new(big.Int).Sub(k.n, big.NewInt(1)))
		}
		if sign&2 == 2 {
			y = mul(k.n, y, w)
		}
		if pow(x, big.NewInt(4), k.n).Cmp(y) != 0 || sign > 3 {
			t.Fatalf("round %d: x", i)
		}
	}
	if len(f.b) != 0 {
		t.Fatal("bytes left")
	}
}

func TestVerifierFactors(t *testing.T) {
	g := loadGolden(t)
	k := g.key()
	f := g.body(string(g.file("setup.txt")), "R")
	size := f.bits / 8
	nn, s, u := f.num(size), f.num(size), f.num(size) // N, s, t
	describe := func(h *hashed) *hashed { return h.num("N", nn, size).num("s", s, size).num("t", u, size) }
	bits := f.take(16)
	h := describe(begin("set-up", g.Context))
	for i := range 128 {
		v := pow(u, f.num(size), nn)
		if bits[i/8]>>(i%8)&1 == 1 {
			v = mul(nn, v, pow(s, big.NewInt(-1), nn))
		}
		h.num("commitment", v, size)
	}
	if !bytes.Equal(h.sum()[:16], bits) || len(f.b) != 0 {
		t.Fatal("set-up")
	}
	f = g.body(string(g.file("factor-proof.txt")), "F")
	f.take(2 + 16)
	nBits, bigN := 8*k.size, 8*size
	width := func(bits int) *big.Int { return f.num((bits + 7) / 8) }
	p, q := f.num(size), f.num(size)
	sigma, e := width(bigN+nBits+257), width(256)
	z1, z2 := width(nBits/2+385), width(nBits/2+385)
	w1, w2, v := width(bigN+513), width(bigN+513), width(bigN+nBits+641)
	if len(f.b) != 0 || z1.BitLen() > nBits/2+385 || z2.BitLen() > nBits/2+385 {
		t.Fatal("widths")
	}
	r := mul(nn, pow(s, k.n, nn), pow(u, sigma, nn))
	a := mul(nn, pow(s, z1, nn), pow(u, w1, nn), pow(p, neg(e), nn))
	b := mul(nn, pow(s, z2, nn), pow(u, w2, nn), pow(q, neg(e), nn))
	c := mul(nn, pow(q, z1, nn), pow(u, v, nn), pow(r, neg(e), nn))
	seed := describe(k.about("no small factor", g.Context)).sum()
	h = begin("no small factor challenge", place{}).add("statement", seed)
	for _, x := range []*big.Int{p, q, a, b, c} {
		h.num("commitment", x, size)
	}
	h.num("sigma", sigma, (bigN+nBits+257+7)/8)
	if num(h.sum()).Cmp(e) != 0 {
		t.Fatal("factor proof")
	}
}
