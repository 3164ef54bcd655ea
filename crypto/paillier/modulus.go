package paillier

import (
	"fmt"
	"math/big"
	"math/bits"
	"sync"
)

// Limits of a modulus, in bits. 2048 bits stand for 112 bits of security
// (acceptable to 2030, NIST SP 800-57), 3072 for 128, 4096 for about 150.
const (
	MinBits     = 2048
	DefaultBits = 3072
	MaxBits     = 4096
)

// trialBound is the bound of the small factors that a modulus must not have.
const trialBound = 1 << 16

// primesBelow returns the odd primes below bound, ascending.
func primesBelow(bound int) []uint32 {
	composite := make([]bool, bound)
	var primes []uint32
	for i := 3; i < bound; i += 2 {
		if composite[i] {
			continue
		}
		primes = append(primes, uint32(i))
		for j := i * i; j < bound; j += 2 * i {
			composite[j] = true
		}
	}
	return primes
}

// primeGroup is a few consecutive primes whose product fits a word, so that a
// long number is divided once for all of them.
type primeGroup struct {
	product uint64
	primes  []uint32
}

var smallGroups = sync.OnceValue(func() []primeGroup {
	return groupPrimes(primesBelow(trialBound))
})

func groupPrimes(primes []uint32) []primeGroup {
	var groups []primeGroup
	for len(primes) > 0 {
		product, n := uint64(1), 0
		for n < len(primes) {
			hi, lo := bits.Mul64(product, uint64(primes[n]))
			if hi != 0 {
				break
			}
			product, n = lo, n+1
		}
		groups = append(groups, primeGroup{product, primes[:n]})
		primes = primes[n:]
	}
	return groups
}

// remainder returns the little-endian words w modulo d.
func remainder(w []uint64, d uint64) uint64 {
	var r uint64
	for i := len(w) - 1; i >= 0; i-- {
		_, r = bits.Div64(r, w[i], d)
	}
	return r
}

// smallFactor returns an odd prime below trialBound that divides n, or 0.
func smallFactor(n *big.Int) uint32 {
	w := wordsOf(n, (n.BitLen()+63)/64)
	for _, g := range smallGroups() {
		r := remainder(w, g.product)
		for _, p := range g.primes {
			if r%uint64(p) == 0 {
				return p
			}
		}
	}
	return 0
}

// perfectPower reports whether n = b^k for some k of at least 2. Factors below
// 2^16 must have been excluded, so that k is at most n.BitLen()/16.
func perfectPower(n *big.Int) bool {
	exponents := append([]uint32{2}, primesBelow(n.BitLen()/16+1)...)
	for _, k := range exponents {
		b := root(n, int(k))
		if b.Exp(b, big.NewInt(int64(k)), nil).Cmp(n) == 0 {
			return true
		}
	}
	return false
}

// root returns the integer k-th root of n, rounded down (Newton's iteration
// from above).
func root(n *big.Int, k int) *big.Int {
	if k == 2 {
		return new(big.Int).Sqrt(n)
	}
	x := new(big.Int).Lsh(big.NewInt(1), uint((n.BitLen()+k-1)/k))
	kk, k1 := big.NewInt(int64(k)), big.NewInt(int64(k-1))
	for {
		y := new(big.Int).Exp(x, k1, nil)
		y.Div(n, y)
		y.Add(y, new(big.Int).Mul(x, k1))
		y.Div(y, kk)
		if y.Cmp(x) >= 0 {
			return x
		}
		x = y
	}
}

// checkModulus refuses what cannot be a modulus, cheapest test first. It cannot
// see how many prime factors n has: that takes a proof by n's owner.
func checkModulus(n *big.Int, form Form) error {
	switch {
	case n == nil || n.Sign() <= 0:
		return fmt.Errorf("%w: not positive", ErrModulusSize)
	case n.BitLen() < MinBits || n.BitLen() > MaxBits || n.BitLen()%64 != 0:
		return fmt.Errorf("%w: %d bits", ErrModulusSize, n.BitLen())
	case n.Bit(0) == 0:
		return ErrModulusEven
	case form != FormDJN && form != FormStandard:
		return fmt.Errorf("%w: form %d", ErrModulusForm, form)
	case form == FormDJN && n.Bit(1) != 0:
		return fmt.Errorf("%w: 3 mod 4", ErrModulusForm)
	}
	if p := smallFactor(n); p != 0 {
		return fmt.Errorf("%w: %d", ErrModulusSmallFactor, p)
	}
	if perfectPower(n) {
		return ErrModulusPower
	}
	if n.ProbablyPrime(10) {
		return ErrModulusPrime
	}
	return nil
}
