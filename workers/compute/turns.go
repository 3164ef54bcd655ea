package compute

import (
	"context"
	"fmt"
	"sync"

	"chancery/chaincode/exchange"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/workers/provenance"
)

// turns lets one handler at a time work on a job: several events may wake it, and
// what one encrypts the others need not. The zero value is ready; safe for
// concurrent use.
type turns struct {
	mu   sync.Mutex
	jobs map[string]*turn
}

// turn is the work on one job.
type turn struct {
	busy    chan struct{} // holds one token while somebody works
	waiting int           // handlers that hold or want it; guarded by the mutex of turns
}

// take waits for a job's turn. The caller gives it back by done.
func (t *turns) take(ctx context.Context, job string) (done func(), err error) {
	t.mu.Lock()
	if t.jobs == nil {
		t.jobs = make(map[string]*turn)
	}
	own := t.jobs[job]
	if own == nil {
		own = &turn{busy: make(chan struct{}, 1)}
		t.jobs[job] = own
	}
	own.waiting++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.waiting--; own.waiting == 0 {
			delete(t.jobs, job)
		}
	}
	select {
	case own.busy <- struct{}{}:
		return func() { <-own.busy; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// privateKeys remembers the keys of the own keyrings: to read one takes longer
// than to encrypt by it. The zero value is ready; safe for concurrent use.
type privateKeys struct {
	mu        sync.Mutex
	byKeyring map[string]*paillier.PrivateKey
}

// of is the private key of a job's keyring, which must be the one in its spec.
func (p *privateKeys) of(store *keystore.Store, j exchange.Job) (*paillier.PrivateKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sk := p.byKeyring[j.Spec.Keyring]
	if sk == nil {
		var err error
		if sk, err = store.PaillierKey(j.Spec.Keyring); err != nil {
			return nil, fmt.Errorf("private key of keyring %s: %w", j.Spec.Keyring, err)
		}
		if p.byKeyring == nil {
			p.byKeyring = make(map[string]*paillier.PrivateKey)
		}
		p.byKeyring[j.Spec.Keyring] = sk
	}
	if sk.Fingerprint().String() != j.Spec.Fingerprint {
		return nil, provenance.Refusef("job %s is under the key %s, and the one in this department's keystore is %s", j.ID, j.Spec.Fingerprint, sk.Fingerprint())
	}
	return sk, nil
}
