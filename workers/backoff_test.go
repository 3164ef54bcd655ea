package workers

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	const first, most = 100 * time.Millisecond, 3 * time.Second
	for _, c := range []struct {
		n    int
		full time.Duration
	}{{1, first}, {2, 2 * first}, {5, 16 * first}, {6, most}, {7, most}, {1000, most}} {
		for range 100 {
			if d := backoff(first, most, c.n); d < c.full/2 || d > c.full {
				t.Fatalf("after %d failures: %s, want %s to %s", c.n, d, c.full/2, c.full)
			}
		}
	}
}

// TestFailuresAreForgotten: counts of messages that went elsewhere do not pile up.
func TestFailuresAreForgotten(t *testing.T) {
	var f failures
	old := time.Now().Add(-2 * oldTally)
	for seq := range uint64(manyTallies) {
		f.add(seq)
		f.seen[seq] = tally{1, old}
	}
	if n := f.add(7); n != 1 || len(f.seen) != 1 {
		t.Errorf("count %d of %d messages", n, len(f.seen))
	}
	if n := f.add(7); n != 2 || f.count(7) != 2 {
		t.Errorf("count %d", n)
	}
	if f.forget(7); f.count(7) != 0 {
		t.Error("not forgotten")
	}
}
