package listen

import (
	"context"
	"testing"

	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

const benchEvents = 50_000

// BenchmarkListen carries a backlog from a ledger in memory to a real stream
// that is synced to disk with every batch.
func BenchmarkListen(b *testing.B) {
	c := newChain("a")
	for range benchEvents / 250 {
		c.add(250)
	}
	b.StopTimer()
	for range b.N {
		on := bustest.Start(b, "census")
		ctx, cancel := context.WithCancel(b.Context())
		reached := &spoiled{Bus: on.Connect(b, "listen")}
		reached.after = func(int) error {
			tail, err := reached.Bus.Tail(ctx, events.StreamLedger)
			if err == nil && tail.Messages == benchEvents {
				cancel()
			}
			return err
		}
		b.StartTimer()
		if err := New(Config{Channel: "chancery", Ledger: c, Bus: reached}).Run(ctx); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
	}
	report(b)
}

// BenchmarkBatches publishes the same number of events that are made already:
// the raw half that listen is measured against.
func BenchmarkBatches(b *testing.B) {
	c := newChain("a")
	c.add(bus.MaxBatch)
	w := &writer{listener: &listener{Config: Config{Channel: "chancery"}}}
	if err := w.take(c.blocks[0]); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	for range b.N {
		conn := bustest.Start(b, "census").Connect(b, "listen")
		b.StartTimer()
		for after := (bus.Tail{}); after.Sequence < benchEvents; {
			last, err := conn.PublishBatch(b.Context(), w.pending, after)
			if err != nil {
				b.Fatal(err)
			}
			after.Sequence = last
		}
		b.StopTimer()
	}
	report(b)
}

func report(b *testing.B) {
	b.ReportMetric(float64(benchEvents*b.N)/b.Elapsed().Seconds(), "events/s")
}
