package bus

import (
	"context"
	token "crypto/rand"
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
// stream knows, for one that must wait for others to end, and for an expected
// last message id that is not the last.
const (
	codeDuplicateInBatch jetstream.ErrorCode = 10201
	codeManyBatches      jetstream.ErrorCode = 10210
	codeWrongLastID      jetstream.ErrorCode = 10070
)

// PublishAll stores any number of events or commands of one stream, each once,
// and says of each where it is. It is the way to say much on a bus that waits
// for its disk: messages go in atomic batches of up to [MaxBatch], each stored
// as a whole or not at all, in order.
//
// The stream refuses a whole batch for one message that it has already. Then it
// is asked which these are, they are told as duplicates, and the rest goes as a
// batch without them. A message that is there twice in the call is a duplicate
// the second time.
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

// publishSpan stores some messages of a call as one, without those that are
// there already.
func (c *Conn) publishSpan(ctx context.Context, m *many, stored []Stored, span []int) error {
	for len(span) > 1 {
		ack, err := c.publishAtomic(ctx, m, span)
		if err == nil {
			for n, i := range span {
				stored[i] = Stored{Stream: ack.Stream, Sequence: ack.Sequence - uint64(len(span)-1-n)}
			}
			return nil
		}
		if apiCode(err) != codeDuplicateInBatch {
			return fmt.Errorf("publish a batch of %d: %w", len(span), err)
		}
		fresh, err := c.sift(ctx, m, stored, span)
		if err != nil {
			return fmt.Errorf("look for duplicates among %d: %w", len(span), err)
		}
		if len(fresh) == len(span) { // they have become too old to be known meanwhile
			half := len(span) / 2
			if err := c.publishSpan(ctx, m, stored, span[:half]); err != nil {
				return err
			}
			fresh = span[half:]
		}
		span = fresh
	}
	if len(span) == 0 {
		return nil
	}
	one, err := c.Publish(ctx, m.list[span[0]])
	stored[span[0]] = one
	return err
}

// sift asks the stream which messages it has, and returns the others. It sends
// their ids with a condition that none fulfils, which the stream looks at after
// it has looked for duplicates: nothing is stored.
func (c *Conn) sift(ctx context.Context, m *many, stored []Stored, span []int) (fresh []int, err error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	futures := make([]jetstream.PubAckFuture, len(span))
	for n, i := range span {
		msg, err := m.list[i].Msg()
		if err != nil {
			return nil, err
		}
		msg.Data = nil
		if futures[n], err = c.js.PublishMsgAsync(msg, jetstream.WithExpectLastMsgID("none: "+token.Text())); err != nil {
			return nil, classify(err)
		}
	}
	for n, i := range span {
		select {
		case ack := <-futures[n].Ok():
			stored[i] = Stored{ack.Stream, ack.Sequence, true}
		case err := <-futures[n].Err():
			if apiCode(err) != codeWrongLastID {
				return nil, classify(err)
			}
			fresh = append(fresh, i)
		case <-ctx.Done():
			return nil, classify(ctx.Err())
		}
	}
	return fresh, nil
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
