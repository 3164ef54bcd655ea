package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"chancery/chaincode/exchange"
)

// maxAgains is how often an operation comes back for the contract's "again".
const maxAgains = 8

// applyFunc runs operations as one transaction: an outcome for each, in order.
// A refusal of the whole, which is an [*exchange.Error], is the outcome of each.
type applyFunc func(ctx context.Context, p *progress, entries []*entry) ([]exchange.Outcome, error)

// patience is what part of the time of one batch the operations of the next wait
// for company, for each batch in flight.
const patience = 16

// batcher gathers the operations of concurrent callers into batches. It has no
// goroutine of its own but one for each batch in flight.
//
// An operation goes at once if nothing is in flight. Else it waits for company
// until the batch is full or a time has passed for each batch in flight:
// [Config.BatchWait], or a [patience] part of what the last batch took, whichever
// is longer. So a busy ledger, where each transaction costs all the others, gets
// larger batches, and a quick one small ones. With all places taken the
// queue grows by what its callers wait for, no more: each caller has one
// operation here.
type batcher struct {
	ctx      context.Context // of the client: its end ends every batch
	apply    applyFunc
	most     int           // operations in a batch
	bytes    int           // bytes of operations in a batch
	wait     time.Duration // for company, for each batch in flight
	inFlight int

	mu     sync.Mutex
	queue  []*entry            // in order of arrival
	queued int                 // bytes of the operations in queue
	busy   map[string]struct{} // keys of operations in flight
	flying int                 // batches in flight
	took   time.Duration       // by the last batch that came back with outcomes
	timer  *time.Timer         // set while operations wait for company
}

// entry is one caller's operation. Fields but done are under the batcher's mu.
type entry struct {
	op      exchange.Operation
	encoded []byte
	keys    []string
	since   time.Time
	most    int // operations in its batch at most, from the batcher's down to 1
	agains  int
	batch   *batch // while in flight, and after its answer
	gone    bool   // its caller stopped waiting
	done    chan answer
}

// bytes is the share of an operation in the JSON array of its batch.
func (e *entry) bytes() int { return len(e.encoded) + len(",") }

type answer struct {
	outcome exchange.Outcome
	err     error
}

// batch is one transaction in flight.
type batch struct {
	entries  []*entry
	progress progress
	waiting  int // callers still there
	cancel   context.CancelFunc
}

// submit queues an operation and waits for its outcome.
func (b *batcher) submit(ctx context.Context, op exchange.Operation, encoded []byte) (exchange.Outcome, error) {
	e := &entry{op: op, encoded: encoded, keys: keysOf(op), since: time.Now(), most: b.most, done: make(chan answer, 1)}
	b.mu.Lock()
	b.enqueue(e)
	b.mu.Unlock()
	select {
	case a := <-e.done:
		return a.outcome, a.err
	case <-ctx.Done():
		return b.leave(e, context.Cause(ctx))
	case <-b.ctx.Done():
		return b.leave(e, context.Cause(b.ctx))
	}
}

// enqueue adds an operation and starts a batch if that makes one. While a
// timer runs for a queue that fills no batch there is nothing to look for. The
// caller holds mu.
func (b *batcher) enqueue(e *entry) {
	b.queue = append(b.queue, e)
	b.queued += e.bytes()
	if b.timer == nil || len(b.queue) >= b.most || b.queued >= b.bytes {
		b.dispatch()
	}
}

// leave takes a caller out who stopped waiting. Its batch goes on as long as
// somebody waits for it.
func (b *batcher) leave(e *entry, cause error) (exchange.Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case a := <-e.done:
		return a.outcome, a.err
	default:
	}
	e.gone = true
	if e.batch == nil {
		b.requeue(nil)
		var none progress
		return exchange.Outcome{}, none.stopped(cause)
	}
	if e.batch.waiting--; e.batch.waiting == 0 {
		e.batch.cancel()
	}
	return exchange.Outcome{}, e.batch.progress.stopped(cause)
}

