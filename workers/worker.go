package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"chancery/events"
	"chancery/events/bus"
)

// Message is one delivery of an event or command. A handler reads it and does
// not keep it. Err is not nil only for a Malformed handler.
type Message struct {
	bus.Message
	Attempt int // deliveries so far with this one, from 1
}

// Handler does a worker's one job for a message; what it returns is the
// verdict. The context carries the logger with the message's fields; it ends
// when the subscription's Timeout is over or the worker must stop now.
type Handler func(ctx context.Context, m *Message) error

// Subscription is what a worker consumes: the messages of one filter, through
// the durable consumer [events.Durable].
type Subscription struct {
	Filter events.Filter
	Handle Handler

	// Key, where it is given, says which messages must follow one another: those
	// of one key are handled one after another in the order of the stream, also
	// when one fails, which then keeps the rest of its key waiting, and also after
	// a crash. The empty key has no order. It gets what is no valid envelope too.
	// Such a subscription takes one copy of the worker at a time. Default: none,
	// messages may overtake one another.
	Key func(m *Message) string

	// Malformed handles what is no valid envelope. Default: dead letter.
	Malformed Handler
	// Concurrency is how many messages are handled at once, 1 or more.
	// Default 4.
	Concurrency int
	// MaxAttempts is how many failed attempts make a dead letter, 1 or more.
	// They are counted by this process. Default 10.
	MaxAttempts int
	// AckWait is after what silence the server delivers a message again, in
	// time; heartbeats go out at a third of it. Default 10 s.
	AckWait time.Duration
	// Timeout bounds one call of a handler, in time; it is a failed attempt.
	// Default 15 min.
	Timeout time.Duration
	// Backoff is the delay after the first failed attempt; it doubles with
	// each further one. Default 500 ms.
	Backoff time.Duration
	// MaxBackoff bounds that delay. Default 1 min.
	MaxBackoff time.Duration
}

func (s Subscription) withDefaults() Subscription {
	orInt(&s.Concurrency, 4)
	orInt(&s.MaxAttempts, 10)
	orDuration(&s.AckWait, 10*time.Second)
	orDuration(&s.Timeout, 15*time.Minute)
	orDuration(&s.Backoff, 500*time.Millisecond)
	orDuration(&s.MaxBackoff, time.Minute)
	if s.Malformed == nil {
		s.Malformed = func(_ context.Context, m *Message) error { return Reject(m.Err) }
	}
	return s
}

func (s Subscription) validate() error {
	switch {
	case s.Filter.Stream == "" || s.Filter.Name == "" || s.Filter.Subject == "":
		return errors.New("a subscription without a filter")
	case s.Handle == nil:
		return fmt.Errorf("%s: no handler", s.Filter.Name)
	case s.Concurrency < 0 || s.MaxAttempts < 0 || s.AckWait < 0 || s.Timeout < 0 || s.Backoff < 0 || s.MaxBackoff < 0:
		return fmt.Errorf("%s: a setting is negative", s.Filter.Name)
	}
	return nil
}

// Worker is one worker: a name, its own connection to the bus, and what it
// consumes, or a loop of its own, or both.
type Worker struct {
	Name          string
	Bus           *bus.Conn // as the user of that name; whoever opened it closes it after [Run]
	Subscriptions []Subscription

	// Run is a loop that lasts until the context ends. When it fails it is
	// started again with backoff; when it returns nil it is done.
	Run func(ctx context.Context) error
}

func (w Worker) validate() error {
	if w.Name == "" || w.Bus == nil {
		return fmt.Errorf("worker %q: name and bus are needed", w.Name)
	}
	if len(w.Subscriptions) == 0 && w.Run == nil {
		return fmt.Errorf("worker %s: nothing to do", w.Name)
	}
	for _, s := range w.Subscriptions {
		if err := s.validate(); err != nil {
			return fmt.Errorf("worker %s: %w", w.Name, err)
		}
	}
	return nil
}

// Config is the configuration of the runtime.
type Config struct {
	// Department is whose workers these are; dead letters say so. Needed.
	Department string
	// Grace is how long handlers may go on after the stop, in time.
	// Default 20 s.
	Grace time.Duration
	// Backoff is the delay before a failed loop or a lost consumer is started
	// again; it doubles with each failure in a row. Default 500 ms.
	Backoff time.Duration
	// MaxBackoff bounds that delay. Default 30 s.
	MaxBackoff time.Duration
	// Metrics takes the figures of the workers. Default: ones that nobody sees.
	Metrics *Metrics
	// Traces takes the spans of the workers. Default: there are none.
	Traces trace.TracerProvider
}

func (c Config) withDefaults() Config {
	orDuration(&c.Grace, 20*time.Second)
	orDuration(&c.Backoff, 500*time.Millisecond)
	orDuration(&c.MaxBackoff, 30*time.Second)
	if c.Metrics == nil {
		c.Metrics = NewMetrics(c.Department)
	}
	return c
}

func orInt(n *int, other int) {
	if *n == 0 {
		*n = other
	}
}

func orDuration(d *time.Duration, other time.Duration) {
	if *d == 0 {
		*d = other
	}
}
