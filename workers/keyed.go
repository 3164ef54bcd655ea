package workers

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// Where messages of one key are handled in the order of the stream, they must
// come in that order too. A server gives out new messages in it, but what was
// delivered and not heard of comes again only after AckWait, behind newer ones.
// So such a consumer first takes what others, or it itself before a fault, left
// without a verdict; it takes deliveries by their numbers, without a gap; and it
// keeps what failed here until it is through, with all of its key behind it.
//
// That holds for one copy of the worker at a time: of two, each sees gaps.

// errLost says that the server sent a message that never came.
var errLost = errors.New("a delivery was lost: it is waited for, so that the order is kept")

// inOrder is pull where order matters.
func (c *consumer) inOrder(ctx, effects context.Context, source jetstream.Consumer) error {
	c.last = 0
	old, err := c.leftovers(ctx, source)
	if err != nil {
		for _, d := range old {
			c.held.remove(d.number, true)
		}
		return err
	}
	c.window.take(len(old))
	for _, d := range old {
		c.begin(ctx, effects, d)
	}
	return c.pull(ctx, effects, source)
}

// inSequence refuses a delivery that comes after one that did not.
func (c *consumer) inSequence(d *delivery) error {
	if c.sub.Key == nil {
		return nil
	}
	if c.last != 0 && d.delivery != c.last+1 {
		return errLost
	}
	c.last = d.delivery
	return nil
}

// leftoverTries bounds the waiting for messages that were delivered already: a
// retried one can be delayed, and another copy of the worker can hold some.
const leftoverTries = 3

// leftovers are the messages that were delivered before and are not held here,
// in the order of the stream, with those new ones that came among them. They are
// held then, also with an error.
func (c *consumer) leftovers(ctx context.Context, source jetstream.Consumer) (list []*delivery, err error) {
	left := source.CachedInfo().NumAckPending - c.held.len()
	for tries := 0; left > 0; tries++ {
		if tries == leftoverTries {
			zerolog.Ctx(ctx).Warn().Str("consumer", c.durable).Int("messages", left).Msg("others hold messages: the order may suffer")
			break
		}
		if tries > 0 {
			if err := pause(ctx, c.sub.AckWait); err != nil {
				return list, err
			}
		}
		batch, err := source.FetchNoWait(left)
		if err != nil {
			return list, err
		}
		for msg := range batch.Messages() {
			d, err := c.read(msg)
			if err != nil {
				return list, err
			}
			c.last = max(c.last, d.delivery)
			if !c.held.add(d.number, msg, d.Stored) {
				continue
			}
			list = append(list, d)
			if d.Attempt > 1 {
				left--
			}
		}
		if err := batch.Error(); err != nil && !idle(err) {
			return list, err
		}
	}
	slices.SortFunc(list, func(a, b *delivery) int { return cmp.Compare(a.number, b.number) })
	return list, nil
}
