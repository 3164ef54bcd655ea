package paillier

import (
	"context"
	"errors"
	"math/big"
	"sync"
	"testing"
)

func TestPool(t *testing.T) {
	ctx := context.Background()
	sk := testKey(t, 2048)
	pool, err := sk.Public().NewPool(20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Encrypt(one); !errors.Is(err, ErrPoolEmpty) {
		t.Fatal(err)
	}
	if err := pool.Fill(ctx, nil); err != nil || pool.Len() != 20 {
		t.Fatal(pool.Len(), err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := make(map[string]bool)
	for i := range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := pool.Encrypt(big.NewInt(int64(i)))
			if err != nil {
				t.Error(err)
				return
			}
			if m, err := sk.Decrypt(c); err != nil || m.Int64() != int64(i) {
				t.Error(m, err)
			}
			noise, err := sk.AddPlain(c, big.NewInt(int64(-i)))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[noise.Int().String()] {
				t.Error("the same noise twice")
			}
			seen[noise.Int().String()] = true
		}()
	}
	wg.Wait()
	if pool.Len() != 0 {
		t.Fatal(pool.Len())
	}
	if err := pool.FillByOwner(ctx, nil, testKey(t, 2560)); !errors.Is(err, ErrKeyMismatch) {
		t.Fatal(err)
	}
	if err := pool.FillByOwner(ctx, nil, sk); err != nil || pool.Len() != 20 {
		t.Fatal(err)
	}
	if err := pool.EncryptBatch(ctx, ciphertexts(21), make([]*big.Int, 21)); !errors.Is(err, ErrPlaintextRange) || pool.Len() != 20 {
		t.Fatal(err)
	}
	if _, err := pool.Encrypt(new(big.Int).Neg(one)); !errors.Is(err, ErrPlaintextRange) || pool.Len() != 20 {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	other, _ := sk.NewPool(5)
	if err := other.Fill(cancelled, nil); !errors.Is(err, context.Canceled) || other.Len() != 0 {
		t.Fatal(err)
	}
}
