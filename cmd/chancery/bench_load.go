package main

import (
	"context"
	"sync"
	"time"
)

// tally is what became of a load.
type tally struct {
	done    int // calls that succeeded
	failed  int
	first   error         // of the first that failed
	took    timings       // of those that succeeded
	elapsed time.Duration // from the first call to the end of the last
}

// perSecond is how many calls succeeded in a second.
func (t *tally) perSecond() float64 { return float64(t.done) / t.elapsed.Seconds() }

// err is the error of a load of which nothing succeeded.
func (t *tally) err() error {
	if t.done > 0 {
		return nil
	}
	return t.first
}

// counter gathers a tally. Any number of goroutines may use it.
type counter struct {
	mu sync.Mutex
	t  tally
}

func (c *counter) add(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if c.t.failed++; c.t.first == nil {
			c.t.first = err
		}
		return
	}
	c.t.done++
	c.t.took = append(c.t.took, took)
}

// closedLoad keeps a number of calls in flight for a time: each caller's next
// one follows its last. The calls are numbered from 0.
func closedLoad(ctx context.Context, callers int, d time.Duration, call func(ctx context.Context, n int) error) tally {
	var (
		c     counter
		group sync.WaitGroup
		mu    sync.Mutex
		next  int
	)
	start := time.Now()
	for range callers {
		group.Go(func() {
			for time.Since(start) < d && ctx.Err() == nil {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				began := time.Now()
				err := call(ctx, n)
				c.add(time.Since(began), err)
			}
		})
	}
	group.Wait()
	c.t.elapsed = time.Since(start)
	return c.t
}

// openLoad begins calls at a steady rate for a time, however long each takes,
// with at most so many in flight. How long one took counts from when it was
// due: where there was no room for it, the wait is the load's own doing.
func openLoad(ctx context.Context, rate float64, d time.Duration, most int, call func(ctx context.Context, n int) error) tally {
	var (
		c     counter
		group sync.WaitGroup
		room  = make(chan struct{}, most)
		timer = time.NewTimer(0)
	)
	defer timer.Stop()
	<-timer.C
	start := time.Now()
	for n := 0; ; n++ {
		due := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if due.Sub(start) >= d {
			break
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-room }()
			err := call(ctx, n)
			c.add(time.Since(due), err)
		})
	}
	group.Wait()
	c.t.elapsed = time.Since(start)
	return c.t
}
