package workers

import (
	"context"
	"sync"
	"time"
)

// quick is the time of a handler up to which messages are fetched ahead of it:
// there the way to the server and back counts for more than the handling. What
// takes longer is left to whichever copy of the worker is free first.
const quick = 50 * time.Millisecond

// window bounds the messages that a consumer holds or has asked for. It is as
// wide as handlers may run; twice that while they are quick, so that the next
// messages are there before the handlers are free; and wider where messages
// wait for one another. Safe for concurrent use.
type window struct {
	base int  // handlers that may run
	keys bool // messages of one key wait for one another

	queue chan struct{} // held by the one who claims
	freed chan struct{} // told, at most once ahead, that there is more room

	mu   sync.Mutex
	used int
	mean time.Duration // of a handler, the latest counting most
}

// keyedAhead is how many times as many messages as handlers a consumer may hold
// where messages of one key wait for one another; maxAhead bounds them.
const (
	keyedAhead = 8
	maxAhead   = 512
)

func newWindow(base int, keys bool) *window {
	return &window{base: base, keys: keys, mean: quick, queue: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

// claim waits for room and takes all there is. While handlers have enough to do
// it waits for more of it, so that a few requests fetch many messages.
func (w *window) claim(ctx context.Context) (int, error) {
	select {
	case w.queue <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-w.queue }()
	for {
		if n := w.tryClaim(); n > 0 {
			return n, nil
		}
		select {
		case <-w.freed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (w *window) tryClaim() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	most, least := w.most()
	free := most - w.used
	if free < least {
		return 0
	}
	w.used += free
	return free
}

// most is how wide the window is now, and how much of it must be free for a
// claim. w.mu is held.
func (w *window) most() (most, least int) {
	least = max(1, w.base/2)
	switch {
	case w.keys:
		return max(w.base, min(keyedAhead*w.base, maxAhead)), least
	case w.mean < quick:
		return 2 * w.base, least
	}
	return w.base, 1
}

// take claims room whether or not there is any.
func (w *window) take(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used += n
}

func (w *window) release(n int) {
	w.mu.Lock()
	w.used -= n
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

// took tells the window how long a handler took.
func (w *window) took(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mean += (d - w.mean) / 8
}
