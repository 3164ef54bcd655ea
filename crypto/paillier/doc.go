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
// is not that n has just two prime factors: ModulusProof and FactorProof show that.
//
// # Threshold decryption
//
// Deal splits a key of two safe primes (KeyOptions.Safe) among n parties, so that t
// of them open ciphertexts together: Damgård, Jurik and Nielsen (2010, section 5)
// after Shoup (Eurocrypt 2000). A party checks what the dealer sent it (ParseKeyShare,
// Check), answers lists of ciphertexts (DecryptShare, deterministic), and proves
// the answer (Prove); whoever has the VerificationKey opens by t good answers and
// learns which others are bad and whose they are (Open). A new key, not new shares
// of the old one, follows a change of parties.
//
// The dealer is trusted: while it deals it holds the whole key, and it must forget
// the key, the shares and its randomness. What a dealer cannot do is give parties
// shares that do not belong together, or verification values under which forged
// answers hold: V is hashed from n, values are checked to lie on one polynomial,
// and shares against their values. That the key dealt opens what is encrypted, and
// that its primes are safe, is its word; a first ciphertext of a known number,
// opened by all subsets that matter, shows the former. Nothing here lets parties
// make a key without a dealer.
//
// What t and n protect from, c being the number of parties that one adversary
// reads (passive) or moves as it likes (active):
//
//	c < t       no ciphertext is opened, and c parties learn no more from honest
//	            answers than the plaintexts that those open anyway
//	c ≥ t       everything is open, past ciphertexts included
//	c > n - t   active: by refusing, nothing is opened any more
//	any c       active: no opening is falsified; bad answers are named
//
// So t = ⌊n/2⌋ + 1 keeps an adversary of fewer than half from both. The adversary
// is fixed before the key is dealt (static), and secrecy rests on Paillier's
// assumption. Parties do not see what a ciphertext is for: an adversary that makes
// honest parties answer ciphertexts of its own choice needs no share at all. Whoever
// calls DecryptShare decides what is opened: it should be what it has computed
// itself from what the ledger records, never a ciphertext that came in a message.
// And an opened sum tells whoever knows the other addends what is left of it.
//
// # Proofs
//
// All are non-interactive (Fiat-Shamir by SHA-256, in the random-oracle model), over
// labelled items behind their lengths, and bound to a Context: channel, keyring
// epoch, job, department. Verifying draws no randomness and gives the same answer
// on every machine. Context, verification key and ciphertexts are the verifier's
// own; a proof brings only its challenge and its answers.
//
//	ShareProof      a decryption share is the party's own; one for a whole list
//	KnowledgeProof  the maker of a ciphertext knows its plaintext: no copying
//	RangeProof      a plaintext lies in a range, exactly; long; no set-up
//	ModulusProof    n is the product of two primes, 3 mod 4, gcd(n, φ(n)) = 1
//	FactorProof     both are long; under the verifier's Setup
//
// Challenges have 256 bits, or 128 rounds of one bit, or weights of 128 bits for
// lists: a forger needs about 2^128 hashes. Masks are longer than what they hide by
// the challenge's length and 128 bits more: a share proof's has 2|n| + |n!| + 256 +
// 128 bits (the n of n! being the parties), so that answers are within 2^-128 of
// independent of the key share. A mask that is too short gives the share away by
// one proof, as the tests show. Masks are made from the secret, the statement and
// fresh randomness together.
//
// No proof speaks about the slots of a packed plaintext. That each packed value
// keeps to its range is trusted: a contributor who packs a value that is too large
// spoils its neighbours' sums, and only Unpack's checks may notice.
//
// # Time and secrets
//
// Independent of secrets, in operations and memory accesses: the powers by secret
// exponents in encryption, decryption, decryption shares and share proofs (tables
// are read whole, or permuted within registers), the answers of share proofs, the
// arithmetic modulo n², p² and q², and the conversions between words and limbs. Not
// independent: everything that math/big does, which is the generation of keys,
// dealing, set-ups and modulus proofs, the import and the first use of a private
// key or a key share, the answers of proofs about plaintexts and factors, the
// reading of plaintexts given and the final m = m_p + p·t of decryption, whose
// numbers are normalised by math/big. Scalars, weights, ciphertexts, challenges and
// the modulus are public, and times depend on them. Nothing is wiped from memory:
// the Go runtime copies freely.
//
// # Evaluation without randomness
//
// Add, AddPlain, MulConst, Neg, LinearCombination, Packing.Evaluate, Check, Combine,
// Open of posts, DecryptShare and all Verify functions draw none and give the same
// bytes on every machine, whatever its kernel: a contract may use them. Layout is
// the description of a packing that contract, workers and receivers share.
//
// # Arithmetic
//
// Numbers modulo n² are kept as two digits to the base n, each in Montgomery form:
// five products of n's length make one modulo n² (see ring.go). Kernel names the
// path that this machine takes: "avx512ifma" computes eight numbers at once, so
// that batch forms are up to eight times as fast for each number as single calls;
// "adx" and "go" compute one. BENCH.md has the figures.
package paillier
