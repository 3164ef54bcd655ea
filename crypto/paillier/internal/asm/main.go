// Command asm writes the kernels of crypto/paillier: kernel_amd64.s and its
// stubs. It is a module of its own so that the generator's library stays out of
// the main one. Run it by go generate in crypto/paillier.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("amd64,!purego")
	mulAcc()
	square()
	reduce()
	double()
	lookup()
	scan()
	row()
	Generate()
}
