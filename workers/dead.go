package workers

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"chancery/events"
)

// bury publishes the dead letter and only then ends the message's deliveries;
// while the letter cannot be published the message comes again.
func (c *consumer) bury(ctx context.Context, m *Message, msg jetstream.Msg, cause error, attempts int) {
	log := zerolog.Ctx(ctx)
	ctx, cancel := settling(ctx)
	defer cancel()
	letter, err := events.NewDead(c.cfg.Department, events.Failed{
		Worker:   c.worker.Name,
		Consumer: c.durable,
		Reason:   events.Reason(cause),
		Attempts: attempts,
		Subject:  m.Subject,
		Stream:   m.Stream,
		Sequence: m.Sequence,
		Header:   msg.Headers(),
		Body:     msg.Data(),
		Time:     time.Now(),
	})
	if err == nil {
		_, err = c.worker.Bus.Publish(ctx, letter)
	}
	if err != nil {
		log.Error().Err(err).AnErr("cause", cause).Msg("dead letter not published: comes again")
		c.nak(ctx, msg, c.sub.MaxBackoff)
		return
	}
	c.failures.forget(m.Sequence)
	log.Error().Err(cause).Int("failures", attempts).Str("letter", letter.ID).Msg("dead letter")
	if err := msg.TermWithReason(events.Reason(cause)); err != nil {
		log.Warn().Err(err).Msg("dead letter is out, message comes again")
	}
}
