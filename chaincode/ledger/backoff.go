package ledger

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
)

// backoff is the pause before try number n+1, n from 1: it doubles from
// [firstPause] to [longPause], and a random half is taken off, so that those
// who failed together do not come back together.
func backoff(n int) time.Duration {
	pause := longPause
	if n < 6 {
		pause = firstPause << max(n-1, 0)
	}
	return pause - rand.N(pause/2)
}

// rest waits for a time or the end of the context, whichever is first, and
// returns the cause of the latter.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
