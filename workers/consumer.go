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

const (
	// fetchWait is how long one fetch stays open while nothing comes.
	fetchWait = 5 * time.Second
	// fetches is how many are open at once: while one is being answered the
	// next is on its way.
	fetches = 2
	// maxAckPending bounds the messages of a consumer that wait for a verdict or
	// their next attempt, unless more handlers run; beyond it the server holds
	// back new ones.
	maxAckPending = 1000
)

// consumer runs one subscription, or the retries of a worker's dead letters.
type consumer struct {
	cfg      Config
	worker   Worker
	sub      Subscription
	retries  bool // of dead letters, for any of the worker's subscriptions
	durable  string
	window   *window       // of messages held or asked for
	slots    chan struct{} // one for each handler that may run
	held     held
	turns    turns
	failures failures
	figures  *figures
	last     uint64         // number of the delivery that was taken last, where order matters; of the fetching goroutine
	wg       sync.WaitGroup // messages held
}

func newConsumer(cfg Config, w Worker, s Subscription) *consumer {
	s = s.withDefaults()
	return &consumer{
		cfg: cfg, worker: w, sub: s,
		durable: events.Durable(w.Name, s.Filter),
		window:  newWindow(s.Concurrency, s.Key != nil),
		slots:   make(chan struct{}, s.Concurrency),
		figures: cfg.Metrics.of(w.Name, s.Filter.Name),
	}
}

// run consumes until ctx ends and every handler has returned. A consumer that
// is not there, or no longer, is made (again).
func (c *consumer) run(ctx, effects context.Context) {
	log := zerolog.Ctx(ctx)
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beats sync.WaitGroup
	beats.Go(func() { c.held.beat(beating, c.sub.AckWait/3) })
	for failures := 1; ctx.Err() == nil; failures++ {
		began := time.Now()
		err := c.consume(ctx, effects)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > steady {
			failures = 1
		}
		c.figures.restarts.Inc()
		c.figures.mark(err)
		wait := backoff(c.cfg.Backoff, c.cfg.MaxBackoff, failures)
		log.Warn().Err(err).Str("consumer", c.durable).Int("attempt", failures).Dur("ms", wait).Msg("cannot consume, tries again")
		if pause(ctx, wait) != nil {
			break
		}
	}
	c.wg.Wait()
	stop()
	beats.Wait()
}

// consume fetches until something fails.
func (c *consumer) consume(ctx, effects context.Context) error {
	source, err := c.worker.Bus.EnsureConsumer(ctx, c.sub.Filter, jetstream.ConsumerConfig{
		Durable:       c.durable,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.sub.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: max(maxAckPending, c.sub.Concurrency),
		DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return err
	}
	c.figures.mark(nil)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var wg sync.WaitGroup
	wg.Go(func() { c.watch(ctx, source) })
	if c.sub.Key != nil {
		wg.Go(func() { end(c.inOrder(ctx, effects, source)) })
	} else {
		for range fetches {
			wg.Go(func() { end(c.pull(ctx, effects, source)) })
		}
	}
	wg.Wait()
	return context.Cause(ctx)
}

// pull asks for messages for as long as there is room for them.
func (c *consumer) pull(ctx, effects context.Context, source jetstream.Consumer) error {
	for {
		n, err := c.window.claim(ctx)
		if err != nil {
			return err
		}
		if err := c.fetch(ctx, effects, source, n); err != nil {
			return err
		}
	}
}

// fetch asks for as many messages as room was claimed for and takes each that
// comes.
func (c *consumer) fetch(ctx, effects context.Context, source jetstream.Consumer, n int) error {
	defer func() { c.window.release(n) }()
	bounded, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := source.Fetch(n, jetstream.FetchContext(bounded))
	if err != nil {
		return err
	}
	for msg := range batch.Messages() {
		n--
		if err := c.take(ctx, effects, msg); err != nil {
			return err
		}
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

// take has a message handled, for which there is room in the window. One that
// is here already is let go: its verdict is on the way.
func (c *consumer) take(ctx, effects context.Context, msg jetstream.Msg) error {
	d, err := c.read(msg)
	if err != nil {
		c.window.release(1)
		zerolog.Ctx(ctx).Error().Err(err).Msg("message without metadata")
		return nil
	}
	if err := c.inSequence(d); err != nil {
		c.window.release(1)
		return err
	}
	if !c.held.add(d.number, msg, d.Stored) {
		c.window.release(1)
		return nil
	}
	c.begin(ctx, effects, d)
	return nil
}

// begin has a message handled that is held.
func (c *consumer) begin(ctx, effects context.Context, d *delivery) {
	key := ""
	if c.sub.Key != nil {
		key = c.sub.Key(d.Message)
	}
	before, done := c.turns.next(key)
	c.wg.Go(func() {
		defer c.window.release(1)
		defer done()
		c.attend(ctx, effects, d, before)
	})
}

// attend waits for the message's turn and a free handler, and handles it until
// there is a verdict for the server.
func (c *consumer) attend(ctx, effects context.Context, d *delivery, before <-chan struct{}) {
	for {
		if !c.enter(ctx, before) {
			c.held.remove(d.number, true)
			if c.sub.Key == nil { // where order matters all come again together
				c.handBack(effects, d.raw)
			}
			return
		}
		again, wait := c.deliver(effects, d)
		if !again {
			return
		}
		before = after(wait)
		d.Attempt++
	}
}

// enter waits for a message's turn and then for a free handler; no when the
// worker stops first.
func (c *consumer) enter(ctx context.Context, before <-chan struct{}) bool {
	select {
	case <-before:
	case <-ctx.Done():
		return false
	}
	select {
	case c.slots <- struct{}{}:
		return ctx.Err() == nil || c.leave()
	case <-ctx.Done():
		return false
	}
}

// leave frees the handler; it says no.
func (c *consumer) leave() bool {
	<-c.slots
	return false
}

// after is closed after a time.
func after(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}

// handBack returns a message without a verdict, to be delivered again soon.
func (c *consumer) handBack(ctx context.Context, msg jetstream.Msg) {
	if err := msg.Nak(); err != nil {
		zerolog.Ctx(ctx).Debug().Err(err).Msg("hand back")
	}
}

// look is how often the server is asked how far a consumer has come.
const look = 5 * time.Second

// watch keeps the figures of what waits.
func (c *consumer) watch(ctx context.Context, source jetstream.Consumer) {
	t := time.NewTicker(look)
	defer t.Stop()
	var since time.Time // something waits of which no message is known here
	for info := source.CachedInfo(); ; {
		if info.NumPending+uint64(info.NumAckPending) == 0 {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		c.figures.waiting(info, c.held.oldest(info.AckFloor.Stream), since)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		next, err := source.Info(ctx)
		if ctx.Err() != nil {
			return
		}
		c.figures.mark(err)
		if err == nil {
			info = next
		}
	}
}

func (f *figures) waiting(info *jetstream.ConsumerInfo, oldest, since time.Time) {
	f.pending.Set(float64(info.NumPending))
	f.unsettled.Set(float64(info.NumAckPending))
	if oldest.IsZero() {
		oldest = since
	}
	age := 0.0
	if !oldest.IsZero() {
		age = time.Since(oldest).Seconds()
	}
	f.oldest.Set(age)
}
