package workers

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"chancery/events"
)

// bury publishes the dead letter and only then ends the message's deliveries;
// while the letter cannot be published the message comes again. The server's
// advisory about the end names the letter, see [events.LetterReason].
func (c *consumer) bury(ctx context.Context, d *delivery, v verdict) (again bool, wait time.Duration) {
	log := zerolog.Ctx(ctx)
	bounded, cancel := settling(ctx)
	defer cancel()
	letter, err := events.NewDead(c.cfg.Department, events.Failed{
		Worker:   c.worker.Name,
		Consumer: d.consumer,
		Reason:   events.Reason(v.err),
		Attempts: v.attempts,
		Subject:  d.Subject,
		Stream:   d.Stream,
		Sequence: d.Sequence,
		Header:   d.header,
		Body:     d.Data,
		RetryOf:  d.retryOf,
		Time:     time.Now(),
	})
	if err == nil {
		_, err = c.worker.Bus.Publish(bounded, letter)
	}
	if err != nil {
		log.Error().Err(err).AnErr("cause", v.err).Msg("dead letter not published: comes again")
		return c.again(ctx, d, d.sub.MaxBackoff)
	}
	c.failures.forget(d.Sequence)
	log.Error().Err(v.err).Int("failures", v.attempts).Str("letter", letter.ID).Msg("dead letter")
	err = d.raw.TermWithReason(events.LetterReason(letter.ID))
	c.held.remove(d.number, err != nil)
	if err != nil {
		log.Warn().Err(err).Msg("dead letter is out, message comes again")
	}
	return false, 0
}
