package events

import (
	"fmt"
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

// Failed is the payload of [DeliveryFailed], the dead letter: the message that
// no retry could handle, where it stands, and why.
type Failed struct {
	Worker   string              `json:"worker"`
	Consumer string              `json:"consumer"`
	Reason   string              `json:"reason"`
	Attempts int                 `json:"attempts"` // failed ones, from 1
	Subject  string              `json:"subject"`
	Stream   string              `json:"stream"`
	Sequence uint64              `json:"sequence"`
	Header   map[string][]string `json:"header,omitempty"`
	Body     []byte              `json:"body"` // base64; the first [MaxDeadBody] bytes
	Size     int                 `json:"size"` // bytes of the whole body; the origin holds the rest
	// RetryOf is the number of the dead letter, its sequence in DEAD, whose
	// retry failed; 0: the message itself did.
	RetryOf uint64    `json:"retryOf,omitempty"`
	Time    time.Time `json:"time"`
}

// Cut says that the letter does not hold the whole message.
func (f *Failed) Cut() bool { return f.Size > len(f.Body) }

// MaxDeadBody bounds the bytes of the original body in a dead letter, so that
// the letter itself fits the bus.
const MaxDeadBody = 384 << 10

// maxDeadHeader bounds the original header in a dead letter, in bytes; a
// larger one is left to the origin.
const maxDeadHeader = 64 << 10

// Validate checks the payload by itself.
func (f *Failed) Validate() error {
	if f.Worker == "" || f.Stream == "" || f.Subject == "" || f.Sequence == 0 {
		return invalid("a dead letter names worker, stream, sequence and subject")
	}
	if len(f.Body) > MaxDeadBody || len(f.Reason) > maxReason {
		return invalid("a dead letter holds at most %d bytes of body and %d of reason", MaxDeadBody, maxReason)
	}
	return nil
}

// deliveries are the types of what is said about deliveries.
var deliveries = map[Kind]exchange.EventType{KindDead: DeliveryFailed, KindRetry: DeliveryRetried}

// NewDead makes the dead letter of a message; it sets the size and clips body
// and header. Its ce-id follows from worker, origin and retry, so that a repeat
// is dropped as a duplicate; its subject names what the message was about as far
// as that could be read.
func NewDead(department string, f Failed) (Envelope, error) {
	f.Size = len(f.Body)
	f.Body = f.Body[:min(len(f.Body), MaxDeadBody)]
	if headerSize(f.Header) > maxDeadHeader {
		f.Header = nil
	}
	if err := f.Validate(); err != nil {
		return Envelope{}, err
	}
	about := aboutOf(f.Subject)
	if about.ID == "" {
		about.ID = Token(fmt.Sprintf("%s-%d", strings.ToLower(f.Stream), f.Sequence))
	}
	e := Envelope{
		Address: DeadSubject(f.Worker, about.Noun, about.Verb, about.ID),
		ID:      fmt.Sprintf("%s.%s.%d", f.Consumer, f.Stream, f.Sequence),
		Source:  department,
		About:   about.ID,
		Time:    f.Time,
	}
	if f.RetryOf > 0 {
		e.ID += fmt.Sprintf(".retry-%d", f.RetryOf)
	}
	e.Correlation = correlationOf(f.Header)
	return e.fill(string(DeliveryFailed), f)
}

// aboutOf names what a message was about as far as its subject can be read.
func aboutOf(subject string) Subject {
	s, err := ParseSubject(subject)
	if err != nil {
		return Subject{Noun: "message", Verb: "unreadable"}
	}
	return s
}

// correlationOf is the command behind a message, where its header says one.
func correlationOf(h map[string][]string) string {
	if v := h[prefix+"correlation"]; len(v) == 1 && exchange.ValidCommand(v[0]) {
		return v[0]
	}
	return ""
}

func headerSize(h map[string][]string) int {
	n := 0
	for k, list := range h {
		n += len(k)
		for _, v := range list {
			n += len(v)
		}
	}
	return n
}
