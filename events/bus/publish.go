package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"chancery/events"
)

// Stored says where a published message went.
type Stored struct {
	Stream    string
	Sequence  uint64
	Duplicate bool // the same was there already; nothing was added
}

// Publish stores one event or command and waits for the stream's word that it
// is on disk. Within a span it carries the span's trace context, unless it
// carries one. Errors: [exchange.ErrInvalid], ErrPermission, ErrTooLarge,
// ErrNoStream, ErrUnreachable.
func (c *Conn) Publish(ctx context.Context, e events.Envelope) (Stored, error) {
	return c.publish(ctx, e)
}

func (c *Conn) publish(ctx context.Context, e events.Envelope, options ...jetstream.PublishOpt) (Stored, error) {
	msg, err := traced(ctx, e).Msg()
	if err != nil {
		return Stored{}, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var ack *jetstream.PubAck
	err = c.denials.during(ctx, msg.Subject, func(ctx context.Context) (err error) {
		ack, err = c.js.PublishMsg(ctx, msg, options...)
		return err
	})
	if err != nil {
		return Stored{}, fmt.Errorf("publish %s: %w", msg.Subject, err)
	}
	return Stored{ack.Stream, ack.Sequence, ack.Duplicate}, nil
}

// traced gives an envelope that has none the trace context of the span within
// which it is published.
func traced(ctx context.Context, e events.Envelope) events.Envelope {
	if !trace.SpanContextFromContext(ctx).IsValid() || len(e.Extensions) >= events.MaxExtensions || len(events.TraceCarrier{Envelope: &e}.Keys()) > 0 {
		return e
	}
	e.Extensions = maps.Clone(e.Extensions) // the caller's stays as it is
	propagation.TraceContext{}.Inject(ctx, events.TraceCarrier{Envelope: &e})
	return e
}

// PublishOnce is [Conn.Publish] on a subject of which the stream shall hold one
// message: where it holds one already, whatever that says, nothing is added and
// the outcome is a duplicate.
func (c *Conn) PublishOnce(ctx context.Context, e events.Envelope) (Stored, error) {
	stored, err := c.publish(ctx, e, jetstream.WithExpectLastSequencePerSubject(0))
	if errors.Is(err, ErrSequence) {
		return Stored{Duplicate: true}, nil
	}
	return stored, err
}

// MaxBatch bounds one atomic batch, in messages.
const MaxBatch = 1000

// PublishBatch stores 1 to [MaxBatch] events of one stream as one: all of them
// right after its end as [Conn.Tail] told it, or none. It returns the sequence
// of the last. ErrSequence means that the stream does not end like that any
// more: it goes on, or was purged since, which leaves its last sequence as it
// is and takes the last message away. ErrUnreachable means that the outcome is
// not known, and the tail tells.
func (c *Conn) PublishBatch(ctx context.Context, batch []events.Envelope, after Tail) (uint64, error) {
	ready := make([]Ready, len(batch))
	for i := range batch {
		m, err := batch[i].Msg()
		if err != nil {
			return 0, err
		}
		ready[i] = Ready{m}
	}
	return c.PublishReady(ctx, ready, after)
}

func (c *Conn) commit(ctx context.Context, msgs []*nats.Msg, after Tail) (uint64, error) {
	b, err := jetstreamext.NewBatchPublisher(c.js, jetstreamext.BatchFlowControl{AckTimeout: c.cfg.Timeout})
	if err != nil {
		return 0, err
	}
	fence := []jetstreamext.BatchMsgOpt{jetstreamext.WithBatchExpectLastSequence(after.Sequence)}
	if after.Last != nil {
		fence = append(fence, jetstreamext.WithBatchExpectLastSequenceForSubject(after.Sequence, after.Last.Subject))
	}
	final := len(msgs) - 1
	for _, m := range msgs[:final] {
		if err := errors.Join(ctx.Err(), b.AddMsg(m, fence...)); err != nil {
			return 0, errors.Join(err, b.Discard())
		}
		fence = nil
	}
	ack, err := b.CommitMsg(ctx, msgs[final], fence...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}
