package bus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"chancery/events"
)

// Ready is an event written as the message that it will be, so that the work of
// writing can be done while others are on their way. One goroutine at a time may
// use it.
type Ready struct{ msg *nats.Msg }

// Write writes an event that is valid, as [events.NewLedger] makes it: it is not
// checked again.
func Write(e events.Envelope) Ready { return Ready{e.Written()} }

// PublishReady is [Conn.PublishBatch] of events that are written already. What
// was not stored may be published again, in another batch too.
func (c *Conn) PublishReady(ctx context.Context, batch []Ready, after Tail) (uint64, error) {
	if len(batch) == 0 || len(batch) > MaxBatch {
		return 0, fmt.Errorf("publish a batch of %d: 1 to %d are allowed", len(batch), MaxBatch)
	}
	msgs := make([]*nats.Msg, len(batch))
	for i, r := range batch {
		r.clear()
		msgs[i] = r.msg
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var last uint64
	err := c.denials.during(ctx, msgs[0].Subject, func(ctx context.Context) (err error) {
		last, err = c.commit(ctx, msgs, after)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("publish a batch of %d after %d: %w", len(batch), after.Sequence, err)
	}
	return last, nil
}

// clear takes out what an earlier batch left.
func (r Ready) clear() {
	for _, name := range []string{
		jetstreamext.BatchIDHeader, jetstreamext.BatchSeqHeader, jetstreamext.BatchCommitHeader,
		jetstream.ExpectedLastSeqHeader, jetstream.ExpectedLastSubjSeqHeader, jetstream.ExpectedLastSubjSeqSubjHeader,
	} {
		delete(r.msg.Header, name)
	}
	r.msg.Reply = ""
}
