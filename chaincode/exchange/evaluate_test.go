package exchange

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"chancery/crypto/paillier"
)

// testKey is a published key of crypto/paillier's own tests.
var testKey = sync.OnceValues(func() (*paillier.PrivateKey, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "crypto", "paillier", "testdata", "TEST-KEY-NOT-SECRET-3072.txt"))
	if err != nil {
		return nil, err
	}
	return paillier.ParsePrivateKeyText(text)
})

// computation is a job with everything that is evaluated, and what comes of it.
type computation struct {
	key           *paillier.PrivateKey
	job           Job
	contributions []Contribution
	mask          Mask
	masks         []*big.Int
	want          []int64
}

// compute makes a job of so many keys whose inputs belong to departments as
// given, with values of the whole range that the declared bits have. Every
// seventh key is missing somewhere.
func compute(t testing.TB, keys, valueBits int, weights []int64, departments []string) *computation {
	t.Helper()
	sk, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	c := &computation{key: sk}
	spec := Spec{Plan: Plan{Operation: WeightedSum, Scale: 2, ValueBits: valueBits}, Bits: sk.Bits(), Requester: "health", Keyholder: "labor"}
	for i := range keys {
		spec.Keys = append(spec.Keys, fmt.Sprint(i))
	}
	for i, w := range weights {
		spec.Inputs = append(spec.Inputs, Input{Dataset: DatasetID("m", "n"), Key: "k", Value: "v", Reduction: Only, Weight: w})
		spec.Sources = append(spec.Sources, Source{Provider: departments[i], Dataset: "n", SealedDigest: someDigest})
	}
	c.job = Job{ID: NewID(NounJob, "m", "c"), Requester: "health", Spec: spec, State: JobContributed}
	for i, name := range spec.Providers() {
		p := JobParty{Department: name, Aligned: true}
		for k := i; k < keys && keys > 7; k += 7 {
			p.Missing = append(p.Missing, spec.Keys[k])
		}
		c.job.Parties = append(c.job.Parties, p)
	}
	c.fill(t)
	return c
}

// fill draws values, encrypts them and works the result out in the clear.
func (c *computation) fill(t testing.TB) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(len(c.job.Spec.Keys))))
	packing, err := c.job.Spec.Packing(c.key.Bits())
	if err != nil {
		t.Fatal(err)
	}
	least, greatest := packing.Range()
	n := len(c.job.Keys())
	c.want = make([]int64, n)
	lists := make([][]string, len(c.job.Spec.Inputs))
	for i, in := range c.job.Spec.Inputs {
		values := make([]int64, n)
		for k := range values {
			switch values[k] = least + random.Int64N(greatest-least+1); k % 5 {
			case 0:
				values[k] = least
			case 1:
				values[k] = greatest
			}
			c.want[k] += in.Weight * values[k]
		}
		packed, err := packing.Pack(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		lists[i] = encryptAll(t, c.key, packed)
	}
	for _, name := range c.job.Spec.Providers() {
		contribution := Contribution{Job: c.job.ID, Department: name}
		for _, i := range c.job.Spec.InputsOf(name) {
			contribution.Inputs = append(contribution.Inputs, Encrypted{Input: i, Ciphertexts: lists[i]})
		}
		c.contributions = append(c.contributions, contribution)
	}
	for range packing.Plaintexts(len(c.job.Spec.Keys)) {
		bytes := make([]byte, c.key.Bits()/8)
		for i := range bytes {
			bytes[i] = byte(random.Uint32())
		}
		c.masks = append(c.masks, new(big.Int).Mod(new(big.Int).SetBytes(bytes), c.key.Public().N()))
	}
	c.mask = Mask{Job: c.job.ID, Requester: "health", Ciphertexts: encryptAll(t, c.key, c.masks)}
}

