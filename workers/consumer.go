package workers

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"chancery/events"
)

// fetchWait is how long one fetch stays open while nothing comes.
const fetchWait = 5 * time.Second

// maxAckPending bounds the messages of a consumer that wait for a verdict or
// their next attempt; beyond it the server holds back new ones.
const maxAckPending = 1000

// consumer runs one subscription, or the retries of a worker's dead letters.
type consumer struct {
	cfg      Config
	worker   Worker
	sub      Subscription
	retries  bool // of dead letters, for any of the worker's subscriptions
	durable  string
	slots    chan struct{} // one for each handler that may run
	failures failures
	wg       sync.WaitGroup // handlers
}

func newConsumer(cfg Config, w Worker, s Subscription) *consumer {
	s = s.withDefaults()
	return &consumer{
		cfg: cfg, worker: w, sub: s,
		durable: events.Durable(w.Name, s.Filter),
		slots:   make(chan struct{}, s.Concurrency),
	}
}

// run consumes until ctx ends and every handler has returned. A consumer that
// is not there, or no longer, is made (again).
func (c *consumer) run(ctx, effects context.Context) {
	log := zerolog.Ctx(ctx)
	for failures := 1; ctx.Err() == nil; failures++ {
		began := time.Now()
		err := c.consume(ctx, effects)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > steady {
			failures = 1
		}
		wait := backoff(c.cfg.Backoff, c.cfg.MaxBackoff, failures)
		log.Warn().Err(err).Str("consumer", c.durable).Int("attempt", failures).Dur("ms", wait).Msg("cannot consume, tries again")
		if pause(ctx, wait) != nil {
			break
		}
	}
	c.wg.Wait()
}

// consume fetches until something fails. It never asks for more messages than
// handlers are free, so that none waits unheeded while its AckWait runs.
func (c *consumer) consume(ctx, effects context.Context) error {
	source, err := c.worker.Bus.EnsureConsumer(ctx, c.sub.Filter, jetstream.ConsumerConfig{
		Durable:       c.durable,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.sub.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: maxAckPending,
		DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return err
	}
	for {
		free, err := c.claim(ctx)
		if err != nil {
			return err
		}
		if err := c.fetch(ctx, effects, source, free); err != nil {
			return err
		}
	}
}

// claim takes every free slot, at least one.
func (c *consumer) claim(ctx context.Context) (int, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for n := 1; ; n++ {
		select {
		case c.slots <- struct{}{}:
		default:
			return n, nil
		}
	}
}

func (c *consumer) release() { <-c.slots }

// fetch asks for as many messages as slots were claimed and starts a handler
// for each that comes.
func (c *consumer) fetch(ctx, effects context.Context, source jetstream.Consumer, free int) error {
	left := free
	defer func() {
		for range left {
			c.release()
		}
	}()
	bounded, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := source.Fetch(free, jetstream.FetchContext(bounded))
	if err != nil {
		return err
	}
	for msg := range batch.Messages() {
		if ctx.Err() != nil {
			c.handBack(ctx, msg)
			continue
		}
		left--
		c.wg.Go(func() {
			defer c.release()
			c.deliver(effects, msg)
		})
	}
	if err := batch.Error(); err != nil && !idle(err) {
		return err
	}
	return ctx.Err()
}

// idle reports whether a fetch ended because nothing came.
func idle(err error) bool {
	return errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, jetstream.ErrNoMessages)
}

// handBack returns a message without a verdict, to be delivered again soon.
func (c *consumer) handBack(ctx context.Context, msg jetstream.Msg) {
	if err := msg.Nak(); err != nil {
		zerolog.Ctx(ctx).Debug().Err(err).Msg("hand back")
	}
}
