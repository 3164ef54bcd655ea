package bus

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/events"
)

// Ask sends a command by the synchronous door and waits for what becomes of it,
// until the context ends or, where that has no end, for [events.AskTimeout].
// Only the user system may. An error says that no answer came, so that the
// outcome is not known: ErrUnreachable, with nobody there or too late;
// ErrPermission; ErrTooLarge; [exchange.ErrInvalid] for what is no command or no
// answer. [events.Answer.Err] says the rest. Asking again is harmless.
func (c *Conn) Ask(ctx context.Context, e events.Envelope) (events.Answer, error) {
	msg, err := e.AskMsg()
	if err != nil {
		return events.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, events.MaxAskTimeout)
	defer cancel()
	if _, bounded := ctx.Deadline(); bounded {
		msg.Header.Set(events.TimeoutHeader, strconv.FormatInt(patience(ctx).Milliseconds(), 10))
	}
	var reply *nats.Msg
	err = c.denials.during(ctx, msg.Subject, func(ctx context.Context) (err error) {
		reply, err = c.nc.RequestMsgWithContext(ctx, msg)
		return err
	})
	if err != nil {
		return events.Answer{}, fmt.Errorf("ask %s: %w", msg.Subject, err)
	}
	answer, err := events.ParseAnswer(reply.Header, reply.Data)
	if err != nil {
		return events.Answer{}, fmt.Errorf("ask %s: %w", msg.Subject, err)
	}
	return answer, nil
}

// patience is how long the server may take, so that its word on that comes in
// time.
func patience(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	return max(left-min(left/10, 250*time.Millisecond), time.Millisecond)
}