func encryptAll(t testing.TB, sk *paillier.PrivateKey, plaintexts []*big.Int) (texts []string) {
	t.Helper()
	for _, m := range plaintexts {
		c, err := sk.Encrypt(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// open decrypts an evaluation and takes the mask away.
func (c *computation) open(t testing.TB, texts []string) []int64 {
	t.Helper()
	packing, err := c.job.Spec.Packing(c.key.Bits())
	if err != nil {
		t.Fatal(err)
	}
	list, err := DecodeCiphertexts(c.key.Public(), texts, packing.Plaintexts(len(c.job.Keys())))
	if err != nil {
		t.Fatal(err)
	}
	plaintexts := make([]*big.Int, len(list))
	for i := range list {
		m, err := c.key.Decrypt(list[i])
		if err != nil {
			t.Fatal(err)
		}
		plaintexts[i] = m.Sub(m, c.masks[i]).Mod(m, c.key.Public().N())
	}
	values, err := packing.Unpack(plaintexts, len(c.job.Keys()))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestEvaluate compares evaluations with sums in the clear: one plaintext and
// many, weights of both signs, and values at both ends of the range.
func TestEvaluate(t *testing.T) {
	for _, tc := range []struct {
		name            string
		keys, valueBits int
		weights         []int64
		departments     []string
		plaintexts      int
	}{
		{"one key", 1, 32, []int64{1, 1}, []string{"census", "labor"}, 1},
		{"difference", 6, 32, []int64{1, -1}, []string{"census", "labor"}, 1},
		{"negative alone", 6, 32, []int64{-3, -5}, []string{"census", "labor"}, 1},
		{"common divisor", 6, 40, []int64{-3000, 255000, 1000}, []string{"census", "labor", "health"}, 1},
		{"several inputs of one department", 20, 32, []int64{2, -7, 255, 1}, []string{"labor", "census", "labor", "health"}, 1},
		{"several plaintexts", 200, 50, []int64{100, -100, 55}, []string{"census", "labor", "census"}, 3},
		{"widest slots", 60, 61, []int64{1, -1}, []string{"census", "labor"}, 1},
		{"most inputs", 3, 40, []int64{1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12, 13, -14, 15, -255},
			strings.Split(strings.Repeat("census,labor,", 8), ",")[:16], 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := compute(t, tc.keys, tc.valueBits, tc.weights, tc.departments)
			once, err := Evaluate(c.key.Public(), c.job, c.contributions, c.mask)
			if err != nil || len(once) != tc.plaintexts {
				t.Fatalf("%d ciphertexts (%v), want %d", len(once), err, tc.plaintexts)
			}
			if got := c.open(t, once); !slices.Equal(got, c.want) {
				t.Errorf("opens to %v, want %v", got, c.want)
			}
			slices.Reverse(c.contributions)
			twice, err := Evaluate(c.key.Public(), c.job, c.contributions, c.mask)
			if err != nil || !slices.Equal(once, twice) {
				t.Errorf("another order of contributions gives other bytes (%v)", err)
			}
			if a, b := CiphertextsDigest(once), CiphertextsDigest(append(slices.Clone(once), once[0])); a == b || !ValidDigest(a) {
				t.Errorf("digests %s and %s", a, b)
			}
		})
	}
}

// TestEvaluateRefuses leaves out, doubles and swaps what is evaluated.
func TestEvaluateRefuses(t *testing.T) {
	for name, change := range map[string]func(c *computation){
		"no contributions": func(c *computation) { c.contributions = nil },
		"one is missing":   func(c *computation) { c.contributions = c.contributions[:1] },
		"twice":            func(c *computation) { c.contributions = append(c.contributions, c.contributions[0]) },
		"of another job":   func(c *computation) { c.contributions[1].Job = NewID(NounJob, "m", "d") },
		"by another":       func(c *computation) { c.contributions[1].Department = "health" },
		"an input too many": func(c *computation) {
			c.contributions[1].Inputs = append(c.contributions[1].Inputs, Encrypted{Input: 2})
		},
		"a negative input": func(c *computation) { c.contributions[1].Inputs[0].Input = -1 },
		"an input too few": func(c *computation) { c.contributions[1].Inputs = nil },
		"no ciphertexts":   func(c *computation) { c.contributions[1].Inputs[0].Ciphertexts = []string{} },
		"a ciphertext more": func(c *computation) {
			c.contributions[1].Inputs[0].Ciphertexts = append(c.mask.Ciphertexts, c.mask.Ciphertexts...)
		},
		"no ciphertext": func(c *computation) { c.contributions[0].Inputs[0].Ciphertexts = []string{someCiphertext} },
		"sum without noise": func(c *computation) {
			c.contributions[0].Inputs[0].Ciphertexts = c.contributions[1].Inputs[0].Ciphertexts
		},
		"mask of another job":  func(c *computation) { c.mask.Job = NewID(NounJob, "m", "d") },
		"no mask":              func(c *computation) { c.mask = Mask{} },
		"mask of no encoding":  func(c *computation) { c.mask.Ciphertexts = []string{"x"} },
		"mask without numbers": func(c *computation) { c.mask.Ciphertexts = nil },
		"spec without inputs":  func(c *computation) { c.job.Spec.Inputs = nil },
		"spec of another bound": func(c *computation) {
			c.job.Spec.ValueBits = 63
		},
	} {
		c := compute(t, 5, 32, []int64{1, -1}, []string{"census", "labor"})
		change(c)
		if out, err := Evaluate(c.key.Public(), c.job, c.contributions, c.mask); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v (%v), want %s", name, out, err, Invalid)
		}
	}
}

// TestCiphertextSize holds the arithmetic to real ciphertexts.
func TestCiphertextSize(t *testing.T) {
	c := compute(t, 1, 32, []int64{1, 1}, []string{"census", "labor"})
	if got, want := ciphertextSize(c.key.Bits()), len(c.mask.Ciphertexts[0]); got != want {
		t.Errorf("%d, want %d", got, want)
	}
}

// TestCheckSize fills a contribution to what a spec may ask for, and finds that
// its operation is one that the contract reads.
func TestCheckSize(t *testing.T) {
	spec := Spec{Plan: somePlan(), Bits: paillier.DefaultBits}
	spec.Inputs, spec.Sources, spec.Keys, spec.ValueBits = nil, nil, nil, 50
	for i := range MaxKeys {
		spec.Keys = append(spec.Keys, fmt.Sprint(i))
	}
	inputs := 0
	for fits := true; fits && inputs < 100; fits = spec.CheckSize() == nil {
		spec.Inputs = append(spec.Inputs, Input{Weight: 1})
		spec.Sources = append(spec.Sources, Source{Provider: "census"})
		inputs++
	}
	packing, err := spec.Packing(spec.Bits)
	if err != nil || inputs < 8 || inputs > MaxInputs {
		t.Fatalf("%d inputs of %d keys are refused (%v)", inputs, MaxKeys, err)
	}
	b := Contribute{Job: NewID(NounJob, "m", "c")}
	text := "paillier-ciphertext-1." + strings.Repeat("A", ciphertextSize(spec.Bits)-len("paillier-ciphertext-1."))
	for i := range inputs - 1 {
		b.Inputs = append(b.Inputs, Encrypted{Input: i, Ciphertexts: slices.Repeat([]string{text}, packing.Plaintexts(MaxKeys))})
	}
	op, err := NewOperation("", OpJobContribute, &b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeBody(op.Op, op.Body); err != nil {
		t.Errorf("%d inputs are allowed, their contribution of %d bytes is not: %v", inputs-1, len(op.Body), err)
	}
}

func FuzzDecodeCiphertexts(f *testing.F) {
	sk, err := testKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(someCiphertext)
	f.Add(encryptAll(f, sk, []*big.Int{big.NewInt(1)})[0])
	f.Fuzz(func(t *testing.T, text string) {
		list, err := DecodeCiphertexts(sk.Public(), []string{text}, 1)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if again, err := list[0].MarshalText(); err != nil || string(again) != text {
			t.Fatalf("%q is written again as %q (%v)", text, again, err)
		}
	})
}
