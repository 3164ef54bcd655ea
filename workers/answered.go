package workers

import (
	"fmt"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// NewAnswer is the event by which [Answer] tells what became of a command.
func NewAnswer(c Command, o exchange.Outcome, now time.Time) (events.Envelope, error) {
	e, err := c.envelope(o, now)
	if err != nil {
		return events.Envelope{}, fmt.Errorf("answer command %s: %w", c.ID, err)
	}
	return e, nil
}
