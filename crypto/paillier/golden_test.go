package paillier

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// The golden files hold one key's shares and proofs in their text forms, made with
// randomness that repeats:
//
//	go test ./crypto/paillier -run TestGolden -update-golden
//
// verifier_test.go checks them by code of its own.
var updateGolden = flag.Bool("update-golden", false, "write the golden files of testdata/golden anew")

const goldenLow, goldenHigh = -3, 9

// goldenFiles makes all that the golden files hold.
func goldenFiles(t testing.TB) map[string][]byte {
	t.Helper()
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	pk := d.vk.pk
	files := map[string][]byte{}
	text := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return append(b, '\n')
	}
	must := mustBeNil(t)
	files["verification-key.txt"] = text(d.vk.MarshalText())
	var c []*Ciphertext
	var openings []*Opening
	var plain []string
	for _, m := range []int64{4, 1234567890, 0} {
		r := new(big.Int).SetBytes(expand("golden noise", []byte{byte(m)}, 255))
		x, err := pk.EncryptWith(big.NewInt(m), r)
		must(err)
		o, err := pk.NewOpening(big.NewInt(m), r)
		must(err)
		c, openings, plain = append(c, x), append(openings, o), append(plain, big.NewInt(m).String())
		files["ciphertexts.txt"] = append(files["ciphertexts.txt"], text(x.MarshalText())...)
	}
	described, err := json.MarshalIndent(map[string]any{
		"context": testContext(1), "plaintexts": plain, "range": []int{goldenLow, goldenHigh},
	}, "", "  ")
	files["statement.json"] = text(described, err)
	for i := 1; i <= 2; i++ {
		name := string(rune('0' + i))
		files["key-share-"+name+"-NOT-SECRET.txt"] = text(d.shares[i-1].ExportText(), nil)
		s := d.share(t, i, c)
		files["share-"+name+".txt"] = text(s.MarshalText())
		p, err := d.shares[i-1].Prove(ctx, seeded("golden"), testContext(1), c, s)
		must(err)
		files["share-proof-"+name+".txt"] = text(p.MarshalText())
	}
	k, err := pk.ProveKnowledge(ctx, seeded("golden"), testContext(1), c[:1], openings[:1])
	must(err)
	files["knowledge-proof.txt"] = text(k[0].MarshalText())
	r, err := pk.ProveRange(ctx, seeded("golden"), testContext(1), c[0], openings[0], goldenLow, goldenHigh)
	must(err)
	files["range-proof.txt"] = text(r.MarshalText())
	m, err := d.sk.ProveModulus(seeded("golden"), testContext(1))
	must(err)
	files["modulus-proof.txt"] = text(m.MarshalText())
	u, err := NewSetup(safeKey(t, "2048-b"), seeded("golden"), testContext(1))
	must(err)
	files["setup.txt"] = text(u.MarshalText())
	f, err := d.sk.ProveFactors(ctx, seeded("golden"), testContext(1), u)
	must(err)
	files["factor-proof.txt"] = text(f.MarshalText())
	return files
}

func mustBeNil(t testing.TB) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What is made today is what was made when the files were written, byte for byte.
func TestGolden(t *testing.T) {
	dir := filepath.Join("testdata", "golden")
	files := goldenFiles(t)
	if *updateGolden {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range files {
		path := filepath.Join(dir, name)
		if *updateGolden {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s has changed", name)
		}
	}
	stored, err := os.ReadDir(dir)
	if err != nil || len(stored) != len(files) {
		t.Errorf("%d golden files, %d expected: %v", len(stored), len(files), err)
	}
}
