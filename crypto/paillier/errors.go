package paillier

import "errors"

// What this package refuses, and why. Every refusal wraps exactly one of
// these; test with errors.Is.
var (
	// ErrModulusSize: the modulus is not MinBits to MaxBits long, or its length
	// is not a multiple of 64 bits.
	ErrModulusSize = errors.New("paillier: modulus has a length that is not allowed")
	// ErrModulusEven: the modulus is even.
	ErrModulusEven = errors.New("paillier: modulus is even")
	// ErrModulusPower: the modulus is a square, a cube or a higher power.
	ErrModulusPower = errors.New("paillier: modulus is a perfect power")
	// ErrModulusPrime: the modulus is prime.
	ErrModulusPrime = errors.New("paillier: modulus is prime")
	// ErrModulusSmallFactor: a prime below 2^16 divides the modulus.
	ErrModulusSmallFactor = errors.New("paillier: modulus has a small factor")
	// ErrModulusForm: the modulus cannot be a product of two primes that are
	// 3 mod 4, which the DJN form needs; or the form is unknown.
	ErrModulusForm = errors.New("paillier: modulus does not suit the key's form")
	// ErrPrivateKey: p and q do not make a key (not prime, unequal lengths,
	// too close together, wrong residues).
	ErrPrivateKey = errors.New("paillier: factors do not make a private key")
	// ErrPrivate: somebody asked a private key or a key share to marshal itself
	// other than by Export.
	ErrPrivate = errors.New("paillier: a private key does not marshal itself")

	// ErrCiphertextRange: a ciphertext is negative, 0, or n² and above.
	ErrCiphertextRange = errors.New("paillier: ciphertext out of range")
	// ErrCiphertextBare: a ciphertext is 1, or 1 modulo n. It carries no
	// randomness, so that anyone reads its plaintext; an evaluation that would
	// end in one (weight 0, c - c) is refused by the same error.
	ErrCiphertextBare = errors.New("paillier: ciphertext carries no randomness")
	// ErrCiphertextFactor: a ciphertext is not coprime to n.
	ErrCiphertextFactor = errors.New("paillier: ciphertext shares a factor with the modulus")
	// ErrKeyMismatch: a ciphertext belongs to another key.
	ErrKeyMismatch = errors.New("paillier: ciphertext belongs to another key")
	// ErrPlaintextRange: a plaintext is not in [0, n), a scalar not in (-n, n).
	ErrPlaintextRange = errors.New("paillier: plaintext out of range")

	// ErrEncoding: bytes or text are truncated, too long, not canonical, or of
	// another kind.
	ErrEncoding = errors.New("paillier: malformed encoding")
	// ErrVersion: the encoding's version is unknown.
	ErrVersion = errors.New("paillier: unknown encoding version")
	// ErrFingerprint: the fingerprint in an encoding is not that of its key.
	ErrFingerprint = errors.New("paillier: fingerprint does not match")

	// ErrLength: slices that must be equally long are not, or are empty.
	ErrLength = errors.New("paillier: lengths differ")
	// ErrOptions: an option is out of its range.
	ErrOptions = errors.New("paillier: option out of range")
	// ErrLayout: a packing's description is out of range or does not fit.
	ErrLayout = errors.New("paillier: packing does not fit")
	// ErrOverflow: a value does not fit its slot.
	ErrOverflow = errors.New("paillier: value does not fit its slot")
	// ErrDecimal: a text is not a plain decimal number of the declared scale.
	ErrDecimal = errors.New("paillier: not a decimal of the declared scale")
	// ErrThreshold: a threshold and a number of parties that make no threshold
	// key, or a key whose primes are not safe.
	ErrThreshold = errors.New("paillier: no threshold key")
	// ErrVerificationKey: verification values are out of range or do not lie on
	// one polynomial.
	ErrVerificationKey = errors.New("paillier: verification values do not fit together")
	// ErrKeyShare: a key share is not the one that its verification value stands
	// for.
	ErrKeyShare = errors.New("paillier: key share does not fit its verification value")
	// ErrShareIndex: a party's index is 0, above the number of parties, or there
	// twice.
	ErrShareIndex = errors.New("paillier: party's index out of range or there twice")
	// ErrTooFewShares: fewer good shares than the threshold.
	ErrTooFewShares = errors.New("paillier: too few shares")
	// ErrShares: shares do not open their ciphertexts: one of them is wrong.
	ErrShares = errors.New("paillier: shares do not combine")
	// ErrProof: a proof does not hold for its statement and context.
	ErrProof = errors.New("paillier: proof does not hold")
	// ErrWitness: what is to be proved is not so, or not by what was given.
	ErrWitness = errors.New("paillier: nothing to prove it with")
	// ErrSetup: the set-up of commitments is out of range or not proved.
	ErrSetup = errors.New("paillier: set-up of commitments refused")

	// ErrPoolEmpty: a precomputation pool has no noise left.
	ErrPoolEmpty = errors.New("paillier: pool is empty")
)
