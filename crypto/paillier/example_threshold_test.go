package paillier_test

import (
	"context"
	"fmt"
	"log"
	"math/big"
	"os"

	"chancery/crypto/paillier"
)

// A dealer splits a key of two safe primes among three departments; two of them open
// a ciphertext, and a third who answers for another job is named.
func ExampleVerificationKey_Open() {
	ctx := context.Background()
	text, err := os.ReadFile("testdata/TEST-SAFE-KEY-NOT-SECRET-2048-a.txt")
	if err != nil {
		log.Fatal(err)
	}
	dealer, err := paillier.ParsePrivateKeyText(text)
	if err != nil {
		log.Fatal(err)
	}
	vk, shares, err := dealer.Deal(ctx, nil, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	sum, err := vk.Public().Encrypt(nil, big.NewInt(42))
	if err != nil {
		log.Fatal(err)
	}
	job := paillier.Context{Channel: "research", Epoch: 1, Job: "j-sum"}
	c := []*paillier.Ciphertext{sum}
	var posts []paillier.Post
	for i, department := range []string{"census", "health", "labour"} {
		at := job
		at.Department = department
		if department == "health" {
			at.Job = "j-other"
		}
		d, err := shares[i].DecryptShare(ctx, c)
		if err != nil {
			log.Fatal(err)
		}
		proof, err := shares[i].Prove(ctx, nil, at, c, d)
		if err != nil {
			log.Fatal(err)
		}
		posts = append(posts, paillier.Post{Department: department, Share: d, Proof: proof})
	}
	m := []*big.Int{new(big.Int)}
	faults, err := vk.Open(ctx, m, job, c, posts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m[0])
	for _, f := range faults {
		fmt.Println(f)
	}
	// Output:
	// 42
	// post 1 by "health" for party 2: paillier: proof does not hold: share of party 2
}
