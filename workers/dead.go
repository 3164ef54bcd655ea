package workers

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"chancery/events"
)

// bury publishes the dead letter and only then ends the message's deliveries;
// while the letter cannot be published the message comes again.
func (c *consumer) bury(ctx context.Context, d *delivery, cause error, attempts int) {
	log := zerolog.Ctx(ctx)
	ctx, cancel := settling(ctx)
	defer cancel()
	letter, err := events.NewDead(c.cfg.Department, events.Failed{
		Worker:   c.worker.Name,
		Consumer: d.consumer,
		Reason:   events.Reason(cause),
		Attempts: attempts,
		Subject:  d.Subject,
		Stream:   d.Stream,
		Sequence: d.Sequence,
		Header:   d.header,
		Body:     d.Data,
		RetryOf:  d.retryOf,
		Time:     time.Now(),
	})
	if err == nil {
		_, err = c.worker.Bus.Publish(ctx, letter)
	}
	if err != nil {
		log.Error().Err(err).AnErr("cause", cause).Msg("dead letter not published: comes again")
		c.nak(ctx, d.raw, d.sub.MaxBackoff)
		return
	}
	c.failures.forget(d.Sequence)
	log.Error().Err(cause).Int("failures", attempts).Str("letter", letter.ID).Msg("dead letter")
	if err := d.raw.TermWithReason(events.Reason(cause)); err != nil {
		log.Warn().Err(err).Msg("dead letter is out, message comes again")
	}
}
