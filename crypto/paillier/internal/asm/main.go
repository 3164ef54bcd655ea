// Command asm writes the kernels of crypto/paillier: kernel_amd64.s and its
// stubs. It is a module of its own so that the generator's library stays out of
// the main one. Run it by go generate in crypto/paillier.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("amd64,!purego")
	multiply()
	square()
	reduce()
	carry()
	twice()
	lookup()
	scan()
	product()
	accumulate("adxProductAdd", false, "adxProductAdd adds a[0:n]·b[0:n] to t[0:2n] and returns the carry. n is a multiple", "of 4; inv is not used.")
	accumulate("adxReduce", true, "adxReduce sets a to -t/b modulo 2^(64n) and adds a·b to t[0:2n]; it returns the", "carry. inv is -1/b modulo 2^256; n is a multiple of 4.")
	Generate()
}
