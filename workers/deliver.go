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
	number   uint64        // of raw in its stream
	delivery uint64        // number of the delivery, of all by that consumer
}

// deliver handles one message, in a handler's slot, and carries out the verdict.
// Where order matters a message that shall come again does so from here: again,
// after some time.
func (c *consumer) deliver(ctx context.Context, d *delivery) (again bool, wait time.Duration) {
	ctx, span := c.startMessage(ctx, d)
	log := d.logger(ctx)
	c.figures.inFlight.Inc()
	began := time.Now()
	err := c.handle(log.WithContext(ctx), d)
	took := time.Since(began)
	c.figures.inFlight.Dec()
	c.leave()
	c.window.took(took)
	v := c.judge(ctx, d, err)
	c.figures.attempt(v.kind, took)
	endMessage(span, v)
	log = log.With().Int64("ms", took.Milliseconds()).Logger()
	return c.settle(log.WithContext(ctx), d, v)
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
		number: meta.Sequence.Stream, delivery: meta.Sequence.Consumer,
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

// handle calls the handler under its time limit.
func (c *consumer) handle(ctx context.Context, d *delivery) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.sub.Timeout, errTimeout)
	defer cancel()
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

// verdict is what a handler's error means for the server.
type verdict struct {
	kind     string
	after    time.Duration // until it comes again
	err      error
	attempts int // that failed
}

// judge turns the handler's error into the verdict.
func (c *consumer) judge(ctx context.Context, d *delivery, err error) verdict {
	var again *retry
	switch {
	case err == nil:
		c.failures.forget(d.Sequence)
		return verdict{kind: VerdictDone}
	case interrupted(ctx, err):
		return verdict{kind: verdictInterrupted, err: err}
	case errors.As(err, &again):
		return verdict{kind: verdictAgain, after: again.after, err: again.err}
	case Rejected(err):
		return verdict{kind: VerdictDead, err: err, attempts: c.failures.count(d.Sequence) + 1}
	}
	n := c.failures.add(d.Sequence)
	if n >= d.sub.MaxAttempts {
		return verdict{kind: VerdictDead, err: err, attempts: n}
	}
	return verdict{kind: verdictFailed, after: backoff(d.sub.Backoff, d.sub.MaxBackoff, n), err: err, attempts: n}
}

// settle carries a verdict out: the server is told, or, where order matters and
// the message must come again, nobody is.
func (c *consumer) settle(ctx context.Context, d *delivery, v verdict) (again bool, wait time.Duration) {
	log := zerolog.Ctx(ctx)
	switch v.kind {
	case VerdictDone:
		c.ack(ctx, d)
	case verdictInterrupted:
		log.Info().Msg("interrupted, comes again")
		c.held.remove(d.number, true)
		c.handBack(ctx, d.raw)
	case VerdictDead:
		return c.bury(ctx, d, v)
	case verdictAgain:
		log.Info().Err(v.err).Dur("after", v.after).Msg("comes again")
		return c.again(ctx, d, v.after)
	default:
		log.Warn().Err(v.err).Int("failures", v.attempts).Dur("after", v.after).Msg("failed, comes again")
		return c.again(ctx, d, v.after)
	}
	return false, 0
}

// again has a message come again after some time: from here where order
// matters, else from the server, which may give it to another copy.
func (c *consumer) again(ctx context.Context, d *delivery, wait time.Duration) (bool, time.Duration) {
	if c.sub.Key != nil {
		return true, wait
	}
	c.held.remove(d.number, true)
	if err := d.raw.NakWithDelay(wait); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("verdict not sent: comes again after its time")
	}
	return false, 0
}

// interrupted reports whether a handler ended because the worker must stop.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && !Rejected(err)
}

// ack waits for the server's word: without it the message would come again. The
// handler's slot is free meanwhile.
func (c *consumer) ack(ctx context.Context, d *delivery) {
	bounded, cancel := settling(ctx)
	defer cancel()
	err := d.raw.DoubleAck(bounded)
	c.held.remove(d.number, err != nil)
	if err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("done, but not acknowledged: comes again")
		return
	}
	if !d.Time.IsZero() {
		c.figures.age.Observe(time.Since(d.Time).Seconds())
	}
	zerolog.Ctx(ctx).Info().Msg("done")
}

// settling bounds what a verdict takes; it may outlast the grace period by
// that much, since the effect is there already.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), bus.DefaultTimeout)
}
