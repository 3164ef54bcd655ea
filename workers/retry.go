package workers

import (
	"fmt"

	"chancery/events"
	"chancery/events/bus"
)

// A dead letter is retried by a message on a subject of DEAD that only its own
// worker consumes, with the original subject, header and body inside: the
// stream that the message came from stays as it is, and no other worker sees it
// again. Who may publish it, the administrator, is trusted with what it says.

// newRetries is the consumer of a worker's retries. It handles one at a time:
// the letters' order is kept as far as they succeed.
func newRetries(cfg Config, w Worker) *consumer {
	c := newConsumer(cfg, w, Subscription{Filter: events.RetryFilter(w.Name), Concurrency: 1})
	c.retries = true
	return c
}

// restore puts the original message in the place of its retry, for the
// subscription that it came through. Its Stored stays the retry's, so that what
// waits for something has its full time again.
func (d *delivery) restore(w Worker) error {
	r, err := events.Record[events.Retried](d.Envelope)
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return err
	}
	for _, s := range w.Subscriptions {
		if s.Filter.Stream != r.Stream || events.Durable(w.Name, s.Filter) != r.Consumer {
			continue
		}
		e, err := events.Parse(r.Subject, r.Header, r.Body)
		d.Message = &Message{
			Message: bus.Message{Envelope: e, Subject: r.Subject, Stream: r.Stream, Sequence: r.Sequence, Stored: d.Stored},
			Attempt: d.Attempt,
		}
		d.sub, d.consumer, d.header, d.retryOf = s.withDefaults(), r.Consumer, r.Header, r.Letter
		return err
	}
	return fmt.Errorf("retry of dead letter %d: %s has no consumer %s of %s", r.Letter, w.Name, r.Consumer, r.Stream)
}
