package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"chancery/events"
)

const (
	readAhead  = 256         // messages asked for at once
	lookAgain  = time.Second // how often the stream is read when nothing is heard of it
	heardAhead = 1024        // messages that a subscription holds for its reader
)

// Follow yields what the filter selects of a stream, in its order and without
// a gap, from a sequence on (0: from the beginning): first what is stored, then
// what comes. It leaves no trace at the server. It ends with the context's error, with
// yield's, or with ErrPermission, ErrNoStream or ErrUnreachable.
func (c *Conn) Follow(ctx context.Context, f events.Filter, from uint64, yield func(*Message) error) error {
	heard := make(chan struct{}, 1)
	sub, err := c.nc.Subscribe(f.Subject, func(*nats.Msg) {
		select {
		case heard <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return fmt.Errorf("follow %s: %w", f.Subject, classify(err))
	}
	defer sub.Unsubscribe() //nolint:errcheck // fails only when the connection is closed
	poll := time.NewTicker(lookAgain)
	defer poll.Stop()
	for {
		for n := readAhead; n == readAhead; {
			from, n, err = c.read(ctx, f, from, yield)
			if err != nil && !errors.Is(err, errNoMore) {
				return err
			}
		}
		select {
		case <-heard:
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Read is [Conn.Follow] that ends, with nil, where the stream does now.
func (c *Conn) Read(ctx context.Context, f events.Filter, from uint64, yield func(*Message) error) error {
	for {
		var n int
		var err error
		from, n, err = c.read(ctx, f, from, yield)
		switch {
		case errors.Is(err, errNoMore):
			return nil
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("read %s from %d: %w: no answer", f.Stream, from, ErrUnreachable)
		}
	}
}

// errNoMore says that the stream holds nothing more for the filter.
var errNoMore = errors.New("no more messages")

// read yields the next stored messages from a sequence on, up to readAhead. It
// says from where to go on and how many they were. An answer that breaks off
// looks like a shorter one; errNoMore alone tells that there are no more.
func (c *Conn) read(ctx context.Context, f events.Filter, from uint64, yield func(*Message) error) (uint64, int, error) {
	var wrong error // of the reader, not of the bus
	n := 0
	err := c.denials.during(ctx, directGet(f.Stream), func(ctx context.Context) error {
		ctx, cancel := c.bound(ctx)
		defer cancel()
		batch, err := jetstreamext.GetBatch(ctx, c.js, f.Stream, readAhead,
			jetstreamext.GetBatchSeq(max(from, 1)), jetstreamext.GetBatchSubject(f.Subject))
		if err != nil {
			return err
		}
		for raw, err := range batch {
			if err != nil {
				return err
			}
			n, from = n+1, raw.Sequence+1
			if wrong = yield(newMessage(f.Stream, raw.Sequence, raw.Subject, raw.Header, raw.Data, raw.Time)); wrong != nil {
				return nil
			}
		}
		return nil
	})
	switch {
	case wrong != nil:
		return from, n, wrong
	case errors.Is(err, jetstreamext.ErrNoMessages):
		return from, n, errNoMore
	case err == nil:
		return from, n, nil
	case ctx.Err() != nil:
		return from, n, ctx.Err()
	}
	return from, n, fmt.Errorf("read %s from %d: %w", f.Stream, from, err)
}

// Subscription is what a plain subscriber hears: each message at most once,
// from now on, whether or not a stream keeps it. Close it.
type Subscription struct {
	heard  chan heard
	cancel context.CancelFunc
	subs   []*nats.Subscription
}

type heard struct {
	msg *nats.Msg
	err error
}

// Subscribe listens to the subjects of filters. When it returns the server
// knows of it. Sequences of its messages are 0: see [Conn.Follow] for what a
// stream holds.
func (c *Conn) Subscribe(ctx context.Context, filters ...events.Filter) (*Subscription, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Subscription{heard: make(chan heard, heardAhead), cancel: cancel}
	for _, f := range filters {
		sub, err := c.nc.SubscribeSync(f.Subject)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("subscribe to %s: %w", f.Subject, classify(err))
		}
		s.subs = append(s.subs, sub)
	}
	if err := c.Flush(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	for _, sub := range s.subs {
		go s.forward(life, sub)
	}
	return s, nil
}

func (s *Subscription) forward(ctx context.Context, sub *nats.Subscription) {
	for {
		msg, err := sub.NextMsgWithContext(ctx)
		select {
		case s.heard <- heard{msg, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Next waits for a message. ErrPermission says that the user may not hear one
// of the subjects.
func (s *Subscription) Next(ctx context.Context) (*Message, error) {
	select {
	case h := <-s.heard:
		if h.err != nil {
			return nil, fmt.Errorf("listen: %w", classify(h.err))
		}
		return newMessage("", 0, h.msg.Subject, h.msg.Header, h.msg.Data, time.Time{}), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.cancel()
	for _, sub := range s.subs {
		sub.Unsubscribe() //nolint:errcheck // fails only when the connection is closed
	}
}
