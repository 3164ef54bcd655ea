package workers

import (
	"sync"
	"time"
)

// failures counts the failed attempts of messages by their stream sequence.
// The counts are this process's own: they start anew after a restart, which
// delays a dead letter and loses none. Safe for concurrent use.
type failures struct {
	mu   sync.Mutex
	seen map[uint64]tally
}

type tally struct {
	n    int
	last time.Time
}

const (
	manyTallies = 4096      // above this number old ones are dropped
	oldTally    = time.Hour // of a message that has gone to another copy of the worker
)

// add counts one more and returns the sum.
func (f *failures) add(seq uint64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = make(map[uint64]tally)
	}
	now := time.Now()
	if len(f.seen) >= manyTallies {
		for s, t := range f.seen {
			if now.Sub(t.last) > oldTally {
				delete(f.seen, s)
			}
		}
	}
	n := f.seen[seq].n + 1
	f.seen[seq] = tally{n, now}
	return n
}

func (f *failures) count(seq uint64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[seq].n
}

func (f *failures) forget(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, seq)
}
