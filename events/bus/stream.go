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

// EnsureStreams creates the streams of [events.Streams] or brings them up to
// date. Only the user admin may.
func (c *Conn) EnsureStreams(ctx context.Context) error {
	for _, cfg := range events.Streams() {
		bounded, cancel := c.bound(ctx)
		err := c.denials.during(bounded, "$JS.API.STREAM.UPDATE."+cfg.Name, func(ctx context.Context) error {
			_, err := c.js.CreateOrUpdateStream(ctx, cfg)
			return err
		})
		cancel()
		if err != nil {
			return fmt.Errorf("ensure stream %s: %w", cfg.Name, err)
		}
	}
	return nil
}

// Purge takes every message out of a stream; its sequences keep rising. Only
// the user admin may.
func (c *Conn) Purge(ctx context.Context, stream string) error {
	return c.change(ctx, "purge "+stream, "$JS.API.STREAM.PURGE."+stream, stream, func(ctx context.Context, s jetstream.Stream) error {
		return s.Purge(ctx)
	})
}

// Erase takes one message out of a stream and overwrites it on disk. Only the
// user admin may, and only where the stream allows it.
func (c *Conn) Erase(ctx context.Context, stream string, sequence uint64) error {
	what := fmt.Sprintf("erase message %d of %s", sequence, stream)
	return c.change(ctx, what, "$JS.API.STREAM.MSG.DELETE."+stream, stream, func(ctx context.Context, s jetstream.Stream) error {
		return s.SecureDeleteMsg(ctx, sequence)
	})
}

// change does something to a stream, which takes leave to publish on subject.
func (c *Conn) change(ctx context.Context, what, subject, stream string, f func(context.Context, jetstream.Stream) error) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var s jetstream.Stream
	err := c.denials.during(ctx, streamInfo(stream), func(ctx context.Context) (err error) {
		s, err = c.js.Stream(ctx, stream)
		return err
	})
	if err == nil {
		err = c.denials.during(ctx, subject, func(ctx context.Context) error { return f(ctx, s) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Message is one message of a stream. Err says why its envelope is not valid,
// in which case the envelope holds what could be read.
type Message struct {
	events.Envelope
	Subject  string // as published
	Stream   string
	Sequence uint64
	Stored   time.Time
	Err      error
}

// Tail is where a stream ends. Last is nil when the stream holds no message;
// its sequence may be above 0 even then, after a purge.
type Tail struct {
	Sequence uint64
	Messages uint64
	Created  time.Time // of the stream
	Last     *Message
}

// Tail reads the end of a stream.
func (c *Conn) Tail(ctx context.Context, stream string) (Tail, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	var t Tail
	err := c.denials.during(ctx, streamInfo(stream), func(ctx context.Context) error {
		s, err := c.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		info := s.CachedInfo()
		t = Tail{Sequence: info.State.LastSeq, Messages: info.State.Msgs, Created: info.Created}
		if t.Messages == 0 {
			return nil
		}
		raw, err := s.GetMsg(ctx, t.Sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		t.Last = newMessage(stream, raw.Sequence, raw.Subject, raw.Header, raw.Data, raw.Time)
		return nil
	})
	if err != nil {
		return Tail{}, fmt.Errorf("read the end of %s: %w", stream, err)
	}
	return t, nil
}

func newMessage(stream string, seq uint64, subject string, h nats.Header, data []byte, at time.Time) *Message {
	e, err := events.Parse(subject, h, data)
	return &Message{Envelope: e, Subject: subject, Stream: stream, Sequence: seq, Stored: at, Err: err}
}

// EnsureConsumer creates a worker's durable consumer or brings it up to date.
func (c *Conn) EnsureConsumer(ctx context.Context, f events.Filter, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	cfg.FilterSubject = f.Subject
	var consumer jetstream.Consumer
	err := c.denials.during(ctx, consumerCreate(f.Stream, cfg.Durable, f.Subject), func(ctx context.Context) (err error) {
		consumer, err = c.js.CreateOrUpdateConsumer(ctx, f.Stream, cfg)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ensure consumer %s of %s: %w", cfg.Durable, f.Stream, err)
	}
	return consumer, nil
}
