package paillier

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"sync"
)

// maxPool bounds a pool: a million of them take about a gigabyte.
const maxPool = 1 << 20

// Pool keeps encryptions of 0 made in quiet hours, so that an encryption in busy
// ones costs a product. Each is used once. A pool may be used by any number of
// goroutines at once; what it holds is as secret as randomness is.
type Pool struct {
	pk   *PublicKey
	size int

	mu    sync.Mutex
	ready []*Ciphertext // guarded by mu
	idle  []*Ciphertext // spent ones, for their memory; guarded by mu
}

// NewPool makes an empty pool of at most size encryptions, 1 to 2^20. Errors:
// ErrOptions.
func (pk *PublicKey) NewPool(size int) (*Pool, error) {
	if size < 1 || size > maxPool {
		return nil, fmt.Errorf("%w: a pool of %d", ErrOptions, size)
	}
	return &Pool{pk: pk, size: size}, nil
}

// Len returns how many encryptions the pool can make at once now.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready)
}

// Fill tops the pool up with public noise. Errors: the context's, random's.
func (p *Pool) Fill(ctx context.Context, random io.Reader) error {
	return p.fill(ctx, random, p.pk.EncryptBatch)
}

// FillByOwner tops the pool up with the owner's noise, which is cheaper. Errors:
// ErrKeyMismatch, the context's, random's.
func (p *Pool) FillByOwner(ctx context.Context, random io.Reader, sk *PrivateKey) error {
	if sk.fp != p.pk.fp {
		return fmt.Errorf("%w: %s, not %s", ErrKeyMismatch, sk.fp, p.pk.fp)
	}
	return p.fill(ctx, random, sk.EncryptBatch)
}

func (p *Pool) fill(ctx context.Context, random io.Reader,
	encrypt func(context.Context, io.Reader, []*Ciphertext, []*big.Int) error) error {
	const portion = 256
	zero := new(big.Int)
	for {
		p.mu.Lock()
		n := min(p.size-len(p.ready), portion)
		batch, zeros := make([]*Ciphertext, max(n, 0)), make([]*big.Int, max(n, 0))
		for i := range batch {
			zeros[i] = zero
			if k := len(p.idle); k > 0 {
				batch[i], p.idle = p.idle[k-1], p.idle[:k-1]
			} else {
				batch[i] = new(Ciphertext)
			}
		}
		p.mu.Unlock()
		if len(batch) == 0 {
			return ctx.Err()
		}
		if err := encrypt(ctx, random, batch, zeros); err != nil {
			return fmt.Errorf("fill pool: %w", err)
		}
		p.mu.Lock()
		p.ready = append(p.ready, batch...)
		p.mu.Unlock()
	}
}

// EncryptBatch encrypts m[i] into dst[i] with noise from the pool, at about the
// cost of AddPlainBatch. It takes none if there is too little. Errors:
// ErrPoolEmpty, ErrLength, ErrPlaintextRange, the context's; an error after noise
// was taken loses it.
func (p *Pool) EncryptBatch(ctx context.Context, dst []*Ciphertext, m []*big.Int) error {
	if err := checkLengths(dst, len(m)); err != nil {
		return err
	}
	if err := p.pk.checkPlaintexts(m); err != nil {
		return err
	}
	p.mu.Lock()
	left := len(p.ready) - len(m)
	if left < 0 {
		p.mu.Unlock()
		return fmt.Errorf("%w: %d wanted, %d there", ErrPoolEmpty, len(m), left+len(m))
	}
	noise := make([]*Ciphertext, len(m))
	copy(noise, p.ready[left:])
	clear(p.ready[left:])
	p.ready = p.ready[:left]
	p.mu.Unlock()
	err := p.pk.AddPlainBatch(ctx, dst, noise, m)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, noise...)
	return err
}

// Encrypt encrypts m with noise from the pool; see EncryptBatch.
func (p *Pool) Encrypt(m *big.Int) (*Ciphertext, error) {
	c := []*Ciphertext{new(Ciphertext)}
	if err := p.EncryptBatch(context.Background(), c, []*big.Int{m}); err != nil {
		return nil, err
	}
	return c[0], nil
}
