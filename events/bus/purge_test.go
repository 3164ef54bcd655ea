package bus_test

import (
	"errors"
	"slices"
	"testing"

	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

// TestFenceAgainstPurge: a stream that was purged after its end was read does
// not take what would follow there, though its last sequence is the same.
func TestFenceAgainstPurge(t *testing.T) {
	for name, size := range map[string]int{"one": 1, "many": 5} {
		t.Run(name, func(t *testing.T) {
			b := bustest.Start(t, "health")
			c, admin := b.Connect(t, "listen"), b.Connect(t, bus.UserAdmin)
			end := func() bus.Tail {
				t.Helper()
				tail, err := c.Tail(t.Context(), events.StreamLedger)
				if err != nil {
					t.Fatal(err)
				}
				return tail
			}
			batch := func(block uint64) (list []events.Envelope) {
				for i := range size {
					list = append(list, fact(t, block, i))
				}
				return list
			}
			if _, err := c.PublishBatch(t.Context(), batch(1), end()); err != nil {
				t.Fatal(err)
			}
			before := end()
			if _, err := c.PublishBatch(t.Context(), batch(2), before); err != nil {
				t.Fatalf("on the subject that the stream ends with: %v", err)
			}
			before = end()
			if err := admin.Purge(t.Context(), events.StreamLedger); err != nil {
				t.Fatal(err)
			}
			if _, err := c.PublishBatch(t.Context(), batch(3), before); !errors.Is(err, bus.ErrSequence) {
				t.Errorf("across a purge: %v, want ErrSequence", err)
			}
			after := end()
			if after.Messages != 0 || after.Sequence != before.Sequence {
				t.Errorf("after the purge: %+v", after)
			}
			if last, err := c.PublishBatch(t.Context(), batch(1), after); err != nil || last != before.Sequence+uint64(size) {
				t.Errorf("refill: %d, %v", last, err)
			}
		})
	}
}

// TestReadEnds: all that is stored, more than one answer of the server holds,
// and then the end.
func TestReadEnds(t *testing.T) {
	b := bustest.Start(t, "health")
	c, reader := b.Connect(t, "listen"), b.Connect(t, bus.UserDashboard)
	read := func(from uint64) (sequences []uint64) {
		t.Helper()
		err := reader.Read(t.Context(), events.All(events.StreamLedger), from, func(m *bus.Message) error {
			sequences = append(sequences, m.Sequence)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return sequences
	}
	if got := read(0); got != nil {
		t.Errorf("an empty stream holds %v", got)
	}
	var batch []events.Envelope
	var want []uint64
	for i := range 600 {
		batch, want = append(batch, fact(t, 1, i)), append(want, uint64(i+1))
	}
	if _, err := c.PublishBatch(t.Context(), batch, bus.Tail{}); err != nil {
		t.Fatal(err)
	}
	if got := read(0); !slices.Equal(got, want) {
		t.Errorf("%d messages", len(got))
	}
	if got := read(513); !slices.Equal(got, want[512:]) {
		t.Errorf("from 513: %d messages", len(got))
	}
	b.Stop()
	err := reader.Read(t.Context(), events.All(events.StreamLedger), 0, func(*bus.Message) error { return nil })
	if !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("without a server: %v", err)
	}
}

func TestErase(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, "listen")
	if _, err := c.PublishBatch(t.Context(), []events.Envelope{fact(t, 1, 0)}, bus.Tail{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Connect(t, bus.UserAdmin).Erase(t.Context(), events.StreamLedger, 1); err == nil {
		t.Error("a message of LEDGER was erased")
	}
	if err := c.Erase(t.Context(), events.StreamLedger, 1); !errors.Is(err, bus.ErrPermission) {
		t.Errorf("by a worker: %v", err)
	}
	if err := c.Purge(t.Context(), events.StreamLedger); !errors.Is(err, bus.ErrPermission) {
		t.Errorf("purge by a worker: %v", err)
	}
}
