package workers

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait after the n-th failure in a row, n from 1: first
// doubled n−1 times and bounded, of which the upper half is left to chance, so
// that many do not come back at once.
func backoff(first, most time.Duration, n int) time.Duration {
	d := first
	for i := 1; i < n && d < most; i++ {
		d *= 2
	}
	d = min(d, most)
	return d/2 + rand.N(d/2+1)
}

// pause waits, or returns the context's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
