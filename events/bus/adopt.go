package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/events"
)

// Adopt makes a dead letter of each message that the server gave up on and that
// has none, so that nothing is lost in silence, and says how many. What is dealt
// with goes out of the stream [events.StreamAdvisory]; doing it again is
// harmless. Only the user admin may.
func (c *Conn) Adopt(ctx context.Context, department string) (adopted int, err error) {
	var settled []uint64
	orphans := make(map[uint64]events.GivenUp) // by the advisory's sequence
	err = c.Read(ctx, events.AdvisoryFilter(), 0, func(m *Message) error {
		g, err := events.ParseGivenUp(m.Data)
		if err == nil && g.Letter() == "" {
			orphans[m.Sequence] = g
			return nil
		}
		settled = append(settled, m.Sequence) // its letter is there, or it says nothing
		return nil
	})
	if err == nil && len(orphans) > 0 {
		adopted, err = c.adopt(ctx, department, orphans)
	}
	for sequence := range orphans {
		settled = append(settled, sequence)
	}
	for _, sequence := range settled {
		if err == nil {
			err = c.Erase(ctx, events.StreamAdvisory, sequence)
		}
	}
	if err != nil {
		return adopted, fmt.Errorf("adopt what the server gave up on: %w", err)
	}
	return adopted, nil
}

// adopt publishes the letters of those that have none.
func (c *Conn) adopt(ctx context.Context, department string, orphans map[uint64]events.GivenUp) (adopted int, err error) {
	known := make(map[string]bool)
	err = c.Read(ctx, events.All(events.StreamDead), 0, func(m *Message) error {
		known[m.ID] = true
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, g := range orphans {
		failed, err := c.failed(ctx, g)
		if err != nil {
			return adopted, err
		}
		letter, err := events.NewDead(department, failed)
		if err != nil {
			return adopted, err
		}
		if known[letter.ID] {
			continue
		}
		if _, err := c.Publish(ctx, letter); err != nil {
			return adopted, err
		}
		known[letter.ID] = true
		adopted++
	}
	return adopted, nil
}

// failed is what a letter says of such a message. That of a retry is about what
// was retried.
func (c *Conn) failed(ctx context.Context, g events.GivenUp) (events.Failed, error) {
	f := events.Failed{
		Worker: g.Worker(), Consumer: g.Consumer, Stream: g.Stream, Sequence: g.Sequence, Attempts: max(g.Deliveries, 1), Time: time.Now(),
		Reason: "the server gave up, and no worker said why",
	}
	if g.Reason != "" {
		f.Reason = events.Reason(fmt.Errorf("%s: %s", f.Reason, g.Reason))
	}
	raw, err := c.message(ctx, g.Stream, g.Sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, ErrNoStream) {
		f.Subject, f.Reason = "gone", f.Reason+"; the message is gone from the stream"
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.Subject, f.Header, f.Body = raw.Subject, raw.Header, raw.Data
	e, err := events.FromMsg(&nats.Msg{Subject: raw.Subject, Header: raw.Header, Data: raw.Data})
	if err != nil || e.Address.Kind != events.KindRetry {
		return f, nil
	}
	if r, err := events.Record[events.Retried](e); err == nil && r.Validate() == nil {
		f.Consumer, f.Stream, f.Sequence, f.RetryOf = r.Consumer, r.Stream, r.Sequence, r.Letter
		f.Subject, f.Header, f.Body = r.Subject, r.Header, r.Body
	}
	return f, nil
}

// message reads one message of a stream as it is.
func (c *Conn) message(ctx context.Context, stream string, sequence uint64) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("read message %d of %s: %w", sequence, stream, classify(err))
	}
	raw, err := s.GetMsg(ctx, sequence)
	if err != nil {
		return nil, fmt.Errorf("read message %d of %s: %w", sequence, stream, classify(err))
	}
	return raw, nil
}