// requeue puts operations back at the head of the queue and drops from it
// what is in flight or has no caller any more. The caller holds mu.
func (b *batcher) requeue(head []*entry) {
	kept := make([]*entry, 0, len(head)+len(b.queue))
	b.queued = 0
	for _, list := range [][]*entry{head, b.queue} {
		for _, e := range list {
			if e.batch == nil && !e.gone {
				kept = append(kept, e)
				b.queued += e.bytes()
			}
		}
	}
	b.queue = kept
}

// dispatch starts what can start. The caller holds mu.
func (b *batcher) dispatch() {
	for b.flying < b.inFlight && b.ctx.Err() == nil {
		picked, full := b.pick()
		if len(picked) == 0 {
			return
		}
		due := time.Until(picked[0].since.Add(max(b.wait, b.took/patience) * time.Duration(b.flying)))
		if b.flying > 0 && !full && due > 0 {
			b.arm(due)
			return
		}
		b.start(picked)
	}
}

// arm calls dispatch again after a while. The caller holds mu.
func (b *batcher) arm(after time.Duration) {
	if b.timer != nil {
		return
	}
	b.timer = time.AfterFunc(after, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.timer = nil
		b.dispatch()
	})
}

// pick chooses the next batch from the head of the queue without taking it
// out. Passed over is an operation one of whose keys is in flight, in this
// batch, or claimed by one before it that was passed over: so operations that
// share a key keep their order. The caller holds mu.
func (b *batcher) pick() (picked []*entry, full bool) {
	claimed := make(map[string]struct{})
	most, bytes := b.most, len("[]")
	for _, e := range b.queue {
		free := true
		for _, k := range e.keys {
			_, busy := b.busy[k]
			_, taken := claimed[k]
			free = free && !busy && !taken
			claimed[k] = struct{}{}
		}
		if !free {
			continue
		}
		if len(picked) > 0 && (len(picked) >= min(most, e.most) || bytes+e.bytes() > b.bytes) {
			return picked, true
		}
		picked = append(picked, e)
		most, bytes = min(most, e.most), bytes+e.bytes()
	}
	return picked, len(picked) >= most
}

// start takes a batch out of the queue and flies it. The caller holds mu.
func (b *batcher) start(picked []*entry) {
	ctx, cancel := context.WithCancel(b.ctx)
	flight := &batch{entries: picked, waiting: len(picked), cancel: cancel}
	flight.progress.divisible = len(picked) > 1
	for _, e := range picked {
		e.batch = flight
		for _, k := range e.keys {
			b.busy[k] = struct{}{}
		}
	}
	b.requeue(nil)
	b.flying++
	go b.fly(ctx, flight)
}

// fly runs a batch and hands out the answers.
func (b *batcher) fly(ctx context.Context, flight *batch) {
	began := time.Now()
	outcomes, err := b.apply(ctx, &flight.progress, flight.entries)
	took := time.Since(began)
	flight.cancel()

	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying--
	if err == nil {
		b.took = took
	}
	var back []*entry
	for i, e := range flight.entries {
		for _, k := range e.keys {
			delete(b.busy, k)
		}
		if b.returns(e, outcomes, i, err) {
			back = append(back, e)
			continue
		}
		if err != nil {
			outcome, err := refusal(e.op, err)
			e.done <- answer{outcome, err}
			continue
		}
		e.done <- answer{outcome: outcomes[i]}
	}
	b.requeue(back)
	b.dispatch()
}

// returns reports whether an operation goes back to the head of the queue: its
// outcome is "again"; or the transaction as a whole met others on the same
// records every time, was too much for the endorsers, or ran into a fault, which
// one of the others may have caused: then it tries in smaller company, in the
// end alone. The caller holds mu.
func (b *batcher) returns(e *entry, outcomes []exchange.Outcome, i int, err error) bool {
	together := len(e.batch.entries)
	whole := errors.Is(err, ErrFault) || errors.Is(err, errTooMuch) || errors.Is(err, exchange.ErrAgain)
	switch {
	case e.gone:
		return false
	case whole && together > 1:
		e.most = together / 2
	case err == nil && outcomes[i].Code == exchange.Again && e.agains < maxAgains:
		e.agains++
	default:
		return false
	}
	e.batch = nil
	return true
}
