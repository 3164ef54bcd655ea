package paillier

import (
	"context"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var update = flag.Bool("update-keys", false, "generate the test keys of testdata anew")

// testKeys caches the keys of testdata by length. They are published: they
// protect nothing.
var testKeys sync.Map

func keyFile(bits int) string {
	return filepath.Join("testdata", fmt.Sprintf("TEST-KEY-NOT-SECRET-%d.txt", bits))
}

func testKey(t testing.TB, bits int) *PrivateKey {
	t.Helper()
	load := sync.OnceValues(func() (*PrivateKey, error) {
		text, err := os.ReadFile(keyFile(bits))
		if err != nil {
			return nil, err
		}
		return ParsePrivateKeyText(text)
	})
	v, _ := testKeys.LoadOrStore(bits, load)
	sk, err := v.(func() (*PrivateKey, error))()
	if err != nil {
		t.Fatal(err)
	}
	return sk
}

func TestUpdateKeys(t *testing.T) {
	if !*update {
		t.Log("test keys are kept; -update-keys makes new ones")
		return
	}
	for _, bits := range []int{2048, 2560, 3072, 4096} {
		sk, err := GenerateKey(context.Background(), KeyOptions{Bits: bits})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(keyFile(bits), sk.ExportText(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func bigInt(t testing.TB, s string) *big.Int {
	t.Helper()
	v, ok := new(big.Int).SetString(s, 0)
	if !ok {
		t.Fatalf("not a number: %s", s)
	}
	return v
}
