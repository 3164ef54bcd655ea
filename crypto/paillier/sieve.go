package paillier

import (
	"context"
	"io"
	"math"
	"math/big"
	"sync"
)

// search looks for one prime of bits bits that is 3 mod 4, the two highest bits
// set: a random start, then start + 4·i for i up to a window's length, in which
// multiples of small primes are struck out before any primality test. (The start
// is fresh for each window. Incremental search favours primes after long gaps by
// a factor that is of no use to an attacker: Brandt, Damgård, Crypto '92.)
type search struct {
	bits   int
	safe   bool
	random io.Reader
	meter  *meter
}

// The sieve's bounds and window lengths. A safe prime is rare: a wide window and
// a high bound pay.
const (
	sieveBound     = 1 << 16
	sieveWindow    = 1 << 12
	safeSieveBound = 1 << 20
	safeWindow     = 1 << 17
)

var safeGroups = sync.OnceValue(func() []primeGroup { return groupPrimes(primesBelow(safeSieveBound)) })

// expectedTests estimates how many candidates survive the sieve for each prime
// found: by the prime number theorem and Mertens' theorem.
func expectedTests(bits int, safe bool) float64 {
	density := float64(bits) * math.Ln2
	tests := density * math.Exp(-0.5772) / math.Log(sieveBound)
	if safe {
		one := density * math.Exp(-0.5772) / math.Log(safeSieveBound)
		tests = one * one / 1.32
	}
	return tests
}

func (s *search) run(ctx context.Context) (*big.Int, error) {
	length, groups := sieveWindow, smallGroups
	if s.safe {
		length, groups = safeWindow, safeGroups
	}
	struck := make([]bool, length)
	for {
		start, err := s.start()
		if err != nil {
			return nil, err
		}
		s.strike(struck, start, groups())
		s.meter.sieved.Add(int64(length))
		p, err := s.test(ctx, struck, start)
		if p != nil || err != nil {
			return p, err
		}
	}
}

// start draws a number of s.bits bits, 3 mod 4, at most 2^bits - 2^(bits-2), so
// that no window leaves the range.
func (s *search) start() (*big.Int, error) {
	b := make([]byte, (s.bits+7)/8)
	for {
		if _, err := io.ReadFull(s.random, b); err != nil {
			return nil, err
		}
		x := new(big.Int).SetBytes(b)
		x.Rsh(x, uint(8*len(b)-s.bits))
		x.SetBit(x, s.bits-1, 1).SetBit(x, s.bits-2, 1).SetBit(x, 1, 1).SetBit(x, 0, 1)
		if end := new(big.Int).Add(x, big.NewInt(4*safeWindow)); end.BitLen() == s.bits {
			return x, nil
		}
	}
}

// strike marks the i for which a small prime divides start + 4i or, for safe
// primes, (start + 4i - 1)/2.
func (s *search) strike(struck []bool, start *big.Int, groups []primeGroup) {
	clear(struck)
	w := wordsOf(start, (s.bits+63)/64)
	for _, g := range groups {
		rest := remainder(w, g.product)
		for _, small := range g.primes {
			p := uint64(small)
			r := rest % p
			// 4^-1 mod p is (p+1)²/4 mod p.
			quarter := (p + 1) / 2 * ((p + 1) / 2) % p
			mark(struck, (p-r)%p*quarter%p, p)
			if s.safe {
				// p divides (start + 4i - 1)/2 iff start + 4i is 1 mod p.
				mark(struck, (p+1-r)%p*quarter%p, p)
			}
		}
	}
}

func mark(struck []bool, from, step uint64) {
	for i := from; i < uint64(len(struck)); i += step {
		struck[i] = true
	}
}

// test returns the first prime that the sieve left, or nil if there is none.
func (s *search) test(ctx context.Context, struck []bool, start *big.Int) (*big.Int, error) {
	p, half := new(big.Int), new(big.Int)
	for i := range struck {
		if struck[i] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.Add(start, big.NewInt(4*int64(i)))
		s.meter.tested.Add(1)
		s.meter.tell()
		if s.safe {
			half.Rsh(p, 1)
			if !half.ProbablyPrime(0) || !p.ProbablyPrime(0) || !half.ProbablyPrime(20) {
				continue
			}
		}
		if p.ProbablyPrime(0) && p.ProbablyPrime(20) {
			s.meter.found.Add(1)
			s.meter.tell()
			return p, nil
		}
	}
	return nil, nil
}
