package paillier

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func mustPacking(t testing.TB, l Layout) *Packing {
	t.Helper()
	p, err := NewPacking(l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPackingWidths(t *testing.T) {
	ones := slices.Repeat([]int64{1}, 1000)
	cases := []struct {
		l           Layout
		slot, slots int
	}{
		{Layout{Bits: 2048, ValueBits: 32, Weights: ones}, 43, 47},
		{Layout{Bits: 3072, ValueBits: 32, Weights: ones}, 43, 71},
		{Layout{Bits: 3072, ValueBits: 32, Weights: []int64{1}}, 33, 93},
		{Layout{Bits: 3072, ValueBits: 20, Weights: []int64{-2550, 10}}, 29, 105},
	}
	for _, c := range cases {
		p := mustPacking(t, c.l)
		if p.SlotBits() != c.slot || p.Slots() != c.slots {
			t.Errorf("%d bits, %d slots", p.SlotBits(), p.Slots())
		}
	}
}

func TestPackingRefused(t *testing.T) {
	good := Layout{Bits: 2048, Scale: 2, ValueBits: 32, Weights: []int64{3, -255}}
	mustPacking(t, good)
	for name, change := range map[string]func(*Layout){
		"bits":           func(l *Layout) { l.Bits = 1024 },
		"bits odd":       func(l *Layout) { l.Bits = 2050 },
		"scale":          func(l *Layout) { l.Scale = 19 },
		"negative scale": func(l *Layout) { l.Scale = -1 },
		"value bits":     func(l *Layout) { l.ValueBits = 63 },
		"no value bits":  func(l *Layout) { l.ValueBits = 0 },
		"no weights":     func(l *Layout) { l.Weights = nil },
		"zero weights":   func(l *Layout) { l.Weights = []int64{0, 0} },
		"weight 256":     func(l *Layout) { l.Weights = []int64{1, 256} },
		"weight -256":    func(l *Layout) { l.Weights = []int64{-256, 1} },
		"least weight":   func(l *Layout) { l.Weights = []int64{-1 << 63, 1} },
		"least alone":    func(l *Layout) { l.Weights = []int64{-1 << 63} },
		"too wide":       func(l *Layout) { l.ValueBits = 56 },
		"gcd too large":  func(l *Layout) { l.Weights = []int64{1 << 40, 3 << 40} },
	} {
		l := good
		l.Weights = slices.Clone(l.Weights)
		change(&l)
		if _, err := NewPacking(l); !errors.Is(err, ErrLayout) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := mustPacking(t, good)
	least, greatest := p.Range()
	for _, v := range []int64{least - 1, greatest + 1, -1 << 63, 1<<63 - 1} {
		if _, err := p.Pack(nil, []int64{0, v}); !errors.Is(err, ErrOverflow) {
			t.Errorf("%d: %v", v, err)
		}
	}
	if _, err := p.Unpack(nil, 1); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
	if _, err := p.Unpack([]*big.Int{new(big.Int).Lsh(one, 2047)}, 1); !errors.Is(err, ErrOverflow) {
		t.Error(err)
	}
	if _, err := p.Unpack([]*big.Int{new(big.Int).Lsh(one, uint(p.SlotBits())-1)}, 1); !errors.Is(err, ErrOverflow) {
		t.Error("a slot beyond every sum was accepted", err)
	}
	short := testKey(t, 2560)
	if _, err := p.Evaluate(short.Public(), nil); !errors.Is(err, ErrLayout) {
		t.Error(err)
	}
}

// The plaintext arithmetic alone, over random layouts and extreme values.
func TestPackingArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for round := range 300 {
		l := Layout{Bits: 2048 + 64*rng.IntN(33), ValueBits: 1 + rng.IntN(40), Weights: make([]int64, 1+rng.IntN(9))}
		factor := 1 + rng.Int64N(500)
		for i := range l.Weights {
			l.Weights[i] = factor * (rng.Int64N(511) - 255)
		}
		p, err := NewPacking(l)
		if err != nil {
			continue
		}
		least, greatest := p.Range()
		n := 1 + rng.IntN(2*p.Slots())
		want := make([]int64, n)
		sums := make([]*big.Int, p.Plaintexts(n))
		for i := range sums {
			sums[i] = p.Offset()
		}
		for i, w := range p.Weights() {
			values := make([]int64, n)
			for j := range values {
				values[j] = least + rng.Int64N(greatest-least+1)
				if edge := rng.IntN(4); edge == 0 {
					values[j] = least
				} else if edge == 1 {
					values[j] = greatest
				}
				want[j] += values[j] * l.Weights[i]
			}
			packed, err := p.Pack(nil, values)
			if err != nil {
				t.Fatal(err)
			}
			for j, m := range packed {
				sums[j].Add(sums[j], new(big.Int).Mul(m, big.NewInt(w)))
			}
		}
		for _, s := range sums {
			if s.Sign() < 0 || s.BitLen() > l.Bits-1 {
				t.Fatalf("round %d: a sum of %d bits", round, s.BitLen())
			}
		}
		got, err := p.Unpack(sums, n)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

func TestPackingEncrypted(t *testing.T) {
	sk := testKey(t, 2048)
	p := mustPacking(t, Layout{Bits: 2048, Scale: 2, ValueBits: 34, Weights: []int64{30, -20, 50}})
	columns := [][]int64{{100, -200, 1<<33 - 1}, {7, 8, -1 << 33}, {0, -1, 5}}
	var addends []*Ciphertext
	for _, values := range columns {
		packed, err := p.Pack(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		c, err := sk.Public().Encrypt(nil, packed[0])
		if err != nil {
			t.Fatal(err)
		}
		addends = append(addends, c)
	}
	sum, err := p.Evaluate(sk.Public(), addends)
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Evaluate(sk.Public(), addends)
	if err != nil || !again.Equal(sum) {
		t.Fatal("the evaluation is not deterministic", err)
	}
	m, err := sk.Decrypt(sum)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Unpack([]*big.Int{m}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if want := 30*columns[0][i] - 20*columns[1][i] + 50*columns[2][i]; v != want {
			t.Errorf("slot %d: %d, want %d", i, v, want)
		}
	}
}

func TestPackingJSON(t *testing.T) {
	l := Layout{Bits: 3072, Scale: 2, ValueBits: 40, Weights: []int64{5, -3}}
	b, err := json.Marshal(mustPacking(t, l))
	if err != nil || string(b) != `{"bits":3072,"scale":2,"valueBits":40,"weights":[5,-3]}` {
		t.Fatal(string(b), err)
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		in    string
		scale int
		want  int64
		out   string
	}{
		{"0", 0, 0, "0"}, {"-0", 2, 0, "0.00"}, {"12.5", 2, 1250, "12.50"}, {"-0.07", 2, -7, "-0.07"},
		{"9223372036854775807", 0, 1<<63 - 1, "9223372036854775807"}, {"007", 1, 70, "7.0"},
	} {
		v, err := ParseDecimal(c.in, c.scale)
		if err != nil || v != c.want || FormatDecimal(v, c.scale) != c.out {
			t.Errorf("%s: %d %v", c.in, v, err)
		}
	}
	for _, bad := range []string{"", "-", ".", ".5", "5.", "1,000", "1e3", "NaN", "Inf", "-inf", "+1", " 1", "1 ", "0x10", "1_0", "--1",
		"1.234", "١"} {
		if _, err := ParseDecimal(bad, 2); !errors.Is(err, ErrDecimal) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ParseDecimal("9223372036854775808", 0); !errors.Is(err, ErrOverflow) {
		t.Error(err)
	}
	if _, err := ParseDecimal("1", 19); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}

func FuzzParseDecimal(f *testing.F) {
	f.Add("-12.50", 2)
	f.Add("1,000", 0)
	f.Fuzz(func(t *testing.T, s string, scale int) {
		v, err := ParseDecimal(s, scale)
		if err != nil {
			return
		}
		if back, err := ParseDecimal(FormatDecimal(v, scale), scale); err != nil || back != v {
			t.Fatal(s, scale, v, back, err)
		}
	})
}
