package intake

import (
	"context"
	token "crypto/rand"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

const (
	// requestBytes bounds the bodies of requests under way.
	requestBytes = 32 << 20
	// doorGrace is how long requests may go on after the stop, in time.
	doorGrace = 10 * time.Second
	// laterAtLeast and laterAtMost are between what times who finds no room, or
	// no ledger, shall ask again: at random, so that not all come at once.
	laterAtLeast = 250 * time.Millisecond
	laterAtMost  = time.Second
)

// door is the synchronous door while it is open.
type door struct {
	*intake
	life context.Context // of requests under way; longer than the door is open

	mu      sync.Mutex
	closed  bool
	waiting int // requests under way
	bytes   int // of their bodies
	empty   chan struct{}
}

// keepDoor answers requests until the context ends, and then finishes what it
// has begun, within the grace.
func (in *intake) keepDoor(ctx context.Context) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	d := &door{intake: in, life: life, empty: make(chan struct{})}
	err := in.Bus.OpenDoor(ctx, in.Department, d.take)
	grace := time.NewTimer(doorGrace)
	defer grace.Stop()
	select {
	case <-d.close():
	case <-grace.C:
		cancel()
		<-d.empty
	}
	return err
}

// take begins a request where there is room for it, and refuses it else.
func (d *door) take(a *bus.Asked) {
	if !d.admit(len(a.Data)) {
		d.putOff(d.life, a, events.Overloaded, "intake has as much under way as it takes: the command was not begun")
		return
	}
	go func() {
		defer d.leave(len(a.Data))
		d.serve(a)
	}()
}

func (d *door) admit(size int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.waiting >= d.Requests || (d.waiting > 0 && d.bytes+size > requestBytes) {
		return false
	}
	d.waiting++
	d.bytes += size
	return true
}

func (d *door) leave(size int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting--
	d.bytes -= size
	if d.closed && d.waiting == 0 {
		close(d.empty)
	}
}

// close admits nobody any more. What it returns is closed when all have left.
func (d *door) close() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.waiting == 0 {
		close(d.empty)
	}
	return d.empty
}

// serve carries a request out within its time, and answers it. The outcome is
// told on the stream first, as for a command that came from one; the reply does
// not depend on that.
func (d *door) serve(a *bus.Asked) {
	log := zerolog.Ctx(d.life).With().Str("door", "api").Str("command", a.ID).Logger()
	ctx, cancel := context.WithDeadline(log.WithContext(d.life), a.Deadline)
	defer cancel()
	outcome, err := d.perform(ctx, a.Envelope, a.Err)
	if err != nil {
		code := delay(err)
		log.Warn().Err(err).Str("code", string(code)).Msg("request without an outcome")
		d.putOff(ctx, a, code, err.Error())
		return
	}
	answer, err := d.answer(ctx, a.Envelope, "api-"+token.Text(), outcome)
	if err != nil {
		log.Error().Err(err).Msg("answer cannot be written")
		d.putOff(ctx, a, events.Faulty, err.Error())
		return
	}
	if err := d.teller.tell(ctx, answer); err != nil {
		log.Error().Err(err).Msg("outcome is known, but not told on the stream")
	}
	d.reply(ctx, a, answer, "")
}

// delay says what an error means for who asked.
func delay(err error) events.Delay {
	switch {
	case errors.Is(err, workers.ErrContended):
		return events.Contended
	case errors.Is(err, ledger.ErrUnknownOutcome), errors.Is(err, bus.ErrUnreachable):
		return events.Unknown
	case errors.Is(err, ledger.ErrUnreachable):
		return events.Unreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return events.Unknown
	}
	return events.Faulty
}

// putOff answers that there is no outcome.
func (d *door) putOff(ctx context.Context, a *bus.Asked, code events.Delay, message string) {
	command := a.ID
	if !exchange.ValidCommand(command) {
		command = ""
	}
	now := time.Now().UTC()
	later := laterAtLeast + rand.N(laterAtMost-laterAtLeast)
	e, err := events.NewWork(events.CommandUnsettled, d.Department, exchange.ToAll,
		exchange.NewID(exchange.NounOperation, d.MSP, a.ID), command,
		&events.Unsettled{
			Department: d.Department, Command: command, Op: operation(a.Address), Code: code,
			Message: events.Reason(errors.New(message)), RetryAfter: int(later.Milliseconds()), Time: now,
		}, now)
	if err != nil {
		zerolog.Ctx(ctx).Error().Err(err).Msg("refusal cannot be written")
		return
	}
	d.reply(ctx, a, e, string(code))
}

func (d *door) reply(ctx context.Context, a *bus.Asked, e events.Envelope, fault string) {
	if err := a.Reply(e, fault); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("reply")
	}
}
