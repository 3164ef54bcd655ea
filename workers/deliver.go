package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"chancery/events"
	"chancery/events/bus"
)

// delivery is a message on its way to a handler: as it came, or as the dead
// letter has it that is retried.
type delivery struct {
	*Message
	sub      Subscription // whose handler it is for
	consumer string       // durable name of that subscription
	header   nats.Header
	retryOf  uint64        // number of the dead letter; 0: it is none's
	raw      jetstream.Msg // takes the verdict
}

// deliver handles one message and carries out the verdict.
func (c *consumer) deliver(ctx context.Context, msg jetstream.Msg) {
	d, err := c.read(msg)
	if err != nil {
		zerolog.Ctx(ctx).Error().Err(err).Msg("message without metadata")
		return
	}
	log := d.logger(ctx)
	ctx = log.WithContext(ctx)
	began := time.Now()
	err = c.handle(ctx, d)
	log = log.With().Int64("ms", time.Since(began).Milliseconds()).Logger()
	c.settle(log.WithContext(ctx), d, err)
}

func (c *consumer) read(msg jetstream.Msg) (*delivery, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, err
	}
	e, err := events.Parse(msg.Subject(), msg.Headers(), msg.Data())
	d := &delivery{
		Message: &Message{
			Message: bus.Message{
				Envelope: e, Subject: msg.Subject(), Stream: meta.Stream,
				Sequence: meta.Sequence.Stream, Stored: meta.Timestamp, Err: err,
			},
			Attempt: int(meta.NumDelivered),
		},
		sub: c.sub, consumer: c.durable, header: msg.Headers(), raw: msg,
	}
	if c.retries && d.Err == nil {
		err := d.restore(c.worker) // which may put another message there
		d.Err = err
	}
	return d, nil
}

func (d *delivery) logger(ctx context.Context) zerolog.Logger {
	m := d.Message
	l := zerolog.Ctx(ctx).With().Str("event", m.Address.Noun+"."+m.Address.Verb).Str("id", m.ID).Int("attempt", m.Attempt)
	if m.Address.From != "" {
		l = l.Str("from", m.Address.From)
	}
	if m.Address.To != "" {
		l = l.Str("to", m.Address.To)
	}
	if d.retryOf > 0 {
		l = l.Uint64("letter", d.retryOf)
	}
	if p := m.Position; p != nil {
		l = l.Str("tx", p.Tx).Uint64("block", p.Block)
	}
	return l.Logger()
}

// handle calls the handler under its time limit, with heartbeats for as long
// as it runs.
func (c *consumer) handle(ctx context.Context, d *delivery) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.sub.Timeout, errTimeout)
	defer cancel()
	stop := c.heartbeat(ctx, d.raw)
	defer stop()
	handler := d.sub.Handle
	if d.Err != nil {
		handler = d.sub.Malformed
	}
	err := guard(ctx, func() error { return handler(ctx, d.Message) })
	if err != nil && context.Cause(ctx) == errTimeout {
		return fmt.Errorf("not done within %s: %v", d.sub.Timeout, err)
	}
	return err
}

var errTimeout = errors.New("handler took too long")

// heartbeat tells the server that the message is being worked on.
func (c *consumer) heartbeat(ctx context.Context, msg jetstream.Msg) (stop func()) {
	done := make(chan struct{})
	c.wg.Go(func() {
		t := time.NewTicker(c.sub.AckWait / 3)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				if err := msg.InProgress(); err != nil {
					zerolog.Ctx(ctx).Debug().Err(err).Msg("heartbeat")
				}
			}
		}
	})
	return func() { close(done) }
}

// settle turns the handler's error into the verdict for the server.
func (c *consumer) settle(ctx context.Context, d *delivery, err error) {
	log := zerolog.Ctx(ctx)
	var again *retry
	switch {
	case err == nil:
		c.failures.forget(d.Sequence)
		c.ack(ctx, d.raw)
	case interrupted(ctx, err):
		log.Info().Msg("interrupted, comes again")
		c.handBack(ctx, d.raw)
	case errors.As(err, &again):
		log.Info().Err(again.err).Dur("after", again.after).Msg("comes again")
		c.nak(ctx, d.raw, again.after)
	case Rejected(err):
		c.bury(ctx, d, err, c.failures.count(d.Sequence)+1)
	default:
		n := c.failures.add(d.Sequence)
		if n >= d.sub.MaxAttempts {
			c.bury(ctx, d, err, n)
			return
		}
		wait := backoff(d.sub.Backoff, d.sub.MaxBackoff, n)
		log.Warn().Err(err).Int("failures", n).Dur("after", wait).Msg("failed, comes again")
		c.nak(ctx, d.raw, wait)
	}
}

// interrupted reports whether a handler ended because the worker must stop.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && !Rejected(err)
}

// ack waits for the server's word: without it the message would come again.
func (c *consumer) ack(ctx context.Context, msg jetstream.Msg) {
	ctx, cancel := settling(ctx)
	defer cancel()
	if err := msg.DoubleAck(ctx); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("done, but not acknowledged: comes again")
		return
	}
	zerolog.Ctx(ctx).Info().Msg("done")
}

func (c *consumer) nak(ctx context.Context, msg jetstream.Msg, after time.Duration) {
	if err := msg.NakWithDelay(after); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("verdict not sent: comes again after its time")
	}
}

// settling bounds what a verdict takes; it may outlast the grace period by
// that much, since the effect is there already.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), bus.DefaultTimeout)
}
