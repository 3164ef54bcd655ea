package listen

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

const (
	benchEvents = 50_000
	benchBlock  = 250 // events of one
)

// BenchmarkListen carries a backlog from a ledger in memory into an empty stream
// that is synced to disk with every batch, and beside it, in turns, its two
// halves alone: reading the blocks, and publishing messages that are there
// already with the client library alone, in full atomic batches one after the
// other. Listen is to reach 0.8 of the slower half.
func BenchmarkListen(b *testing.B) {
	c := newChain("a")
	for range benchEvents / benchBlock {
		c.add(benchBlock)
	}
	msgs := messages(b, c)
	var ours, read, raw time.Duration
	for b.Loop() {
		raw += batches(b, msgs)
		ours += listens(b, c)
		read += reads(b, c)
	}
	rate := func(d time.Duration) float64 { return float64(benchEvents*b.N) / d.Seconds() }
	b.ReportMetric(rate(ours), "events/s")
	b.ReportMetric(rate(read), "read/s")
	b.ReportMetric(rate(raw), "batched/s")
	b.ReportMetric(rate(ours)/min(rate(read), rate(raw)), "of-slower-half")
	b.ReportMetric(0, "ns/op")
}

// listens is how long listen takes.
func listens(b *testing.B, c *chain) time.Duration {
	on := bustest.Start(b, "census")
	defer on.Stop()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	reached := &spoiled{Bus: on.Connect(b, "listen")}
	stored := 0
	reached.stored = func(n int) {
		if stored += n; stored == benchEvents {
			cancel()
		}
	}
	began := time.Now()
	if err := New(Config{Channel: "chancery", Ledger: c, Bus: reached}).Run(ctx); err != nil || stored != benchEvents {
		b.Fatal(stored, err)
	}
	return time.Since(began)
}

// reads is how long it takes to read the blocks and nothing else.
func reads(b *testing.B, c *chain) time.Duration {
	began, count, enough := time.Now(), 0, errors.New("enough")
	err := c.Blocks(b.Context(), 0, func(block ledger.Block) error {
		for _, tx := range block.Txs {
			count += len(tx.Events)
		}
		if count == benchEvents {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		b.Fatal(err)
	}
	return time.Since(began)
}

// messages are the events of a ledger as the stream takes them.
func messages(b *testing.B, c *chain) (list []*nats.Msg) {
	for _, block := range c.blocks {
		for e, err := range envelopes("chancery", block) {
			if err != nil {
				b.Fatal(err)
			}
			m, err := e.Msg()
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, m)
		}
	}
	return list
}

// batches is how long the client library takes to publish messages.
func batches(b *testing.B, msgs []*nats.Msg) time.Duration {
	on := bustest.Start(b, "census")
	defer on.Stop()
	js, err := jetstream.New(on.Plain(b, "listen", nats.CustomInboxPrefix("_INBOX_listen")))
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	for n := 0; n < len(msgs); n += bus.MaxBatch {
		p, err := jetstreamext.NewBatchPublisher(js, jetstreamext.BatchFlowControl{AckTimeout: 5 * time.Second})
		if err != nil {
			b.Fatal(err)
		}
		batch := msgs[n:min(n+bus.MaxBatch, len(msgs))]
		last := batch[len(batch)-1]
		for _, m := range batch[:len(batch)-1] {
			m.Header.Del(jetstreamext.BatchCommitHeader)
			if err := p.AddMsg(m); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := p.CommitMsg(b.Context(), last); err != nil {
			b.Fatal(err)
		}
	}
	d := time.Since(began)
	if tail, err := on.Connect(b, bus.UserAdmin).Tail(b.Context(), events.StreamLedger); err != nil || tail.Messages != uint64(len(msgs)) {
		b.Fatal(tail, err)
	}
	return d
}
