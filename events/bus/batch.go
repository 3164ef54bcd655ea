package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"chancery/events"
)

// batchBytes bounds the payloads of one atomic batch, which the server holds
// until its end.
const batchBytes = 8 << 20

// JetStream's codes for an atomic batch that holds a message id which the
// stream knows, and for one that must wait for others to end.
const (
	codeDuplicateInBatch jetstream.ErrorCode = 10201
	codeManyBatches      jetstream.ErrorCode = 10210
)

// PublishAll stores any number of events or commands of one stream, each once,
// and says of each where it is. It is the way to say much on a bus that waits
// for its disk: messages go in atomic batches of up to [MaxBatch], each stored
// as a whole or not at all, in order.
//
// The stream refuses a whole batch for one message that it has already. Such a
// batch is sent again in halves, down to single messages, so that what is new
// is stored and what is not is told as a duplicate; it is then not stored in one
// step. A message that is there twice in the call is a duplicate the second
// time.
//
// With an error, which is one of those of [Conn.Publish], the messages without
// a sequence may or may not be stored; to say all of them again is harmless for
// as long as the stream looks for duplicates.
func (c *Conn) PublishAll(ctx context.Context, list []events.Envelope) ([]Stored, error) {
	stored := make([]Stored, len(list))
	m, err := newMany(list)
	if err != nil {
		return stored, err
	}
	for from := 0; from < len(m.order) && err == nil; {
		to := m.fits(from)
		err = c.publishSpan(ctx, m, stored, m.order[from:to])
		from = to
	}
	for i, first := range m.same {
		stored[i] = stored[first]
		stored[i].Duplicate = stored[i].Sequence > 0
	}
	return stored, err
}

// many are the messages of one call.
type many struct {
	list  []events.Envelope
	size  []int       // bytes of the payload
	order []int       // which of list are sent
	same  map[int]int // which are not, and which says the same
}

func newMany(list []events.Envelope) (*many, error) {
	m := &many{list: list, size: make([]int, len(list)), same: make(map[int]int)}
	first := make(map[string]int, len(list))
	for i := range list {
		msg, err := list[i].Msg()
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		m.size[i] = len(msg.Data)
		id := msg.Header.Get(jetstream.MsgIDHeader)
		if before, said := first[id]; said && id != "" {
			m.same[i] = before
			continue
		}
		first[id] = i
		m.order = append(m.order, i)
	}
	return m, nil
}

// fits is the end of the batch that begins at a place of order.
func (m *many) fits(from int) int {
	bytes := 0
	for to := from; to < len(m.order); to++ {
		bytes += m.size[m.order[to]]
		if to > from && (to-from == MaxBatch || bytes > batchBytes) {
			return to
		}
	}
	return len(m.order)
}

// publishSpan stores some messages of a call as one, or, where some of them are
// there already, in parts.
func (c *Conn) publishSpan(ctx context.Context, m *many, stored []Stored, span []int) error {
	if len(span) == 1 {
		one, err := c.Publish(ctx, m.list[span[0]])
		stored[span[0]] = one
		return err
	}
	ack, err := c.publishAtomic(ctx, m, span)
	switch {
	case apiCode(err) == codeDuplicateInBatch:
		half := len(span) / 2
		if err := c.publishSpan(ctx, m, stored, span[:half]); err != nil {
			return err
		}
		return c.publishSpan(ctx, m, stored, span[half:])
	case err != nil:
		return fmt.Errorf("publish a batch of %d: %w", len(span), err)
	}
	for n, i := range span {
		stored[i] = Stored{Stream: ack.Stream, Sequence: ack.Sequence - uint64(len(span)-1-n)}
	}
	return nil
}

// publishAtomic stores messages as one batch. It waits for its turn where the
// stream has too many batches under way.
func (c *Conn) publishAtomic(ctx context.Context, m *many, span []int) (*jetstreamext.BatchAck, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	for {
		ack, err := c.tryAtomic(ctx, m, span)
		if apiCode(err) != codeManyBatches {
			return ack, err
		}
		select {
		case <-ctx.Done():
			return nil, classify(ctx.Err())
		case <-time.After(5*time.Millisecond + rand.N(20*time.Millisecond)):
		}
	}
}

func (c *Conn) tryAtomic(ctx context.Context, m *many, span []int) (*jetstreamext.BatchAck, error) {
	msgs := make([]*nats.Msg, len(span))
	for n, i := range span {
		msg, err := m.list[i].Msg() // anew each time: a batch leaves its headers in it
		if err != nil {
			return nil, err
		}
		msgs[n] = msg
	}
	b, err := jetstreamext.NewBatchPublisher(c.js, jetstreamext.BatchFlowControl{AckFirst: true, AckTimeout: c.cfg.Timeout})
	if err != nil {
		return nil, err
	}
	var ack *jetstreamext.BatchAck
	err = c.denials.during(ctx, msgs[0].Subject, func(ctx context.Context) error {
		final := len(msgs) - 1
		for _, msg := range msgs[:final] {
			if err := errors.Join(ctx.Err(), b.AddMsg(msg)); err != nil {
				return errors.Join(err, b.Discard())
			}
		}
		ack, err = b.CommitMsg(ctx, msgs[final])
		return err
	})
	return ack, err
}
