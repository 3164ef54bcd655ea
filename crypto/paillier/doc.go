// Package paillier is Paillier's additively homomorphic encryption: whoever holds
// the public key adds encrypted numbers and multiplies them by public ones, and
// only the private key opens the result. It is built for batches.
//
// # Scheme
//
// P. Paillier, "Public-Key Cryptosystems Based on Composite Degree Residuosity
// Classes", Eurocrypt '99, with g = n+1: c = (1 + m·n)·r^n mod n². A key of
// FormDJN encrypts publicly with the noise h^x, h an n-th power that SHA-256
// derives from n, x of |n|/2 bits (I. Damgård, M. Jurik, J. Nielsen, "A
// generalization of Paillier's public-key system with applications to electronic
// voting", IJIS 2010, section 4.2); this adds the assumption that such powers look
// like all n-th powers of their Jacobi symbol. A key of FormStandard draws r
// itself. A key's owner encrypts modulo p² and q² with exponents longer than the
// groups' orders, which gives r^n's own distribution to within 2^-63, under either
// form, and rests on Paillier's assumption alone.
//
// Moduli have 2048 to 4096 bits: 2048 stand for 112 bits of security (acceptable
// to 2030, NIST SP 800-57), 3072, the default, for 128, 4096 for about 150.
//
// # What it protects from, and what not
//
// Ciphertexts hide their plaintexts from everyone without the private key, as
// long as nobody decrypts what a stranger has chosen: anyone can change a
// ciphertext's plaintext in a known way. There is no integrity here. A result that
// leaves the hands of those who know its inputs should be rerandomised. A public
// key that a stranger sent is checked for all that can be seen from outside, which
// is not that n has just two prime factors.
//
// # Time and secrets
//
// Independent of secrets, in operations and memory accesses: the powers by secret
// exponents in encryption and decryption (tables are read whole, or permuted
// within registers), the arithmetic modulo n², p² and q², and the conversions
// between words and limbs. Not independent: everything that math/big does, which
// is the generation of keys, their import and the first use of a private key, the
// reading of plaintexts given and the final m = m_p + p·t of decryption, whose
// numbers are normalised by math/big. Scalars, weights, ciphertexts and the
// modulus are public, and times depend on them. Nothing is wiped from memory:
// the Go runtime copies freely.
//
// # Evaluation without randomness
//
// Add, AddPlain, MulConst, Neg, LinearCombination, Packing.Evaluate and Check draw
// none and give the same bytes on every machine, whatever its kernel: a contract
// may use them. Layout is the description of a packing that contract, workers and
// receivers share.
//
// # Arithmetic
//
// Numbers modulo n² are kept as two digits to the base n, each in Montgomery form:
// five products of n's length make one modulo n² (see ring.go). Kernel names the
// path that this machine takes: "avx512ifma" computes eight numbers at once, so
// that batch forms are up to eight times as fast for each number as single calls;
// "adx" and "go" compute one. BENCH.md has the figures.
package paillier
