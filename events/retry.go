package events

import (
	"fmt"
	"strconv"
	"time"
)

// Retried is the payload of [DeliveryRetried]: the message of a dead letter,
// as the letter has it, for the worker whose letter it is and for nobody else.
// It stands on a subject of its own for each letter, see [NewRetry], on which
// the stream shall hold one message: so it also is the mark that the letter was
// retried.
type Retried struct {
	Letter   uint64              `json:"letter"` // number of the dead letter: its sequence in DEAD
	Worker   string              `json:"worker"`
	Consumer string              `json:"consumer"` // through which the message came
	Subject  string              `json:"subject"`
	Stream   string              `json:"stream"`
	Sequence uint64              `json:"sequence"`
	Header   map[string][]string `json:"header,omitempty"`
	Body     []byte              `json:"body"` // base64; all of it
	Time     time.Time           `json:"time"` // of the retry
}

// Validate checks the payload by itself.
func (r *Retried) Validate() error {
	if r.Letter == 0 || r.Worker == "" || r.Consumer == "" || r.Stream == "" || r.Subject == "" || r.Sequence == 0 {
		return invalid("a retry names letter, worker, consumer, stream, sequence and subject")
	}
	if len(r.Body) > MaxDeadBody {
		return invalid("a retry holds at most %d bytes of body", MaxDeadBody)
	}
	return nil
}

// NewRetry makes the retry of the dead letter with a number. A letter that does
// not hold the whole message has the code [exchange.Invalid].
func NewRetry(department string, letter uint64, f Failed, at time.Time) (Envelope, error) {
	if f.Cut() {
		return Envelope{}, invalid("dead letter %d holds %d of the %d bytes of its message", letter, len(f.Body), f.Size)
	}
	r := Retried{
		Letter: letter, Worker: f.Worker, Consumer: f.Consumer, Subject: f.Subject,
		Stream: f.Stream, Sequence: f.Sequence, Header: f.Header, Body: f.Body, Time: at,
	}
	if err := r.Validate(); err != nil {
		return Envelope{}, err
	}
	about := aboutOf(f.Subject)
	e := Envelope{
		Address:     Subject{Kind: KindRetry, Worker: f.Worker, Noun: about.Noun, Verb: about.Verb, ID: strconv.FormatUint(letter, 10)},
		ID:          fmt.Sprintf("retry.%d", letter),
		Source:      department,
		About:       about.ID,
		Time:        at,
		Correlation: correlationOf(f.Header),
	}
	return e.fill(string(DeliveryRetried), r)
}
