package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"sync"
	"sync/atomic"
)

// KeyOptions says what key to generate. The zero value makes a DJN key of
// DefaultBits.
type KeyOptions struct {
	// Bits is the length of the modulus: MinBits to MaxBits, a multiple of 64.
	// Default DefaultBits.
	Bits int
	// Form is how the key draws noise. Default FormDJN.
	Form Form
	// Safe asks for safe primes (p = 2p'+1, p' prime), as threshold keys need.
	// They take minutes rather than a second.
	Safe bool
	// Random is the source of randomness. Default the operating system's.
	Random io.Reader
	// Progress, if set, is called after each batch of candidates, by one
	// goroutine at a time.
	Progress func(Progress)
}

// Progress counts what a key generation has done so far.
type Progress struct {
	Sieved int64   // candidates that trial division looked at
	Tested int64   // candidates that went through a primality test
	Found  int     // primes found, of 2
	Expect float64 // the expected Tested for both primes
}

// GenerateKey makes a key; both primes are searched for at once. Errors:
// ErrOptions, the context's, and Random's.
func GenerateKey(ctx context.Context, o KeyOptions) (*PrivateKey, error) {
	if o.Bits == 0 {
		o.Bits = DefaultBits
	}
	if o.Form == 0 {
		o.Form = FormDJN
	}
	if o.Bits < MinBits || o.Bits > MaxBits || o.Bits%64 != 0 || (o.Form != FormDJN && o.Form != FormStandard) {
		return nil, fmt.Errorf("%w: a %s key of %d bits", ErrOptions, o.Form, o.Bits)
	}
	for {
		p, q, err := primePair(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("generate key: %w", err)
		}
		if sk, err := NewPrivateKey(p, q, o.Form); err == nil {
			return sk, nil
		}
	}
}

// primePair searches for both primes, each on a goroutine of its own.
func primePair(ctx context.Context, o KeyOptions) (p, q *big.Int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	meter := &meter{report: o.Progress, expect: 2 * expectedTests(o.Bits/2, o.Safe)}
	random := &lockedReader{r: source(o.Random)}
	var primes [2]*big.Int
	var errs [2]error
	var wg sync.WaitGroup
	for i := range primes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := search{bits: o.Bits / 2, safe: o.Safe, random: random, meter: meter}
			if primes[i], errs[i] = s.run(ctx); errs[i] != nil {
				cancel()
			}
		}()
	}
	wg.Wait()
	for _, e := range errs {
		if e != nil && (err == nil || ctx.Err() == nil) {
			err = e
		}
	}
	return primes[0], primes[1], err
}

// lockedReader lets two searches draw from one reader.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader // guarded by mu
}

func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, b)
}

// meter adds up the progress of both searches.
type meter struct {
	sieved, tested atomic.Int64
	found          atomic.Int32
	expect         float64

	mu     sync.Mutex // held while report runs
	report func(Progress)
}

func (m *meter) tell() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report(Progress{m.sieved.Load(), m.tested.Load(), int(m.found.Load()), m.expect})
}
