package paillier

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Safe primes take seconds to minutes, so that the tests' are kept in testdata:
//
//	go test ./crypto/paillier -run TestUpdateSafeKeys -update-safe-keys -timeout 30m
var updateSafe = flag.Bool("update-safe-keys", false, "generate the safe-prime test keys of testdata anew")

// safeKeyNames are the safe-prime keys of testdata and their lengths.
var safeKeyNames = map[string]int{"2048-a": 2048, "2048-b": 2048, "3072": 3072}

func safeKeyFile(name string) string {
	return filepath.Join("testdata", fmt.Sprintf("TEST-SAFE-KEY-NOT-SECRET-%s.txt", name))
}

var safeKeys sync.Map

// safeKey returns a key of two safe primes from testdata. They are published: they
// protect nothing.
func safeKey(t testing.TB, name string) *PrivateKey {
	t.Helper()
	load := sync.OnceValues(func() (*PrivateKey, error) {
		text, err := os.ReadFile(safeKeyFile(name))
		if err != nil {
			return nil, err
		}
		return ParsePrivateKeyText(text)
	})
	v, _ := safeKeys.LoadOrStore(name, load)
	sk, err := v.(func() (*PrivateKey, error))()
	if err != nil {
		t.Fatal(err)
	}
	return sk
}

func TestUpdateSafeKeys(t *testing.T) {
	if !*updateSafe {
		t.Log("safe-prime test keys are kept; -update-safe-keys makes new ones")
		return
	}
	for name, bits := range safeKeyNames {
		sk, err := GenerateKey(context.Background(), KeyOptions{Bits: bits, Safe: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(safeKeyFile(name), sk.ExportText(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
