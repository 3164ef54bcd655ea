package bus_test

import (
	"errors"
	"testing"

	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/test/workertest"
)

// TestReadyOnceMore publishes what an earlier batch could not: in a longer batch,
// where what was last stands in the middle, and what was first is gone.
func TestReadyOnceMore(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, "listen")
	var list []bus.Ready
	for i := range 6 {
		list = append(list, bus.Write(fact(t, 1, i)))
	}
	end := func() bus.Tail {
		t.Helper()
		tail, err := c.Tail(t.Context(), events.StreamLedger)
		if err != nil {
			t.Fatal(err)
		}
		return tail
	}
	if _, err := c.PublishReady(t.Context(), list[:4], bus.Tail{Sequence: 7}); !errors.Is(err, bus.ErrSequence) {
		t.Fatalf("after what is not there: %v", err)
	}
	if last, err := c.PublishReady(t.Context(), list[:1], end()); err != nil || last != 1 {
		t.Fatalf("the first alone: %d, %v", last, err)
	}
	stale := end()
	stale.Sequence = 9
	if _, err := c.PublishReady(t.Context(), list[1:3], stale); !errors.Is(err, bus.ErrSequence) {
		t.Fatalf("after a false end: %v", err)
	}
	if last, err := c.PublishReady(t.Context(), list[1:], end()); err != nil || last != 6 {
		t.Fatalf("the others: %d, %v", last, err)
	}
	for i, e := range workertest.Stored(t, b, events.StreamLedger) {
		if e.Position.EventIndex != i {
			t.Errorf("message %d is event %d", i, e.Position.EventIndex)
		}
	}
	for _, n := range []int{0, bus.MaxBatch + 1} {
		if _, err := c.PublishReady(t.Context(), make([]bus.Ready, n), end()); err == nil {
			t.Errorf("a batch of %d", n)
		}
	}
}
