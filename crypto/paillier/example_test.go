package paillier_test

import (
	"context"
	"fmt"
	"log"
	"math/big"
	"os"

	"chancery/crypto/paillier"
)

// exampleKey reads a key that is published in testdata: examples do not wait for
// GenerateKey.
func exampleKey() *paillier.PrivateKey {
	text, err := os.ReadFile("testdata/TEST-KEY-NOT-SECRET-3072.txt")
	if err != nil {
		log.Fatal(err)
	}
	sk, err := paillier.ParsePrivateKeyText(text)
	if err != nil {
		log.Fatal(err)
	}
	return sk
}

func Example() {
	sk := exampleKey()
	pk := sk.Public()
	a, err := pk.Encrypt(nil, big.NewInt(20))
	if err != nil {
		log.Fatal(err)
	}
	b, err := pk.Encrypt(nil, big.NewInt(22))
	if err != nil {
		log.Fatal(err)
	}
	sum, err := pk.Add(a, b)
	if err != nil {
		log.Fatal(err)
	}
	m, err := sk.Decrypt(sum)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)
	// Output: 42
}

// Three departments' columns, weighted and summed in one operation on ciphertexts.
func ExamplePacking() {
	sk := exampleKey()
	pk := sk.Public()
	p, err := paillier.NewPacking(paillier.Layout{
		Bits: 3072, Scale: 2, ValueBits: 40, Weights: []int64{3, -1, 2},
	})
	if err != nil {
		log.Fatal(err)
	}
	columns := [][]string{{"10.50", "-3"}, {"0.25", "100"}, {"7", "0.01"}}
	var addends []*paillier.Ciphertext
	for _, column := range columns {
		var values []int64
		for _, text := range column {
			v, err := paillier.ParseDecimal(text, 2)
			if err != nil {
				log.Fatal(err)
			}
			values = append(values, v)
		}
		plaintexts, err := p.Pack(nil, values)
		if err != nil {
			log.Fatal(err)
		}
		c, err := pk.Encrypt(nil, plaintexts[0])
		if err != nil {
			log.Fatal(err)
		}
		addends = append(addends, c)
	}
	sum, err := p.Evaluate(pk, addends)
	if err != nil {
		log.Fatal(err)
	}
	m, err := sk.Decrypt(sum)
	if err != nil {
		log.Fatal(err)
	}
	values, err := p.Unpack([]*big.Int{m}, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range values {
		fmt.Println(paillier.FormatDecimal(v, 2))
	}
	// Output:
	// 45.25
	// -108.98
}

// Batches fill the lanes and the processors, and use their destinations' memory.
func ExamplePrivateKey_EncryptBatch() {
	ctx := context.Background()
	sk := exampleKey()
	m, c, opened := make([]*big.Int, 100), make([]*paillier.Ciphertext, 100), make([]*big.Int, 100)
	for i := range m {
		m[i], c[i], opened[i] = big.NewInt(int64(i)), new(paillier.Ciphertext), new(big.Int)
	}
	if err := sk.EncryptBatch(ctx, nil, c, m); err != nil {
		log.Fatal(err)
	}
	if err := sk.DecryptBatch(ctx, opened, c); err != nil {
		log.Fatal(err)
	}
	fmt.Println(opened[99])
	// Output: 99
}

// Noise made in quiet hours makes encryption cheap in busy ones.
func ExamplePool() {
	sk := exampleKey()
	pool, err := sk.Public().NewPool(16)
	if err != nil {
		log.Fatal(err)
	}
	if err := pool.Fill(context.Background(), nil); err != nil {
		log.Fatal(err)
	}
	c, err := pool.Encrypt(big.NewInt(7))
	if err != nil {
		log.Fatal(err)
	}
	m, err := sk.Decrypt(c)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m, pool.Len())
	// Output: 7 15
}
